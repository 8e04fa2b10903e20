"""Turning a column that is there into what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.catalog.sequence import Sequence
from bounty_ops.migrating.drift.altering import options
from bounty_ops.migrating.drift.clauses import identity
from bounty_ops.migrating.drift.names import literal, public, quoted

if TYPE_CHECKING:
    from bounty_ops.migrating.catalog import Item

_FIRST_WITH_SET_EXPRESSION: Final = 17
_FIRST_WITH_NOT_NULL_CONSTRAINTS: Final = 18

#: Types between which PostgreSQL converts by itself when a value is stored.
_FAMILIES: Final = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision"},
    {"text", "character varying", "character", "name", "bpchar"},
    {"timestamp without time zone", "timestamp with time zone", "date"},
    {"time without time zone", "time with time zone"},
)
_EXPLICIT: Final = ({"boolean", "integer"}, {"json", "jsonb"})
_TEXT: Final = _FAMILIES[1]


def replaces(expected: Item, found: Item, major: int) -> bool:
    """Whether the column has to be dropped and added: only for values that are computed anyway."""
    one, other = expected.facts.get("generated"), found.facts.get("generated")
    if one == other or one is None:
        # What becomes generated is computed anew; what is virtual has no values to keep.
        return one is None and other is not None and other.endswith(" virtual")
    return not (
        other is not None
        and one.endswith(" stored")
        and other.endswith(" stored")
        and major >= _FIRST_WITH_SET_EXPRESSION
    )


def alter_column(expected: Item, found: Item, aspect: str, major: int) -> tuple[str, ...]:
    """The statements that change one fact of a column."""
    column = f"ALTER TABLE {public(expected.key[1])} ALTER COLUMN {quoted(expected.key[2])}"
    if aspect == "not_null":
        return _not_null(expected, found, column, major)
    if aspect == "identity":
        return _identity(expected, found, column)
    wanted = expected.facts.get(aspect)
    if aspect == "column_options":
        return options(column, wanted, found.facts.get(aspect))
    return (f"{column} {_change(expected, found, aspect, wanted)}",)


def _change(expected: Item, found: Item, aspect: str, wanted: str | None) -> str:
    if aspect in ("type", "collation"):
        return f"TYPE {_type(expected, found)}"
    if aspect == "generated":
        expression = expected.texts.get("expression")
        return "DROP EXPRESSION" if wanted is None else f"SET EXPRESSION AS ({expression})"
    if aspect == "storage":
        return f"SET STORAGE {(wanted or expected.texts['type_storage']).upper()}"
    if aspect == "compression":
        return f"SET COMPRESSION {wanted or 'default'}"
    return f"SET STATISTICS {wanted or -1}"


def converted(column: str, before: str, after: str) -> str | None:
    """The expression that turns values of one type into another's; None where none is needed.

    Args:
        column: its name, quoted.
        before: the type's name, without length or precision.
        after: the new one's.
    """
    if before == after or any({before, after} <= family for family in _FAMILIES):
        return None
    array = "[]" if before.endswith("[]") and after.endswith("[]") else ""
    direct = any({before, after} <= pair for pair in _EXPLICIT) or bool({before, after} & _TEXT)
    return f"{column}::{after}" if direct else f"{column}::text{array}::{after}"


def _type(expected: Item, found: Item) -> str:
    facts = expected.facts
    words = facts["type"]
    if "collation" in facts:
        words += f" COLLATE {facts['collation']}"
    before, after = found.texts["base_type"], expected.texts["base_type"]
    using = converted(quoted(expected.key[2]), before, after)
    return words if using is None else f"{words} USING {using}"


def _not_null(expected: Item, found: Item, column: str, major: int) -> tuple[str, ...]:
    wanted, there = expected.facts["not_null"], found.facts["not_null"]
    if wanted == "nullable":
        return (f"{column} DROP NOT NULL",)
    if wanted == "not null":
        # SET NOT NULL also validates one that is not; of one that is not inherited it complains.
        first = (f"{column} DROP NOT NULL",) if " no inherit" in there else ()
        return (*first, f"{column} SET NOT NULL")
    first = () if there == "nullable" else (f"{column} DROP NOT NULL",)
    if major < _FIRST_WITH_NOT_NULL_CONSTRAINTS:
        return (*first, f"{column} SET NOT NULL")
    table, name = public(expected.key[1]), quoted(expected.key[2])
    rest = wanted.removeprefix("not null").upper()
    return (*first, f"ALTER TABLE {table} ADD NOT NULL {name}{rest}")


def _identity(expected: Item, found: Item, column: str) -> tuple[str, ...]:
    if "identity" not in expected.facts:
        return (f"{column} DROP IDENTITY",)
    if "identity" not in found.facts:
        return (f"{column} ADD GENERATED {identity(expected)}", _go_on(expected))
    when = expected.texts["identity"].upper()
    wanted = Sequence.parsed(expected.texts["sequence"]).all_options()
    changes = " ".join(f"SET {option}" for option in wanted)
    return (f"{column} SET GENERATED {when} {changes}",)


def _go_on(column: Item) -> str:
    """Let the new sequence go on after the values that are there already."""
    table, name = public(column.key[1]), quoted(column.key[2])
    sequence = f"pg_catalog.pg_get_serial_sequence({literal(table)}, {literal(column.key[2])})"
    return (
        f"SELECT pg_catalog.setval({sequence}, pg_catalog.max({name})) FROM {table} "  # noqa: S608 - quoted
        f"HAVING pg_catalog.max({name}) IS NOT NULL"
    )
