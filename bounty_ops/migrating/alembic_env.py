"""What both ``env.py`` files do, driven by our runner or by Alembic's own command line."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import context
from alembic.script import Script
from sqlalchemy import Connection, text

from bounty_ops.environments import load_settings
from bounty_ops.errors import UsageError
from bounty_ops.migrating.lineage import BOUNTY, VERSION_SCHEMA, VERSION_TABLE
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.migrating.revisions import sha256_of_file
from bounty_ops.migrating.running import Limits
from bounty_ops.migrating.running.bookkeeping import (
    Cause,
    create_missing,
    note_applied,
    note_taken_back,
)
from bounty_ops.migrating.running.locks import BOOKKEEPING
from bounty_ops.migrating.running.session import raw_connection, working_session
from bounty_ops.postgres.connect import translated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from alembic.operations import MigrationScript
    from alembic.runtime.migration import MigrationContext, MigrationInfo

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lineage import Lineage

_NOT_DECLARED = """
    SELECT c.relname
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p')
      AND (c.relispartition OR EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
            AND d.deptype = 'e'))
"""


def run(lineage: Lineage) -> None:
    """Run what Alembic was asked for: the whole of an ``env.py``."""
    if context.is_offline_mode():
        _run_offline(lineage)
        return
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _run_online(lineage, connection)
        return
    with _connection_of_settings(lineage) as own:
        _run_online(lineage, own)


def options(lineage: Lineage, connection: Connection | None) -> dict[str, Any]:
    """Return how Alembic is configured for a line of migrations; used by comparisons too."""
    return {
        "target_metadata": lineage.metadata,
        "version_table": VERSION_TABLE,
        "version_table_schema": VERSION_SCHEMA,
        # One transaction a revision: when the third fails, the first two stand, and so does
        # the record of them.
        "transaction_per_migration": True,
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": True,
        "include_name": _Filter(lineage, connection),
        "process_revision_directives": _Numbering(lineage),
    }


def prepare(connection: Connection) -> None:
    """Make a connection ready for migrations, and leave no transaction open on it.

    Alembic takes a transaction that was begun before for somebody else's and commits nothing:
    it would report success and lose everything.
    """
    # Tables are created by unqualified names. A role that has a schema of its own name would
    # otherwise get all of them there.
    connection.execute(text("SET search_path TO public"))
    connection.dialect.default_schema_name = "public"  # asked for before the path was set
    # CREATE SCHEMA IF NOT EXISTS wants the right to create even when there is nothing to do.
    known = text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :name")
    if connection.execute(known, {"name": VERSION_SCHEMA}).first() is None:
        connection.execute(text(f"CREATE SCHEMA {VERSION_SCHEMA}"))
    create_missing(raw_connection(connection))
    connection.commit()


def _run_online(lineage: Lineage, connection: Connection) -> None:
    prepare(connection)
    context.configure(
        connection=connection,
        on_version_apply=_Bookkeeping(context.config.attributes.get("cause", Cause())),
        **options(lineage, connection),
    )
    with context.begin_transaction():
        context.run_migrations()


def _run_offline(lineage: Lineage) -> None:
    context.configure(
        dialect_name="postgresql",
        literal_binds=True,
        **options(lineage, None),
    )
    if context.get_starting_revision_argument() is None:
        context.execute(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}")
    with context.begin_transaction():
        context.run_migrations()


@contextmanager
def _connection_of_settings(lineage: Lineage) -> Iterator[Connection]:
    """Connect for Alembic's own command line, under the same lock as the runner."""
    url = _url_of_settings(lineage)
    with (
        translated(url),
        migration_lock(url) as lock,
        working_session(url, Limits(), lock=lock) as connection,
    ):
        yield connection


def _url_of_settings(lineage: Lineage) -> DatabaseUrl:
    settings = load_settings()
    if lineage is not BOUNTY:
        return settings.require_ops_url()
    chosen = context.get_x_argument(as_dictionary=True).get("environment")
    environment = settings.environment(chosen)
    if environment.policy.protected:
        raise UsageError(
            f"environment {environment.name} is protected: Alembic's own command line would "
            "change it without a plan and without a record",
            hint=f"Use `bounty-ops db migrate -e {environment.name}`.",
        )
    return environment.require_url()


class _Bookkeeping:
    """Alembic's ``on_version_apply``: runs in the transaction of the version row."""

    def __init__(self, cause: Cause) -> None:
        self._cause = cause

    def __call__(
        self,
        ctx: MigrationContext,
        step: MigrationInfo,
        heads: Collection[Any],
        run_args: Mapping[str, Any],
    ) -> None:
        del heads, run_args
        if ctx.connection is None:
            return
        connection = raw_connection(ctx.connection)
        if not step.is_upgrade:
            for revision in step.up_revision_ids:
                note_taken_back(connection, revision)
            return
        scripts = step.up_revisions
        if step.is_stamp:  # everything up to there counts as applied
            scripts = tuple(step.revision_map.iterate_revisions(step.up_revision_ids, "base"))
        for script in scripts:
            if isinstance(script, Script):
                sha256 = sha256_of_file(Path(script.path))
                note_applied(connection, script.revision, sha256, cause=self._cause)


class _Filter:
    """Alembic's ``include_name``: what of the database takes part in a comparison.

    Only the line's own schema does. Otherwise a comparison would propose to drop Drizzle's
    journal, our own tables, and whatever an extension brought along.
    """

    def __init__(self, lineage: Lineage, connection: Connection | None) -> None:
        # Alembic calls the default schema None.
        self._schema = None if lineage.schema == "public" else lineage.schema
        self._connection = connection
        self._not_declared: frozenset[str] | None = None

    def __call__(self, name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
        if kind == "schema":
            return name == self._schema
        if kind == "table" and self._schema == VERSION_SCHEMA and name in BOOKKEEPING:
            return False
        return kind != "table" or name not in self._extensions_and_partitions()

    def _extensions_and_partitions(self) -> frozenset[str]:
        if self._not_declared is None:
            self._not_declared = (
                frozenset()
                if self._connection is None
                else frozenset(self._connection.scalars(text(_NOT_DECLARED)))
            )
        return self._not_declared


class _Numbering:
    """Alembic's ``process_revision_directives``: call the next revision ``bounty_0002``."""

    def __init__(self, lineage: Lineage) -> None:
        self._name = lineage.name

    def __call__(
        self,
        _context: MigrationContext,
        _revision: object,
        directives: list[MigrationScript],
    ) -> None:
        head = context.script.get_current_head()
        number = int(head.rpartition("_")[2]) + 1 if head else 1
        for directive in directives:
            directive.rev_id = f"{self._name}_{number:04d}"
