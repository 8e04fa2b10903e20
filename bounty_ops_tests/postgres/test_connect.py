"""Connecting, and what each refusal of a real server turns into."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy

from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import (
    AuthenticationFailed,
    InsufficientPrivilege,
    LockNotAvailable,
    PostgresError,
    ServerUnavailable,
)
from bounty_ops.postgres.connect import connect, engine, translated
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "bounty-ops tests"


@pytest.fixture
def limited_role(fresh_database: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """A role with no privilege and one connection at most."""
    role = fresh_database.database.replace("test_", "role_")
    with connect(fresh_database, application_name=NAME) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'limited-pw' CONNECTION LIMIT 1")
        owner.execute("CREATE TABLE private (id int)")
    yield dataclasses.replace(fresh_database, user=role, password="limited-pw")
    with connect(fresh_database, application_name=NAME) as owner:
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


def test_the_server_knows_who_we_are_and_what_we_may(fresh_database: DatabaseUrl) -> None:
    with connect(
        fresh_database,
        application_name=NAME,
        read_only=True,
        statement_timeout_ms=1500,
        lock_timeout_ms=200,
    ) as connection:
        row = connection.execute(
            "SELECT current_setting('application_name'), current_setting('statement_timeout'),"
            " current_setting('lock_timeout'), current_setting('default_transaction_read_only')"
        ).fetchone()
        facts = server_facts(connection)
    assert row == (NAME, "1500ms", "200ms", "on")
    assert facts.database == fresh_database.database
    assert facts.major == facts.version_num // 10_000 == int(facts.version.split(".")[0])
    assert facts.size_bytes > 1_000_000
    assert not facts.ssl


def test_a_block_without_autocommit_is_one_transaction(fresh_database: DatabaseUrl) -> None:
    with connect(fresh_database, application_name=NAME, autocommit=False) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    with pytest.raises(ZeroDivisionError):
        _create_and_stumble(fresh_database)
    with connect(fresh_database, application_name=NAME) as connection:
        rows = connection.execute("SELECT to_regclass('kept'), to_regclass('lost')").fetchone()
    assert rows == ("kept", None)


def _create_and_stumble(url: DatabaseUrl) -> None:
    with connect(url, application_name=NAME, autocommit=False) as connection:
        connection.execute("CREATE TABLE lost (id int)")
        raise ZeroDivisionError


def test_nobody_listening_is_said_with_host_and_port() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        url = DatabaseUrl("127.0.0.1", port, "bounty", "app", "hidden-pw")
        with (
            pytest.raises(ServerUnavailable, match=f"127.0.0.1:{port}.*refused") as caught,
            connect(url, application_name=NAME),
        ):
            pass
    assert "(DATABASE_URL; of the operations database OPS_DATABASE_URL)" in caught.value.hint
    assert "hidden-pw" not in f"{caught.value}{caught.value.hint}"


def test_a_session_that_may_only_read_says_so(fresh_database: DatabaseUrl) -> None:
    with (
        pytest.raises(PostgresError, match="read-only: cannot execute CREATE TABLE") as caught,
        connect(fresh_database, application_name=NAME, read_only=True) as connection,
    ):
        connection.execute("CREATE TABLE t ()")
    assert "default_transaction_read_only" in caught.value.hint


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = DatabaseUrl("127.0.0.1", silent.getsockname()[1], "bounty", "app", "pw")
        with (
            pytest.raises(ServerUnavailable),
            connect(url, application_name=NAME, connect_timeout_seconds=2),
        ):
            pass


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"password": "wrong"}, AuthenticationFailed, "password authentication failed"),
        ({"user": "nobody_by_that_name"}, AuthenticationFailed, "password authentication failed"),
        ({"password": None}, AuthenticationFailed, "wants a password"),
        ({"database": "missing_db"}, AuthenticationFailed, "does not exist"),
        ({"parameters": (("sslmode", "require"),)}, AuthenticationFailed, "does not offer TLS"),
        ({"host": "no-such-host.invalid"}, ServerUnavailable, "host name"),
        ({"host": "/nonexistent-directory"}, ServerUnavailable, "socket"),
    ],
)
def test_each_refusal_has_its_cause_and_remedy(
    fresh_database: DatabaseUrl,
    changes: dict[str, str],
    kind: type[PostgresError],
    words: str,
) -> None:
    url = dataclasses.replace(fresh_database, **changes)  # type: ignore[arg-type]  # a test table
    with pytest.raises(kind, match=words) as caught, connect(url, application_name=NAME):
        pass
    assert caught.value.hint
    assert str(fresh_database.password) not in f"{caught.value}{caught.value.hint}"


def test_too_many_connections_is_told_from_a_wrong_password(limited_role: DatabaseUrl) -> None:
    with (
        connect(limited_role, application_name=NAME),
        pytest.raises(ServerUnavailable, match="connection"),
        connect(limited_role, application_name=NAME),
    ):
        pass


def test_a_missing_privilege_names_the_object(limited_role: DatabaseUrl) -> None:
    with (
        pytest.raises(InsufficientPrivilege, match="private"),
        connect(limited_role, application_name=NAME) as connection,
    ):
        connection.execute("SELECT * FROM private")


def test_a_database_closed_to_the_role_is_no_absent_server(
    fresh_database: DatabaseUrl, limited_role: DatabaseUrl
) -> None:
    with connect(fresh_database, application_name=NAME) as owner:
        owner.execute(f"REVOKE CONNECT ON DATABASE {fresh_database.database} FROM PUBLIC".encode())
    with (
        pytest.raises(InsufficientPrivilege, match="may not connect"),
        connect(limited_role, application_name=NAME),
    ):
        pass


def test_a_lock_held_by_somebody_else_is_a_lock_error(fresh_database: DatabaseUrl) -> None:
    with connect(fresh_database, application_name=NAME, autocommit=False) as holder:
        holder.execute("CREATE TABLE held (id int)")
        holder.commit()
        holder.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        with (
            pytest.raises(LockNotAvailable),
            connect(fresh_database, application_name=NAME, lock_timeout_ms=50) as waiter,
        ):
            waiter.execute("SELECT * FROM held")


def test_a_backend_that_is_ended_is_a_lost_server(fresh_database: DatabaseUrl) -> None:
    with pytest.raises(ServerUnavailable), connect(fresh_database, application_name=NAME) as victim:
        victim.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_rows_never_appear_in_an_error(fresh_database: DatabaseUrl) -> None:
    twice = "INSERT INTO people VALUES ('private@example.com'), ('private@example.com')"
    with connect(fresh_database, application_name=NAME) as connection:
        connection.execute("CREATE TABLE people (email text UNIQUE)")
    with (
        pytest.raises(PostgresError, match="unique constraint") as caught,
        connect(fresh_database, application_name=NAME) as connection,
    ):
        connection.execute(twice)
    assert "private@example.com" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_sqlalchemy_errors_are_translated_too(fresh_database: DatabaseUrl) -> None:
    pool = engine(fresh_database, application_name=NAME)
    with translated(fresh_database), pool.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT current_setting('application_name')"))
    with (
        pytest.raises(PostgresError, match="nowhere"),
        translated(fresh_database),
        pool.connect() as connection,
    ):
        connection.execute(sqlalchemy.text("SELECT * FROM nowhere"))


def test_other_errors_pass_through(fresh_database: DatabaseUrl) -> None:
    with pytest.raises(KeyError), connect(fresh_database, application_name=NAME):
        raise KeyError


def test_ctrl_c_during_a_statement_ends_it_on_the_server(fresh_database: DatabaseUrl) -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        _sleep(fresh_database, begins=timer.start)
    timer.join()
    with connect(fresh_database, application_name=NAME) as connection:
        for _ in range(600):
            left = connection.execute(
                "SELECT count(*), pg_sleep(0.05) FROM pg_stat_activity"
                " WHERE application_name = 'bounty-ops interrupted' GROUP BY ()"
            ).fetchone()
            if left is None or left[0] == 0:
                break
        else:
            pytest.fail("the interrupted statement still runs on the server")


def _sleep(url: DatabaseUrl, begins: Callable[[], None]) -> None:
    with connect(url, application_name="bounty-ops interrupted") as connection:
        begins()
        connection.execute("SELECT pg_sleep(60)")


def test_diagnosis_never_repeats_what_libpq_said_about_the_url() -> None:
    error = psycopg.OperationalError('invalid integer value "hidden-pw" for "port"')
    with (
        pytest.raises(PostgresError) as caught,
        translated(DatabaseUrl("h", 1, "d", "u", "hidden-pw")),
    ):
        raise error
    assert "hidden-pw" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
