"""A fingerprint of what each table holds: equal in source and copy only if the rows are.

Every row is hashed (`bounty_ops.postgres.row_hash` says how), and the sum over all rows, modulo
2^64, is the fingerprint. Order does not matter to a sum, and unlike XOR it does not cancel rows
that occur twice. The hash of a whole record will not do: it holds the OIDs of enum types, which are
others after a restore.

How sure: if the hash behaves like a random one (`hash_bytes_extended` is Bob Jenkins' lookup3,
with a 64-bit seed mixed in first), a difference goes unseen with a probability of less than 2^-62.
It is no protection against a forger: for that the archive has its SHA-256.

One sequential scan a table, at the server and by as many of its processes as it allows; no row
leaves it. It costs about as much as COPY does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.postgres.relations import Relation, list_relations, query
from bounty_ops.postgres.row_hash import ROW_HASHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import psycopg
    from psycopg.rows import TupleRow

#: Names the formula of new fingerprints; two are comparable only under the same one.
FORMULA: Final = "valuesum2"
_MODULUS: Final = 1 << 64

#: The record under which all large objects of a database are counted and hashed.
LARGE_OBJECTS: Final = ("pg_catalog", "pg_largeobject")

_STATEMENT: Final = sql.SQL(
    "SELECT pg_catalog.count(*), coalesce(pg_catalog.sum({row}), 0) FROM ONLY {table} {condition}"
)
_COUNT: Final = sql.SQL("SELECT pg_catalog.count(*), 0 FROM ONLY {table} {condition}")


@dataclass(frozen=True)
class TableFingerprint:
    """What a table held in one snapshot."""

    schema: str
    name: str
    rows: int
    fingerprint: str | None
    """None where only rows were counted."""


@dataclass(frozen=True)
class _Sum:
    rows: int = 0
    hashes: int = 0

    def plus(self, other: _Sum) -> _Sum:
        return _Sum(self.rows + other.rows, self.hashes + other.hashes)

    def named(self, schema: str, name: str, formula: str) -> TableFingerprint:
        fingerprint = f"{formula}:{self.hashes % _MODULUS:016x}"
        return TableFingerprint(schema, name, self.rows, fingerprint)


def formula_of(fingerprint: str) -> str:
    """The formula that a fingerprint was made by."""
    return fingerprint.partition(":")[0]


def formula_for(fingerprints: Iterable[str | None]) -> str:
    """The formula by which a copy is read to be compared with these fingerprints."""
    named = {formula_of(one) for one in fingerprints if one is not None}
    known = named & ROW_HASHES.keys()
    return known.pop() if len(known) == 1 else FORMULA


def fingerprint_tables(
    connection: psycopg.Connection[TupleRow],
    relations: Sequence[Relation] | None = None,
    *,
    formula: str = FORMULA,
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
        formula: that of the fingerprints that these are to be compared with.
        progress: called with the number of rows hashed so far.
    """
    if relations is None:
        relations = list_relations(connection)
    sums: dict[Relation, _Sum] = {}
    rows = 0
    for table, unit in units(relations):
        found = _fingerprint(connection, table, formula)
        sums[unit] = sums.get(unit, _Sum()).plus(found)
        rows += found.rows
        if progress is not None:
            progress(rows)
    fingerprints = [total.named(unit.schema, unit.name, formula) for unit, total in sums.items()]
    large = _Sum(*_one_row(connection, query("large_objects.sql")))
    if large.rows:
        fingerprints.append(large.named(*LARGE_OBJECTS, formula))
    return tuple(sorted(fingerprints, key=lambda each: (each.schema, each.name)))


def count_tables(
    connection: psycopg.Connection[TupleRow], relations: Sequence[Relation] | None = None
) -> tuple[TableFingerprint, ...]:
    """As `fingerprint_tables`, but only the number of rows: much cheaper, and proof of little."""
    if relations is None:
        relations = list_relations(connection)
    counts: dict[Relation, int] = {}
    for table, unit in units(relations):
        statement = _COUNT.format(
            table=table.identifier(), condition=sql.SQL(table.condition or "")
        )
        counts[unit] = counts.get(unit, 0) + _one_row(connection, statement)[0]
    counted = [TableFingerprint(one.schema, one.name, rows, None) for one, rows in counts.items()]
    large, _ = _one_row(
        connection, sql.SQL("SELECT pg_catalog.count(*), 0 FROM pg_catalog.pg_largeobject_metadata")
    )
    if large:
        counted.append(TableFingerprint(*LARGE_OBJECTS, large, None))
    return tuple(sorted(counted, key=lambda each: (each.schema, each.name)))


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


def _fingerprint(connection: psycopg.Connection[TupleRow], table: Relation, formula: str) -> _Sum:
    statement = _STATEMENT.format(
        row=ROW_HASHES[formula](table.columns),
        table=table.identifier(),
        # What an extension declares with pg_extension_config_dump; pg_dump appends it alike.
        condition=sql.SQL(table.condition or ""),
    )
    return _Sum(*_one_row(connection, statement))


def _one_row(
    connection: psycopg.Connection[TupleRow], statement: sql.SQL | sql.Composed
) -> tuple[int, int]:
    row = connection.execute(statement).fetchone()
    if row is None:  # an aggregate without GROUP BY always has one row
        message = "the server answered an aggregate with no row"
        raise AssertionError(message)
    return int(row[0]), int(row[1])
