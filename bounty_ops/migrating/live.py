"""What a live database is like at this moment: its schema's fingerprint, and its tables' sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

#: What an extension brought along is nobody's data, and neither is what we keep in our own schema.
_TABLES: Final = """
    SELECT n.nspname, c.relname, pg_catalog.pg_total_relation_size(c.oid), c.reltuples::bigint,
           ARRAY(SELECT i.relname FROM pg_catalog.pg_index x
                 JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
                 WHERE x.indrelid = c.oid ORDER BY i.relname)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'bounty_ops')
      AND n.nspname !~ '^pg_'
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
            AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""


@dataclass(frozen=True)
class LiveTable:
    """A table, as large as it is now."""

    schema: str
    name: str
    size_bytes: int
    """With its indexes and what lies beside it."""
    rows: int | None
    """As the planner estimates them; None: it was never asked to."""
    indexes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name alone for a table of ``public``, else with its schema."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class LiveDatabase:
    """What gates and predictions ask of the database itself."""

    server_major: int
    server_version: str
    tables: tuple[LiveTable, ...]

    @property
    def empty(self) -> bool:
        """Whether there is no table of anybody's, and so nothing to lose."""
        return not self.tables


def schema_fingerprint(url: DatabaseUrl) -> str:
    """Return what stands for the schema ``public`` as it is now.

    Raises PostgresError when the database cannot be asked.
    """
    with connect(url, application_name=APPLICATION_NAME, read_only=True) as connection:
        return read_catalog(connection).fingerprint


def read_live(connection: Connection[TupleRow]) -> LiveDatabase:
    """Ask a database for its version and its tables; psycopg's errors."""
    server = server_facts(connection)
    rows = connection.execute(_TABLES).fetchall()
    return LiveDatabase(
        server_major=server.major,
        server_version=server.version,
        tables=tuple(
            LiveTable(schema, name, size, rows if rows >= 0 else None, tuple(indexes))
            for schema, name, size, rows, indexes in rows
        ),
    )
