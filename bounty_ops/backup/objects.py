"""Which objects a backup consists of: one archive, and one more for each large table's rows.

pg_dump writes a table after the other into one pipe, and pg_restore has to read through all of a
piped archive to find a table in it, since it holds no offsets. With objects of their own, large
tables are dumped, sent, fetched and restored side by side. A small database stays one archive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.journal import layout
from bounty_ops.journal.records import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.backup.plan import BackupPlan
    from bounty_ops.postgres.relations import Relation

#: More shards would not make anything faster; the largest tables get one.
MOST_SHARDS: Final = 200


@dataclass(frozen=True)
class DumpObject:
    """One object: what goes into it, and where it lies."""

    key: str
    arguments: tuple[str, ...]
    """Of pg_dump, besides those that all objects share."""
    table: TableName | None = None
    """Whose rows a shard holds; None for the archive."""


def dump_objects(plan: BackupPlan, large: Sequence[Relation]) -> tuple[DumpObject, ...]:
    """The archive, then the shards of these tables. Pure."""
    place = (plan.environment, plan.id)
    encrypted = bool(plan.encrypt_to)
    archive = DumpObject(
        key=layout.archive_key(*place, encrypted=encrypted),
        arguments=tuple(f"--exclude-table-data={pattern(table)}" for table in large),
    )
    shards = (
        DumpObject(
            key=layout.shard_key(*place, number, encrypted=encrypted),
            arguments=("--section=data", "--strict-names", f"--table={pattern(table)}"),
            table=TableName(schema_name=table.schema, name=table.name),
        )
        for number, table in enumerate(large, start=1)
    )
    return (archive, *shards)


def pattern(table: Relation) -> str:
    """The pattern by which pg_dump finds exactly this table: what is quoted has no wildcards."""
    names = (name.replace('"', '""') for name in (table.schema, table.name))
    return ".".join(f'"{name}"' for name in names)


def large_tables(
    connection: psycopg.Connection[TupleRow], relations: Sequence[Relation], *, above_bytes: float
) -> list[Relation]:
    """The tables that get an object of their own, largest first.

    The rows of an extension's own table are dumped by a condition that a shard would lose, so
    those stay in the archive.
    """
    candidates = {
        table.oid: table
        for table in relations
        if not table.is_partitioned and table.condition is None
    }
    rows = connection.execute(
        "SELECT oid::bigint FROM pg_catalog.unnest(%s::oid[]) AS oid"
        " WHERE pg_catalog.pg_table_size(oid) > %s"
        " ORDER BY pg_catalog.pg_table_size(oid) DESC, oid LIMIT %s",
        [list(candidates), int(above_bytes), MOST_SHARDS],
    ).fetchall()
    return [candidates[oid] for (oid,) in rows]
