"""The tables of a database before a migration: what may be blocked, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

#: A partitioned table is as large as its partitions. Foreign tables are somebody else's, and
#: asking them would reach the network.
_TABLES: Final = """
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind = 'm',
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       CASE WHEN c.relkind = 'p'
            THEN coalesce((SELECT sum(pg_catalog.pg_table_size(t.relid))
                             FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf), 0)::bigint
            ELSE coalesce(pg_catalog.pg_table_size(c.oid), 0) END
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname <> 'information_schema'
 ORDER BY c.oid
"""
#: What decides what a migration does to values: a timestamp that becomes a timestamptz is
#: rewritten in every time zone but UTC.
_CARRIED_OVER: Final = ("TimeZone", "IntervalStyle")


@dataclass(frozen=True)
class Table:
    """A table or a materialized view."""

    oid: int
    schema: str
    name: str
    is_view: bool
    label: str
    """Schema-qualified, quoted where needed."""
    size_bytes: int
    """Of its rows, without indexes."""

    def identifier(self) -> sql.Identifier:
        """Schema and name, for a statement."""
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Live:
    """What a rehearsal needs to know of the live database; empty if it could not be asked."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Label of the table to its bytes."""
    settings: dict[str, str] = field(default_factory=dict)
    major: int | None = None
    """Of its server."""


def read_tables(connection: psycopg.Connection[TupleRow]) -> tuple[Table, ...]:
    """Return every table that there is, but for PostgreSQL's own."""
    return tuple(Table(*row) for row in connection.execute(_TABLES))


def read_live(url: DatabaseUrl, application_name: str) -> Live:
    """Look at the live database, in one read-only visit.

    Raises PostgresError when it cannot be asked.
    """
    with connect(url, application_name=application_name, read_only=True) as connection:
        sizes = {table.label: table.size_bytes for table in read_tables(connection)}
        rows = connection.execute(
            "SELECT name, setting FROM pg_catalog.pg_settings WHERE name = ANY (%s)",
            [list(_CARRIED_OVER)],
        ).fetchall()
        major = server_facts(connection).major
    return Live(sizes, dict(rows), major)
