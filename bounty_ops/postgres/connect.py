"""Opening connections, and translating every database error in one place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg.rows import tuple_row

from bounty_ops.postgres.diagnose import diagnose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.rows import TupleRow
    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl


#: A firewall that forgets a silent connection must not leave a backup holding its locks on the
#: server for hours, nor a migration waiting for an answer that never comes.
_KEEPALIVES: Final = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "6"}


@contextmanager
def connect(
    url: DatabaseUrl,
    *,
    application_name: str,
    autocommit: bool = True,
    read_only: bool = False,
    connect_timeout_seconds: int = 10,
    statement_timeout_ms: int | None = None,
    lock_timeout_ms: int | None = None,
) -> Iterator[psycopg.Connection[TupleRow]]:
    """One psycopg connection for the length of the block.

    Errors of psycopg, while connecting and inside the block, arrive as `PostgresError`. Without
    `autocommit` the block is one transaction: committed at its end, rolled back on an exception.

    Behind a transaction pooler neither timeouts nor `read_only` are set: they would stay with a
    connection of the server that the application is given next.

    Raises:
        ServerUnavailable: nobody answers, or no connection is left.
        AuthenticationFailed: the server refuses role, password, database or TLS mode.
        PostgresError: a statement in the block failed.
    """
    with translated(url):
        keywords = {
            **_KEEPALIVES,
            "connect_timeout": str(connect_timeout_seconds),
            **url.conninfo(),
            "application_name": application_name,
        }
        try:
            connection = psycopg.connect(
                "",
                autocommit=True,
                prepare_threshold=None,  # server-side prepared statements break behind poolers
                row_factory=tuple_row,
                **keywords,  # type: ignore[arg-type]  # libpq takes any keyword as text
            )
        except psycopg.Error as error:
            raise diagnose(error, url, connecting=True) from None
        with connection:
            settings = {
                "statement_timeout": _milliseconds(statement_timeout_ms),
                "lock_timeout": _milliseconds(lock_timeout_ms),
                "default_transaction_read_only": "on" if read_only else None,
            }
            _set(connection, url, {name: value for name, value in settings.items() if value})
            connection.autocommit = autocommit
            yield connection


def _milliseconds(count: int | None) -> str | None:
    return None if count is None else f"{count}ms"


def _set(
    connection: psycopg.Connection[TupleRow], url: DatabaseUrl, settings: dict[str, str]
) -> None:
    if not settings or transactions_are_pooled(connection, url):
        return
    for name, value in settings.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))


def transactions_are_pooled(connection: psycopg.Connection[TupleRow], url: DatabaseUrl) -> bool:
    """Whether a transaction pooler is in between, and no server or session pooler.

    A pooler announces a process id of its own making at the start of a session. If so: two
    sessions that are open at once are served by one server process only where the process goes
    back to the pool between transactions.

    Raises:
        PostgresError: the second session could not be opened.
    """
    served_by = {_backend(connection)}
    if served_by == {connection.info.backend_pid}:
        return False
    with connect(url, application_name="bounty-ops (probe)") as other, other.transaction():
        served_by.add(_backend(connection))
        other_served_by = _backend(other)
        served_by.add(_backend(connection))
    return other_served_by in served_by or len(served_by) > 1


def _backend(connection: psycopg.Connection[TupleRow]) -> int:
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def engine(url: DatabaseUrl, *, application_name: str, reuse: bool = False) -> Engine:
    """A SQLAlchemy engine for psycopg 3 that keeps no connection open between uses.

    With `reuse` it keeps them until its `dispose()`, for whoever asks many small things in a row.
    Its errors are SQLAlchemy's; wrap its use in `translated`.
    """
    from sqlalchemy import (  # noqa: PLC0415 - slow to import, not always used
        NullPool,
        QueuePool,
        create_engine,
    )

    return create_engine(
        url.sqlalchemy(),
        poolclass=QueuePool if reuse else NullPool,
        hide_parameters=True,  # bound values may be secrets, and errors end up in logs
        connect_args={
            **{name: value for name, value in _KEEPALIVES.items() if name not in url.conninfo()},
            "application_name": application_name,
            "connect_timeout": 10,
            "prepare_threshold": None,
        },
    )


@contextmanager
def translated(url: DatabaseUrl) -> Iterator[None]:
    """Turn psycopg's and SQLAlchemy's database errors into our tree.

    Raises:
        PostgresError: or the subclass that fits, with a hint.
    """
    try:
        yield
    except psycopg.Error as error:
        # `from None`: the original may repeat connection parameters in its text.
        raise diagnose(error, url) from None
    except Exception as error:
        original = getattr(error, "orig", None)  # sqlalchemy.exc.DBAPIError carries it
        if isinstance(original, psycopg.Error):
            # SQLAlchemy has a statement as soon as there is a connection.
            connecting = getattr(error, "statement", None) is None and not getattr(
                error, "connection_invalidated", False
            )
            raise diagnose(original, url, connecting=connecting) from None
        raise
