"""A fingerprint of what each table holds: equal in source and copy only if the rows are.

For every row, PostgreSQL writes ``ROW(columns by name)::text`` and hashes it twice, by
``hashtextextended`` with two seeds. The two sums over all rows, modulo 2^64, are the fingerprint:
128 bits, whatever the order of the rows. Addition, unlike XOR, does not cancel duplicates.

Why the text and not the binary form: the hash of a record holds the OIDs of enum types, which are
others after a restore. In the text a missing value is nothing and an empty one is ``""``, a numeric
keeps its scale, and an array its bounds.

How sure: to two different contents the same fingerprint belongs with a probability of about
2^-128, if the hash behaves like a random one (`hash_bytes_extended` is Bob Jenkins' lookup3 with
a 64-bit seed mixed in first; the two seeds stand for two independent functions). It is no
protection against a forger: for that the archive has its SHA-256.

One sequential scan a table, at the server; no row leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.postgres.relations import Relation, list_relations, query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import psycopg
    from psycopg.rows import TupleRow

#: Names the formula; two fingerprints are comparable only under the same one.
FORMULA: Final = "rowsum1"
_MODULUS: Final = 1 << 64

#: The record under which all large objects of a database are counted and hashed.
LARGE_OBJECTS: Final = ("pg_catalog", "pg_largeobject")

# OFFSET 0 keeps the row's text in a subquery, so that it is written once and hashed twice.
_STATEMENT: Final = sql.SQL(
    "SELECT pg_catalog.count(*),"
    " coalesce(pg_catalog.sum(pg_catalog.hashtextextended(body, 1)), 0),"
    " coalesce(pg_catalog.sum(pg_catalog.hashtextextended(body, 2)), 0)"
    ' FROM (SELECT ROW({columns})::text COLLATE "C" AS body FROM ONLY {table} {condition} OFFSET 0)'
    " AS described"
)


@dataclass(frozen=True)
class TableFingerprint:
    """What a table held in one snapshot."""

    schema: str
    name: str
    rows: int
    fingerprint: str


@dataclass(frozen=True)
class _Sums:
    rows: int = 0
    first: int = 0
    second: int = 0

    def plus(self, other: _Sums) -> _Sums:
        return _Sums(self.rows + other.rows, self.first + other.first, self.second + other.second)

    def named(self, schema: str, name: str) -> TableFingerprint:
        digits = f"{self.first % _MODULUS:016x}{self.second % _MODULUS:016x}"
        return TableFingerprint(schema, name, self.rows, f"{FORMULA}:{digits}")


def formula_of(fingerprint: str) -> str:
    """The formula that a fingerprint was made by."""
    return fingerprint.partition(":")[0]


def fingerprint_tables(
    connection: psycopg.Connection[TupleRow],
    relations: Sequence[Relation] | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[TableFingerprint, ...]:
    """Fingerprint every table of a database, in the transaction that the connection is in.

    The session's settings must be pinned (`bounty_ops.postgres.pinned`). Partitioned tables hold
    no rows themselves; their partitions count one by one, except below a hash-partitioned table:
    there a restore may put rows elsewhere (the hash of an enum is that of its OID), and the
    partitions are added up under the name of that table. Large objects count as one table more.

    Args:
        connection: with privileges on all of them, and `row_security` off.
        relations: the tables, when they are known already.
        progress: called with the number of rows hashed so far.
    """
    if relations is None:
        relations = list_relations(connection)
    sums: dict[Relation, _Sums] = {}
    rows = 0
    for table, unit in units(relations):
        found = _fingerprint(connection, table)
        sums[unit] = sums.get(unit, _Sums()).plus(found)
        rows += found.rows
        if progress is not None:
            progress(rows)
    fingerprints = [total.named(unit.schema, unit.name) for unit, total in sums.items()]
    large = _Sums(*_one_row(connection, query("large_objects.sql")))
    if large.rows:
        fingerprints.append(large.named(*LARGE_OBJECTS))
    return tuple(sorted(fingerprints, key=lambda each: (each.schema, each.name)))


def units(relations: Iterable[Relation]) -> list[tuple[Relation, Relation]]:
    """Each table that holds rows, with the one under whose name they are counted.

    A hash-partitioned table without partitions appears nowhere: it cannot hold a row.
    """
    by_oid = {relation.oid: relation for relation in relations}
    found = []
    for relation in by_oid.values():
        if relation.is_partitioned:
            continue
        unit = ancestor = relation
        while ancestor.parent_oid is not None and ancestor.parent_oid in by_oid:
            ancestor = by_oid[ancestor.parent_oid]
            if ancestor.hash_partitioned:
                unit = ancestor
        found.append((relation, unit))
    return found


def _fingerprint(connection: psycopg.Connection[TupleRow], table: Relation) -> _Sums:
    statement = _STATEMENT.format(
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        table=table.identifier(),
        # What an extension declares with pg_extension_config_dump; pg_dump appends it alike.
        condition=sql.SQL(table.condition or ""),
    )
    return _Sums(*_one_row(connection, statement))


def _one_row(
    connection: psycopg.Connection[TupleRow], statement: sql.SQL | sql.Composed
) -> tuple[int, int, int]:
    row = connection.execute(statement).fetchone()
    if row is None:  # an aggregate without GROUP BY always has one row
        message = "the server answered an aggregate with no row"
        raise AssertionError(message)
    return int(row[0]), int(row[1]), int(row[2])
