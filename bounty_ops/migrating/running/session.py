"""The connection that carries a revision out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from bounty_ops.postgres.connect import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from sqlalchemy import Connection, Engine

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lock import MigrationLock
    from bounty_ops.migrating.running.limits import Limits

APPLICATION_NAME: Final = "bounty-ops migrate (runner)"

#: For the session, not for a transaction: SET LOCAL would be forgotten by the next one.
#: A runner that is gone must not leave a server process behind that holds its locks: the server
#: looks after its client while it works, and does not wait for it for long in a transaction.
#: What was reported as committed must survive a crash of the server.
_SETTINGS: Final = """
    SELECT pg_catalog.set_config('lock_timeout', %(lock)s, false),
           pg_catalog.set_config('statement_timeout', %(statement)s, false),
           pg_catalog.set_config('idle_in_transaction_session_timeout', '5min', false),
           pg_catalog.set_config('client_connection_check_interval', '2s', false),
           pg_catalog.set_config('tcp_keepalives_idle', '30', false),
           pg_catalog.set_config('tcp_keepalives_interval', '10', false),
           pg_catalog.set_config('tcp_keepalives_count', '6', false),
           pg_catalog.set_config('synchronous_commit', CASE
               WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
               ELSE current_setting('synchronous_commit') END, false)
"""


@contextmanager
def working_session(
    url: DatabaseUrl,
    limits: Limits,
    *,
    lock: MigrationLock | None = None,
    attach: Callable[[Engine], None] = lambda _: None,
) -> Iterator[Connection]:
    """Open a connection for Alembic, with no transaction begun on it.

    With ``lock`` it is the only such connection to the database (see `MigrationLock.fence`).
    """
    own = engine(url, application_name=APPLICATION_NAME)
    attach(own)
    with own.connect() as connection:
        raw = raw_connection(connection)
        _prepare(raw, limits)
        if lock is not None:
            lock.fence(raw)
        yield connection


def raw_connection(connection: Connection) -> psycopg.Connection[Any]:
    """Return psycopg's connection below SQLAlchemy's."""
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


def _prepare(raw: psycopg.Connection[Any], limits: Limits) -> None:
    raw.execute(
        _SETTINGS,
        {
            "lock": f"{round(limits.lock_timeout_seconds * 1000)}ms",
            "statement": f"{round(limits.statement_timeout_seconds * 1000)}ms",
        },
    )
    raw.commit()
