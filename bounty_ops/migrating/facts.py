"""What a database says about its own state, read in one read-only visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError
from bounty_ops.migrating.lineage import VERSION_SCHEMA, VERSION_TABLE
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lineage import Lineage

_IDENTITY: Final = """
    SELECT oid, EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relname = %s)
    FROM pg_catalog.pg_database WHERE datname = current_database()
"""
_EXISTING: Final = """
    SELECT c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY(%s)
    ORDER BY c.relname
"""


@dataclass(frozen=True)
class DatabaseFacts:
    """What planning needs to know of a database."""

    address: str
    oid: int
    """Changes when the database is dropped and created again under its old name."""
    revision: str | None
    existing_tables: tuple[str, ...]
    """Those of the line's tables that are there."""


def read_facts(url: DatabaseUrl, lineage: Lineage) -> DatabaseFacts:
    """Ask the database for its revision and for the line's tables in it.

    Raises PostgresError when it cannot be asked, and MigrationError when its version table makes
    no sense.
    """
    with connect(url, application_name=APPLICATION_NAME, read_only=True) as connection:
        row = connection.execute(_IDENTITY, (VERSION_SCHEMA, VERSION_TABLE)).fetchone()
        oid, versioned = row if row is not None else (0, False)
        existing = connection.execute(_EXISTING, (lineage.schema, sorted(lineage.table_names())))
        tables = tuple(name for (name,) in existing)
        revision = _revision(connection, url) if versioned else None
    return DatabaseFacts(address=url.address(), oid=oid, revision=revision, existing_tables=tables)


def _revision(connection: Connection[TupleRow], url: DatabaseUrl) -> str | None:
    rows = connection.execute(f"SELECT version_num FROM {VERSION_SCHEMA}.{VERSION_TABLE}")  # noqa: S608 - constants
    revisions = sorted(revision for (revision,) in rows)
    if len(revisions) > 1:
        raise MigrationError(
            f"{url.address()} claims several revisions at once: {', '.join(revisions)}",
            hint=f"Find out which one is true and delete the others from "
            f"{VERSION_SCHEMA}.{VERSION_TABLE}.",
        )
    return revisions[0] if revisions else None
