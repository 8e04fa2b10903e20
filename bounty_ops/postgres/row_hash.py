"""The formulas by which PostgreSQL hashes a row: one number that depends on every value in it.

Each value is hashed together with the number of its column (by name); a missing one counts as that
number. The values of a row are joined by XOR, and the result goes through the hash once more, which
keeps two cells of one column from being swapped between rows unseen.

``valuesum1`` writes every value as text and hashes that. A value that a cast to text would not
write whole (of char(n), of types that users made) is written as a row of one column, whose text
always is: a numeric keeps its scale, an array its bounds, and nothing is something else than an
empty string.

``valuesum2`` is the same, but for types that can be had cheaper and as exactly. What is needed of
them: a value and what it becomes by being dumped and restored are hashed alike, and any two that
differ are not. So what is hashed holds all bits of a value and no OID:

* integers and booleans as 64-bit numbers. The number is the *seed* of a hash over the column's
  number: PostgreSQL's own hash of a bigint folds it into 32 bits first;
* timestamps in the form in which they are sent to clients, for the same reason;
* a uuid by its own hash, which takes all 128 bits;
* an enum's label and a char(n) from their output functions. A cast to text may be a user's.

Everything else stays text. The hashes of numeric, float and jsonb call values equal that are
written differently (1.0 and 1.00, 0 and -0), and what is sent of a float may be a NaN that a
restore does not bring back bit by bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bounty_ops.postgres.relations import Column

_TEXT: Final = sql.SQL('pg_catalog.hashtextextended({column}::text COLLATE "C", {number})')
_ROW: Final = sql.SQL('pg_catalog.hashtextextended(ROW({column})::text COLLATE "C", {number})')
_OUTPUT: Final = (
    'pg_catalog.hashtextextended(pg_catalog.{}({{column}})::text COLLATE "C", {{number}})'
)
_SENT: Final = (
    "pg_catalog.hashtextextended("
    "pg_catalog.encode(pg_catalog.{}({{column}}), 'hex') COLLATE \"C\", {{number}})"
)
#: Columns have numbers from 1 to 1600, so the seed and the key cannot be mistaken for each other.
_NUMBER: Final = sql.SQL("pg_catalog.hashint4extended({number}, {column}::bigint)")
_TYPED: Final = {
    "int2": _NUMBER,
    "int4": _NUMBER,
    "int8": _NUMBER,
    "bool": sql.SQL("pg_catalog.hashint4extended({number}, {column}::integer::bigint)"),
    "uuid": sql.SQL("pg_catalog.uuid_hash_extended({column}, {number})"),
    "timestamp": sql.SQL(_SENT.format("timestamp_send")),
    "timestamptz": sql.SQL(_SENT.format("timestamptz_send")),
    "bpchar": sql.SQL(_OUTPUT.format("bpcharout")),
    "enum": sql.SQL(_OUTPUT.format("enum_out")),
}
_PRESENT: Final = sql.SQL("coalesce({hashed}, {number})")


def _by_text(columns: Sequence[Column]) -> sql.Composable:
    joined = _joined(columns, lambda column: _TEXT if column.whole_as_text else _ROW)
    return sql.SQL("pg_catalog.hashtextextended('' COLLATE \"C\", {})").format(joined)


def _by_type(columns: Sequence[Column]) -> sql.Composable:
    def of(column: Column) -> sql.SQL:
        return _TYPED.get(column.kind, _TEXT if column.whole_as_text else _ROW)

    return sql.SQL("pg_catalog.hashint4extended(0, {})").format(_joined(columns, of))


def _joined(columns: Sequence[Column], hash_of: Callable[[Column], sql.SQL]) -> sql.Composable:
    if not columns:
        return sql.SQL("0::bigint")
    joined = []
    for position, column in enumerate(columns, start=1):
        number, name = sql.Literal(position), sql.Identifier(column.name)
        # A row of a missing value is not missing itself.
        present = hash_of(column).format(column=name, number=number)
        joined.append(_PRESENT.format(hashed=present, number=number))
    return sql.SQL(" # ").join(joined)


#: An expression of type bigint for a row with these columns, by the name of the formula. A formula
#: whose results change needs another name: manifests record it, and are proved by it for ever.
ROW_HASHES: Final[Mapping[str, Callable[[Sequence[Column]], sql.Composable]]] = {
    "valuesum1": _by_text,
    "valuesum2": _by_type,
}
