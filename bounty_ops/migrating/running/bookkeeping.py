"""What the runner writes down in the database itself, beside Alembic's version table.

``applied_revision`` says which file made the schema what it is, in the transaction of the version
row: neither is ever there without the other. ``revision_step`` says how far a revision came that
cannot run in one transaction; its rows go when the revision is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from bounty_ops.migrating.lineage import VERSION_SCHEMA

if TYPE_CHECKING:
    import psycopg

APPLIED: Final = "applied_revision"
STEPS: Final = "revision_step"

_CREATE: Final[dict[str, str]] = {
    APPLIED: f"""
        CREATE TABLE {VERSION_SCHEMA}.{APPLIED} (
            revision text PRIMARY KEY,
            sha256 text NOT NULL,
            applied_at timestamp with time zone NOT NULL DEFAULT statement_timestamp(),
            direction text NOT NULL,
            digest text,
            record_id text)
    """,
    STEPS: f"""
        CREATE TABLE {VERSION_SCHEMA}.{STEPS} (
            revision text,
            direction text,
            number integer,
            sha256 text NOT NULL,
            state text NOT NULL,
            rows bigint,
            digest text,
            at timestamp with time zone NOT NULL DEFAULT statement_timestamp(),
            PRIMARY KEY (revision, direction, number))
    """,
}
_THERE: Final = """
    SELECT c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY(%s)
"""
_FIND: Final = f"""
    SELECT sha256, state, rows FROM {VERSION_SCHEMA}.{STEPS}
    WHERE revision = %s AND direction = %s AND number = %s
"""  # noqa: S608 - constants
_NOTE: Final = f"""
    INSERT INTO {VERSION_SCHEMA}.{STEPS} (revision, direction, number, sha256, state, rows, digest)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (revision, direction, number) DO UPDATE
    SET sha256 = excluded.sha256, state = excluded.state, rows = excluded.rows,
        digest = excluded.digest, at = excluded.at
"""  # noqa: S608 - constants
_FORGET_STEPS: Final = f"DELETE FROM {VERSION_SCHEMA}.{STEPS} WHERE revision = %s"  # noqa: S608 - constants
_APPLIED: Final = f"""
    INSERT INTO {VERSION_SCHEMA}.{APPLIED} (revision, sha256, direction, digest, record_id)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (revision) DO UPDATE
    SET sha256 = excluded.sha256, applied_at = excluded.applied_at,
        direction = excluded.direction, digest = excluded.digest, record_id = excluded.record_id
"""  # noqa: S608 - constants
_TAKEN_BACK: Final = f"DELETE FROM {VERSION_SCHEMA}.{APPLIED} WHERE revision = %s"  # noqa: S608 - constants


@dataclass(frozen=True)
class Cause:
    """What a revision was run for."""

    direction: Literal["upgrade", "downgrade", "stamp"] = "upgrade"
    digest: str | None = None
    """Of the plan; whoever carries the same one out may go on where it was left."""
    record_id: str | None = None


def create_missing(connection: psycopg.Connection[Any]) -> None:
    """Create the tables that are not there yet; the caller commits."""
    names = [APPLIED, STEPS]
    there = {name for (name,) in connection.execute(_THERE, (VERSION_SCHEMA, names))}
    for name in names:
        if name not in there:
            connection.execute(_CREATE[name].encode())


def note_applied(
    connection: psycopg.Connection[Any],
    revision: str,
    sha256: str,
    cause: Cause,
) -> None:
    """Write down which file was applied, and forget the steps to it."""
    connection.execute(_FORGET_STEPS, (revision,))
    row = (revision, sha256, cause.direction, cause.digest, cause.record_id)
    connection.execute(_APPLIED, row)


def note_taken_back(connection: psycopg.Connection[Any], revision: str) -> None:
    """Forget that a revision was applied, and the steps back."""
    connection.execute(_FORGET_STEPS, (revision,))
    connection.execute(_TAKEN_BACK, (revision,))


class Step(NamedTuple):
    """How far a statement came that runs outside of the revision's transaction."""

    sha256: str
    state: str
    """``begun`` or ``done``"""
    rows: int | None


class Steps:
    """The statements of one revision that run outside of its transaction."""

    def __init__(self, connection: psycopg.Connection[Any], revision: str, cause: Cause) -> None:
        self._connection = connection
        self._key = (revision, cause.direction)
        self._digest = cause.digest

    def find(self, number: int) -> Step | None:
        """Return what an earlier try has left about a statement."""
        row = self._connection.execute(_FIND, (*self._key, number)).fetchone()
        return None if row is None else Step(*row)

    def begun(self, number: int, sha256: str) -> None:
        """Write down that a statement is about to be sent."""
        self._connection.execute(_NOTE, (*self._key, number, sha256, "begun", None, self._digest))

    def done(self, number: int, sha256: str, rows: int | None) -> None:
        """Write down that it has been carried out, in the transaction in which it was."""
        self._connection.execute(_NOTE, (*self._key, number, sha256, "done", rows, self._digest))
