"""Whether a reconcile revision has anything to do in a database.

Stable: revision files import this for as long as there are databases that have not had them.

A reconcile revision brings one database that grew without migrations to where the migrations lead.
Every other database is there already. So the one it was written for is marked when it is adopted,
in a table of ours in that database (a copy or a restore of it carries the mark along), and in every
other one the revision does nothing. A fingerprint in the file could not decide that: how a schema
is fingerprinted may change with a later version of this program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alembic import op
from psycopg import sql

from bounty_ops.migrating.lineage import VERSION_SCHEMA
from bounty_ops.migrating.running.session import raw_connection

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

TABLE: Final = "adoption"
_NAME: Final = sql.Identifier(VERSION_SCHEMA, TABLE)
_CREATE: Final = sql.SQL(
    "CREATE TABLE IF NOT EXISTS {} (revision text PRIMARY KEY, fingerprint text NOT NULL,"
    " adopted_at timestamp with time zone NOT NULL DEFAULT statement_timestamp())"
)
_MARK: Final = sql.SQL(
    "INSERT INTO {} (revision, fingerprint) VALUES (%s, %s) ON CONFLICT (revision) DO NOTHING"
)
_MARKED: Final = sql.SQL("SELECT 1 FROM {} WHERE revision = %s")


def adopted(revision: str) -> bool:
    """Whether this is a database that the reconcile revision (the first of them) was written for.

    On paper it always is: its SQL has to be read, linted and planned.
    """
    context = op.get_context()
    if context.as_sql:
        return True
    return is_marked(raw_connection(op.get_bind()), revision)


def is_marked(connection: psycopg.Connection[TupleRow], revision: str) -> bool:
    """Whether a reconcile revision has been meant for this database."""
    there = connection.execute(
        "SELECT pg_catalog.to_regclass(%s)", [f"{VERSION_SCHEMA}.{TABLE}"]
    ).fetchone()
    if there is None or there[0] is None:
        return False
    return connection.execute(_MARKED.format(_NAME), [revision]).fetchone() is not None


def mark(connection: psycopg.Connection[TupleRow], revision: str, fingerprint: str) -> None:
    """Say in the database that a reconcile revision is meant for it."""
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(_schema()))
    connection.execute(_CREATE.format(_NAME))
    connection.execute(_MARK.format(_NAME), [revision, fingerprint])


def _schema() -> sql.Identifier:
    return sql.Identifier(VERSION_SCHEMA)
