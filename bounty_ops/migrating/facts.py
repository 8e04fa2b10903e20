"""What a database says about its own state, read in one read-only visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError
from bounty_ops.migrating.errors import EditedRevisionError
from bounty_ops.migrating.lineage import VERSION_SCHEMA, VERSION_TABLE
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.running.bookkeeping import APPLIED, STEPS
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revisions

_IDENTITY: Final = """
    SELECT oid, EXISTS (
        SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relname = %s)
    FROM pg_catalog.pg_database WHERE datname = current_database()
"""
_READABLE: Final = """
    SELECT c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = ANY(%s)
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
"""
_APPLIED: Final = f"""
    SELECT revision, sha256, digest FROM {VERSION_SCHEMA}.{APPLIED} ORDER BY revision
"""  # noqa: S608 - constants
_BEGUN: Final = f"""
    SELECT DISTINCT revision, '', digest FROM {VERSION_SCHEMA}.{STEPS} ORDER BY revision
"""  # noqa: S608 - constants
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
    applied: tuple[AppliedRevision, ...] = ()
    """What is known of the files that were applied; older versions of ours did not write it."""
    begun: tuple[AppliedRevision, ...] = ()
    """Revisions that a runner left in the middle; only those that need several steps."""


@dataclass(frozen=True)
class AppliedRevision:
    """A revision as the database remembers it."""

    revision: str
    sha256: str
    digest: str | None
    """Of the plan that it was applied for."""


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
        readable = {
            name for (name,) in connection.execute(_READABLE, (VERSION_SCHEMA, [APPLIED, STEPS]))
        }
        applied = connection.execute(_APPLIED).fetchall() if APPLIED in readable else []
        begun = connection.execute(_BEGUN).fetchall() if STEPS in readable else []
    return DatabaseFacts(
        address=url.address(),
        oid=oid,
        revision=revision,
        existing_tables=tables,
        applied=tuple(AppliedRevision(*row) for row in applied),
        begun=tuple(AppliedRevision(*row) for row in begun),
    )


def require_unedited(facts: DatabaseFacts, revisions: Revisions) -> None:
    """Raise EditedRevisionError when a file is no longer what it was when it was applied."""
    here = {revision.id: revision.sha256 for revision in revisions.order}
    for applied in facts.applied:
        if here.get(applied.revision, applied.sha256) != applied.sha256:
            raise EditedRevisionError(
                f"{facts.address} has had another {applied.revision} than the file that is here: "
                "it was edited after it was applied",
                hint="Bring the file back as it was, and put the change into a new revision.",
            )


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
