"""Letting Alembic work: on a database, or on paper."""

from __future__ import annotations

import threading
from io import StringIO
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config

from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.postgres.connect import engine

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from bounty_ops.environments import DatabaseUrl

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


def upgrade_to(
    url: DatabaseUrl, directory: Path, revision: str, *, lock_timeout_seconds: float
) -> None:
    """Run the migrations up to ``revision``, each in its own transaction.

    Raises SQLAlchemy's errors: the caller knows which of them are worth another attempt.
    """
    with _connection(url, lock_timeout_seconds) as connection, _ONE_AT_A_TIME:
        command.upgrade(_config(directory, connection=connection), revision)


def downgrade_to(
    url: DatabaseUrl, directory: Path, revision: str | None, *, lock_timeout_seconds: float
) -> None:
    """Take back the migrations after ``revision``, or all of them.

    Raises SQLAlchemy's errors.
    """
    with _connection(url, lock_timeout_seconds) as connection, _ONE_AT_A_TIME:
        command.downgrade(_config(directory, connection=connection), revision or "base")


def _connection(url: DatabaseUrl, lock_timeout_seconds: float) -> Connection:
    connection = engine(url, application_name=APPLICATION_NAME).connect()
    try:
        # For the session, not for a transaction: SET LOCAL would be forgotten by the next
        # migration, and an ALTER TABLE that waits without limit stops everybody behind it.
        connection.exec_driver_sql(f"SET lock_timeout = '{round(lock_timeout_seconds * 1000)}ms'")
        connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection


def _config(
    directory: Path, *, connection: Connection | None = None, paper: StringIO | None = None
) -> Config:
    config = Config(output_buffer=paper, attributes={"connection": connection})
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
