"""What the tests of monitoring share: environments, sessions and roles on real servers."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from bounty_ops.environments import DatabaseUrl, Environment, Policy
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.postgres.programs import Programs

Session = psycopg.Connection[Any]
#: Since this version a session has shown to others what it counted when it has ended.
_SHOWN_AT_ONCE = 150_000


def environment_of(
    url: DatabaseUrl, *, slow_query_seconds: float = 5, sampling_seconds: float = 0
) -> Environment:
    policy = Policy(slow_query_seconds=slow_query_seconds, sampling_seconds=sampling_seconds)
    return Environment("development", url, policy)


@pytest.fixture
def open_session() -> Iterator[Callable[..., Session]]:
    """Open sessions of other people: ``open_session(url, application_name=...)``."""
    with ExitStack() as stack:

        def open_one(url: DatabaseUrl, **keywords: str) -> Session:
            autocommit = keywords.pop("autocommit", "yes") == "yes"
            connection: Session = psycopg.connect(
                autocommit=autocommit,
                **{**url.conninfo(), **keywords},  # type: ignore[arg-type] # libpq's words
            )
            stack.callback(connection.close)
            return connection

        yield open_one


@pytest.fixture
def make_role() -> Iterator[Callable[..., DatabaseUrl]]:
    """Make a role for a database: ``make_role(url, "IN ROLE pg_monitor")`` -> its `DatabaseUrl`."""
    made: list[tuple[DatabaseUrl, str]] = []

    def make(url: DatabaseUrl, options: str = "") -> DatabaseUrl:
        name, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(8)
        with a_session(url) as connection:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} {}").format(
                sql.Identifier(name),
                sql.Literal(password),
                sql.SQL(options),
            )
            connection.execute(statement)
        made.append((url, name))
        return replace(url, user=name, password=password)

    yield make
    for url, name in made:
        with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s",
                (name,),
            )
            connection.execute(
                sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(name))
            )


#: A server that counts statements, few of them, and keeps only 400 bytes of a running one.
STATEMENT_SETTINGS = {
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.max": "100",
    "track_activity_query_size": "400",
}


@pytest.fixture(scope="session")
def statements_server(
    tmp_path_factory: pytest.TempPathFactory, pg_programs: Programs
) -> Iterator[DatabaseUrl]:
    """A server of its own with `STATEMENT_SETTINGS`, and with connections that are reserved."""
    settings = {**STATEMENT_SETTINGS, "reserved_connections": "5"}
    with running_server(pg_programs, tmp_path_factory.mktemp("statements"), settings) as url:
        yield url


@contextmanager
def a_session(url: DatabaseUrl) -> Iterator[Session]:
    """A session that is gone after the block: no look sees it, and what it did is counted.

    Whoever closes a connection is not told when the server's process has ended.
    """
    connection: Session = psycopg.connect(**url.conninfo(), autocommit=True)  # type: ignore[arg-type] # libpq's words
    with connection, socket.socket(fileno=os.dup(connection.fileno())) as wire:
        yield connection
        connection.close()
        wire.settimeout(30)
        with suppress(ConnectionError):
            while wire.recv(4096):
                pass


def execute(url: DatabaseUrl, statement: str, *names: str) -> None:
    """Run a statement outside of any transaction; each `{}` in it becomes a quoted name."""
    composed = sql.SQL(statement).format(*map(sql.Identifier, names))
    with a_session(url) as connection:
        connection.execute(composed)


def counted(url: DatabaseUrl) -> None:
    """Wait until the server shows what was counted by sessions that have ended.

    Before version 15 they tell it to a process, which writes it down when somebody asks, and who
    asks is content with what is half a second old. What is written first may have been asked for
    before they told it, so it is waited for twice.
    """
    shown = "SELECT pg_stat_get_snapshot_timestamp() > %s"
    with a_session(url) as connection:

        def written_since(moment: object) -> bool:
            return connection.execute(shown, (moment,)).fetchone() == (True,)

        for _ in range(2 if connection.info.server_version < _SHOWN_AT_ONCE else 0):
            ((now,),) = connection.execute("SELECT clock_timestamp()").fetchall()
            eventually(partial(written_since, now))


def look_is_over(url: DatabaseUrl) -> bool:
    """Whether the session of a collection is gone: that is a moment after the collection."""
    with a_session(url.with_database("postgres")) as connection:
        ours = (
            "SELECT FROM pg_stat_activity "
            "WHERE datname = %s AND application_name = 'bounty-ops monitor'"
        )
        return connection.execute(ours, (url.database,)).rowcount == 0


def eventually(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    """Wait until something that another process does has happened."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@contextmanager
def waiting_in_background(session: Session, watcher: Session, statement: str) -> Iterator[None]:
    """Run a statement that will wait for a lock, and begin the block when it does."""

    def run() -> None:
        try:
            session.execute(statement.encode())
        except psycopg.errors.QueryCanceled:
            return

    thread = threading.Thread(target=run)
    thread.start()
    waits = "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s"
    pid = session.info.backend_pid
    try:
        eventually(lambda: watcher.execute(waits, (pid,)).fetchone() == (True,))
        yield
    finally:
        watcher.execute("SELECT pg_cancel_backend(%s)", (pid,))
        thread.join()
