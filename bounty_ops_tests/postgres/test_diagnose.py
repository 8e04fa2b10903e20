"""The diagnoses of Bounty's guide and more, on real servers, and by codes alone."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import struct
import threading
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from bounty_ops.embedded.processes import wait_until
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import PostgresError, ProgramFailed
from bounty_ops.postgres import causes
from bounty_ops.postgres.connect import connect, engine, translated
from bounty_ops.postgres.diagnose import explained
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.cli.documented import text_of
from bounty_ops_tests.fix_tls import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_tls import TlsServer

NAME = "bounty-ops tests"


def diagnosed(url: DatabaseUrl, statement: str = "SELECT 1") -> PostgresError:
    """What becomes of it, the same by psycopg and by SQLAlchemy."""
    with (
        pytest.raises(PostgresError) as caught,
        connect(url, application_name=NAME) as connection,
    ):
        connection.execute(statement.encode())
    pool = engine(url, application_name=NAME)
    with (
        pytest.raises(PostgresError) as again,
        translated(url),
        pool.connect() as alchemy,
    ):
        alchemy.execute(sqlalchemy.text(statement))
    assert again.value.diagnosis == caught.value.diagnosis
    assert str(again.value) == str(caught.value)
    error = caught.value
    for secret in url.secrets():
        assert secret not in f"{error} {error.hint}"
    return error


def test_1_connection_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = diagnosed(DatabaseUrl("127.0.0.1", port, "bounty", "app", "hidden-pw"))
    assert error.diagnosis == "connection_refused"


def test_2_tls_required(tls_server: TlsServer) -> None:
    error = diagnosed(tls_server.with_mode("disable"))
    assert error.diagnosis == "tls_required"
    assert "sslmode=verify-full" in error.hint


def test_3_certificate_of_somebody_who_is_not_trusted(tls_server: TlsServer) -> None:
    error = diagnosed(tls_server.with_mode("verify-full", sslrootcert=str(tls_server.other)))
    assert error.diagnosis == "certificate_unverified"
    assert "self-signed" in str(error)
    assert "verify code 18" in str(error)


def test_3_certificate_of_another_host(tls_server: TlsServer) -> None:
    trusted = tls_server.with_mode("verify-full", sslrootcert=str(tls_server.certificate))
    error = diagnosed(dataclasses.replace(trusted, host="127.0.0.1"))
    assert error.diagnosis == "certificate_unverified"
    assert "another address (verify code 64)" in str(error)
    with connect(trusted, application_name=NAME):
        pass


def test_3_root_certificate_that_is_not_there(tls_server: TlsServer) -> None:
    error = diagnosed(tls_server.with_mode("verify-ca", sslrootcert="/nonexistent/root.crt"))
    assert error.diagnosis == "root_certificate_missing"
    assert "/nonexistent/root.crt" in str(error)


@pytest.mark.parametrize("sslmode", ["prefer", "require"])
def test_4_password_rejected(tls_server: TlsServer, sslmode: str) -> None:
    # With `prefer` libpq tries again in the clear, and is refused for another reason.
    error = diagnosed(dataclasses.replace(tls_server.with_mode(sslmode), password="wrong-pw"))
    assert error.diagnosis == "password_rejected"
    assert "unencoded" not in error.hint


@pytest.mark.parametrize(
    ("written", "mark", "code"), [("pa%41ss", "%", "%25"), ("pa+ss", "+", "%2B")]
)
def test_4_password_with_an_unencoded_character(
    fresh_database: DatabaseUrl, written: str, mark: str, code: str
) -> None:
    url = DatabaseUrl.parse(fresh_database.text().replace(str(fresh_database.password), written))
    error = diagnosed(url)
    assert error.diagnosis == "password_rejected"
    assert f"`{mark}` as {code}" in error.hint


def test_4_password_missing(tls_server: TlsServer) -> None:
    error = diagnosed(dataclasses.replace(tls_server.with_mode("require"), password=None))
    assert error.diagnosis == "password_missing"


def test_5_database_missing(fresh_database: DatabaseUrl) -> None:
    assert diagnosed(fresh_database.with_database("nowhere")).diagnosis == "database_missing"


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM nothing", "SELECT nothing FROM pg_class", "CREATE TABLE pg_temp.t (a nothing)"],
)
def test_6_schema_mismatch(fresh_database: DatabaseUrl, statement: str) -> None:
    error = diagnosed(fresh_database, statement)
    assert error.diagnosis == "schema_mismatch"
    assert '"nothing" does not exist' in str(error)
    assert "db drift" in error.hint


def test_6_rows_that_violate(fresh_database: DatabaseUrl) -> None:
    double = "CREATE TEMPORARY TABLE t AS SELECT 1 AS a UNION ALL SELECT 1;"
    error = diagnosed(fresh_database, f"{double} CREATE UNIQUE INDEX only_one ON t (a)")
    assert error.diagnosis == "rows_violate"
    assert '"only_one"' in str(error)
    assert "correct the rows" in error.hint


def test_7_too_many_clients(tls_server: TlsServer) -> None:
    url = tls_server.with_mode("require")
    assert wait_until(lambda: _connected(url) == {NAME: 1}, 60), "others than this one"
    with ExitStack() as stack:
        error = None
        for _ in range(CONNECTIONS):
            stack.enter_context(connect(url, application_name=NAME))
        error = diagnosed(url)
    assert error.diagnosis == "too_many_connections"
    # Else the next test would be refused for the same reason.
    assert wait_until(lambda: _connected(url) == {NAME: 1}, 60)


def _connected(url: DatabaseUrl) -> dict[str, int]:
    """Clients by name; a session that was closed ends a moment later."""
    with suppress(PostgresError), connect(url, application_name=NAME) as connection:
        names = connection.execute(
            "SELECT application_name FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchall()
        return dict(Counter(name for (name,) in names))
    return {}


def test_tls_that_is_not_offered(fresh_database: DatabaseUrl) -> None:
    url = dataclasses.replace(fresh_database, parameters=(("sslmode", "require"),))
    assert diagnosed(url).diagnosis == "tls_not_offered"


@contextmanager
def answering(answer: bytes | None) -> Iterator[DatabaseUrl]:
    """Something on a port that takes a message and answers always the same; None: never."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                with caller:
                    caller.settimeout(10)
                    while caller.recv(4096) and answer is None:
                        pass
                    caller.sendall(answer or b"")

        threading.Thread(target=serve, daemon=True).start()
        port = listening.getsockname()[1]
        yield DatabaseUrl("127.0.0.1", port, "bounty", "app", "pw", (("sslmode", "disable"),))
        listening.shutdown(socket.SHUT_RDWR)


def refusal_message(state: str, words: str) -> bytes:
    fields = {"S": "致命错误", "V": "FATAL", "C": state, "M": words}
    body = b"".join(f"{name}{value}\0".encode() for name, value in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body


@pytest.mark.parametrize(
    ("state", "diagnosis"),
    [
        ("28P01", "password_rejected"),
        ("3D000", "database_missing"),
        ("53300", "too_many_connections"),
        ("57P03", "not_ready"),
        ("42501", "connect_forbidden"),
        ("XX000", "pooler_refused"),
    ],
)
def test_a_refusal_in_any_words_is_known_by_its_code(state: str, diagnosis: str) -> None:
    misleading = '用户 "app" C "28000" connection refused, no password supplied'
    with answering(refusal_message(state, misleading)) as url:
        error = diagnosed(url)
    assert error.diagnosis == diagnosis
    assert "用户" not in str(error)


def test_something_else_listens_there() -> None:
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
        assert diagnosed(url).diagnosis == "not_postgresql"


def test_a_connection_that_was_made_and_lost(fresh_database: DatabaseUrl) -> None:
    with (
        pytest.raises(PostgresError) as caught,
        connect(fresh_database, application_name=NAME) as connection,
        socket.socket(fileno=os.dup(connection.fileno())) as below,
    ):
        _break_off(connection, below)
    assert caught.value.diagnosis == "connection_lost"


def _break_off(connection: psycopg.Connection[TupleRow], below: socket.socket) -> None:
    below.shutdown(socket.SHUT_RDWR)
    connection.execute("SELECT 1")


def test_no_sqlstate_has_two_causes_and_no_name_is_used_twice() -> None:
    states = [state for cause in causes.CAUSES for state in cause.states]
    assert len(states) == len(set(states))
    names = [cause.name for cause in causes.CAUSES]
    assert len(names) == len(set(names)) > 25


def test_the_page_lists_every_diagnosis_as_it_is() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", text_of("docs/reference/errors.md"), re.MULTILINE
    )
    assert rows == [
        (cause.name, cause.what, " ".join([cause.recognised_by, ", ".join(cause.states)]).strip())
        for cause in causes.CAUSES
    ]


def test_a_program_that_cannot_connect_is_diagnosed_as_well(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    with pytest.raises(ProgramFailed) as caught:
        run_program(
            pg_programs, "pg_dump", ["--schema-only"], url=fresh_database.with_database("nowhere")
        )
    assert caught.value.diagnosis == "database_missing"
    with pytest.raises(ProgramFailed) as caught:
        run_program(pg_programs, "pg_dump", ["--table=nowhere"], url=fresh_database)
    assert caught.value.diagnosis is None


def test_what_explains_itself_by_the_provider_comes_first() -> None:
    url = DatabaseUrl("aws-0-eu-west-1.pooler.supabase.com", 5432, "postgres", "postgres", "pw")
    error = explained(causes.PASSWORD_REJECTED, url)
    assert error.hint.startswith("Write the role as postgres.REF")
