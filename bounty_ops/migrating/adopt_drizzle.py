"""What Drizzle says about itself in a database. It is read; nothing of Drizzle's is ever written.

`drizzle-kit migrate` applies what is newer than the newest row of its journal, whatever the hash: a
row of ours in there would make it skip a migration of Bounty's, and exit with 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

_JOURNAL: Final = "__drizzle_migrations"
_FIND: Final = """
    SELECT n.nspname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = %s AND c.relkind = 'r'
    ORDER BY n.nspname <> 'drizzle', n.nspname LIMIT 1
"""
_READ: Final = sql.SQL("SELECT hash, created_at FROM {} ORDER BY created_at, id")


@dataclass(frozen=True)
class DrizzleJournal:
    """The migrations that `drizzle-kit migrate` has applied."""

    schema: str
    hashes: tuple[str, ...]
    """SHA-256 of each migration's file, the oldest first."""
    newest: datetime | None
    """When the newest of them was generated."""

    def document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "schema": self.schema,
            "migrations": len(self.hashes),
            "hashes": list(self.hashes),
            "newest": self.newest,
        }


def read_drizzle_journal(url: DatabaseUrl) -> DrizzleJournal | None:
    """Read Drizzle's journal; None where it has none, as after nothing but `drizzle-kit push`.

    Raises PostgresError.
    """
    with connect(url, application_name=APPLICATION_NAME, read_only=True) as connection:
        found = connection.execute(_FIND, [_JOURNAL]).fetchone()
        if found is None:
            return None
        schema = str(found[0])
        rows = connection.execute(_READ.format(sql.Identifier(schema, _JOURNAL))).fetchall()
    newest = max((row[1] for row in rows if row[1] is not None), default=None)
    return DrizzleJournal(
        schema=schema,
        hashes=tuple(str(row[0]) for row in rows),
        newest=None if newest is None else datetime.fromtimestamp(int(newest) / 1000, UTC),
    )
