"""Letting Alembic work: on a database, or on paper."""

from __future__ import annotations

import functools
import threading
from io import StringIO
from typing import TYPE_CHECKING, Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from bounty_ops.errors import MigrationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alembic.runtime.migration import MigrationContext, RevisionStep, StampStep
    from sqlalchemy import Connection

    from bounty_ops.migrating.running.bookkeeping import Cause
    from bounty_ops.migrating.running.conductor import Conductor

_ONE_AT_A_TIME: Final = threading.Lock()
"""Alembic keeps what it is working on in module globals: ``alembic.context``, ``alembic.op``."""


def render_sql(directory: Path, previous: str | None, revision: str) -> str:
    """Return the SQL of one migration, without any database."""
    paper = StringIO()
    with _ONE_AT_A_TIME:
        command.upgrade(
            _config(directory, paper=paper),
            f"{previous or 'base'}:{revision}",
            sql=True,
        )
    return paper.getvalue().strip() + "\n"


def render_downgrade_sql(directory: Path, previous: str | None, revision: str) -> str:
    """Return the SQL that takes one migration back, without any database."""
    paper = StringIO()
    with _ONE_AT_A_TIME:
        command.downgrade(
            _config(directory, paper=paper),
            f"{revision}:{previous or 'base'}",
            sql=True,
        )
    return paper.getvalue().strip() + "\n"


def step_of(
    connection: Connection, directory: Path, revision: str, *, cause: Cause, conductor: Conductor
) -> None:
    """Run one migration, forward or back, over a connection without a transaction.

    Raises SQLAlchemy's errors: the caller knows which of them are worth another attempt. Nothing
    is done when the database is there already.
    """
    config = _config(directory, connection=connection, cause=cause)
    script = ScriptDirectory.from_config(config)

    def steps(heads: tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        # The version table may have been made just now; the revision's transaction is its own.
        connection.commit()
        # What alembic.command.upgrade and downgrade do; they too hand over a tuple, untyped.
        current: Any = heads
        if cause.direction == "upgrade":
            found = script._upgrade_revs(revision, current)  # noqa: SLF001 - there is no other way
        else:
            previous = script.get_revision(revision).down_revision
            found = script._downgrade_revs(str(previous or "base"), current)  # noqa: SLF001 - same
        if len(found) > 1:
            raise MigrationError(
                f"{revision} is {len(found)} revisions away from where the database is",
                hint="Plan again; somebody else has moved it.",
            )
        for step in found:
            step.migration_fn = _conducted(step.migration_fn, conductor)
        return found

    with _ONE_AT_A_TIME, EnvironmentContext(config, script, fn=steps, as_sql=False):
        script.run_env()


def stamp_as(connection: Connection, directory: Path, revision: str, *, cause: Cause) -> None:
    """Write down that the database is at ``revision``, without running anything."""
    config = _config(directory, connection=connection, cause=cause)
    script = ScriptDirectory.from_config(config)

    def steps(heads: tuple[str, ...], _: MigrationContext) -> list[StampStep]:
        return script._stamp_revs((revision,), heads)  # noqa: SLF001 - as alembic.command.stamp

    with _ONE_AT_A_TIME, EnvironmentContext(config, script, fn=steps, as_sql=False):
        script.run_env()


def _conducted(function: Callable[[], None], conductor: Conductor) -> Callable[[], None]:
    @functools.wraps(function)
    def run() -> None:
        with conductor.conducting():
            function()

    return run


def _config(
    directory: Path,
    *,
    connection: Connection | None = None,
    paper: StringIO | None = None,
    cause: Cause | None = None,
) -> Config:
    attributes: dict[str, object] = {"connection": connection}
    if cause is not None:
        attributes["cause"] = cause
    config = Config(output_buffer=paper, attributes=attributes)
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
