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
                autocommit=autocommit,
                prepare_threshold=None,  # server-side prepared statements break behind poolers
                row_factory=tuple_row,
                **keywords,  # type: ignore[arg-type]  # libpq takes any keyword as text
            )
        except psycopg.Error as error:
            raise diagnose(error, url, connecting=True) from None
        with connection:
            _set(connection, "statement_timeout", statement_timeout_ms)
            _set(connection, "lock_timeout", lock_timeout_ms)
            if read_only:
                connection.execute("SET default_transaction_read_only = on")
            if not autocommit:
                connection.commit()
            yield connection


def _set(connection: psycopg.Connection[TupleRow], name: str, milliseconds: int | None) -> None:
    if milliseconds is not None:
        connection.execute("SELECT set_config(%s, %s, false)", (name, f"{milliseconds}ms"))


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
