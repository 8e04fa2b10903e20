"""One collection: one quiet read-only connection, and a family's failure costs that family only."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ServerUnavailable,
    UsageError,
)
from bounty_ops.monitoring import Sequences, collect, collectors
from bounty_ops.monitoring.collectors.connections import Connections, collect_connections
from bounty_ops.monitoring.probe import identifier
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import Session, environment_of, eventually, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.probe import Collector, Measured, Probe

FAMILIES = list(collectors.FAMILIES)


@pytest.fixture
def with_collector(monkeypatch: pytest.MonkeyPatch) -> Callable[[Collector], None]:
    """Put another collector in the place of the one that counts connections."""

    def put(collector: Collector) -> None:
        monkeypatch.setitem(collectors.FAMILIES, "connections", (Connections, collector))

    return put


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_collection_is_json_with_all_families(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(url, "CREATE TABLE t (id int PRIMARY KEY)")
    result = collect(environment_of(url))
    document = json.loads(result.to_json_text())
    assert document == result.to_json()
    assert list(document["families"]) == FAMILIES
    assert document["environment"] == "development"
    assert document["taken_at"].endswith("Z")
    assert document["seconds"] > 0
    assert document["families"]["tables"]["tables"][0]["schema"] == "public"
    assert {frozenset(unknown) for unknown in document["unknown"]} == {
        frozenset({"family", "subject", "reason", "remedy"})
    }


def test_only_the_wanted_families_are_collected(fresh_database: DatabaseUrl) -> None:
    result = collect(environment_of(fresh_database), families=["tables", "connections"])
    assert list(result.families) == ["connections", "tables"]


def test_an_unknown_family_is_refused_before_anything_is_done() -> None:
    nowhere = Environment("development", None, Policy())
    with pytest.raises(UsageError, match="no family of measurements weather") as caught:
        collect(nowhere, families=["weather"])
    assert "connections" in caught.value.hint


def test_the_connection_introduces_itself_is_read_only_and_gives_up_soon(
    fresh_database: DatabaseUrl, with_collector: Callable[[Collector], None]
) -> None:
    settings: dict[str, str] = {}

    def look(probe: Probe) -> Measured:
        for name in (
            "application_name",
            "transaction_read_only",
            "statement_timeout",
            "lock_timeout",
        ):
            ((settings[name],),) = probe.connection.execute(
                "SELECT current_setting(%s)", (name,)
            ).fetchall()
        return collect_connections(probe)

    with_collector(look)
    collect(environment_of(fresh_database))
    assert settings == {
        "application_name": "bounty-ops monitor",
        "transaction_read_only": "on",
        "statement_timeout": "5s",
        "lock_timeout": "100ms",
    }


@pytest.mark.parametrize(
    ("name", "written"),
    [("plain_1", "plain_1"), ("user", '"user"'), ("left", '"left"'), ("A b", '"A b"'),
     ('a"b', '"a""b"'), ("1st", '"1st"'), ("", '""')],
)  # fmt: skip
def test_a_name_in_a_remedy_can_be_run(name: str, written: str) -> None:
    assert identifier(name) == written


def test_one_connection_is_used(
    fresh_database: DatabaseUrl, with_collector: Callable[[Collector], None]
) -> None:
    def look(probe: Probe) -> Measured:
        row = probe.connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchone()
        assert row == (1,)
        return collect_connections(probe)

    with_collector(look)
    assert "connections" in collect(environment_of(fresh_database)).families


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT * FROM no_such_view", ("42P01", "report it")),
        ("SELECT pg_sleep(60)", ("57014", "less busy")),
        ("SELECT * FROM pg_authid", ("42501", "GRANT pg_monitor TO")),
    ],
)
def test_a_family_that_fails_is_unknown_and_the_others_are_there(
    fresh_database: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    with_collector: Callable[[Collector], None],
    statement: str,
    told: tuple[str, str],
) -> None:
    def fail(probe: Probe) -> Measured:
        probe.connection.execute("SET statement_timeout = '200ms'")
        try:
            probe.connection.execute(statement.encode())
        finally:  # the families after this one have all the time that they usually have
            probe.connection.execute("SET statement_timeout = '5s'")
        raise AssertionError(statement)

    with_collector(fail)
    result = collect(environment_of(make_role(fresh_database)))
    assert list(result.families) == [name for name in FAMILIES if name != "connections"]
    (unknown,) = [u for u in result.unknown if u.family == "connections"]
    assert unknown.subject == "everything"
    assert told[0] in unknown.reason
    assert told[1] in unknown.remedy


def test_a_mistake_in_our_own_code_is_not_dressed_up_as_something_unknown(
    fresh_database: DatabaseUrl, with_collector: Callable[[Collector], None]
) -> None:
    def stumble(probe: Probe) -> Measured:
        raise ZeroDivisionError(probe.database)

    with_collector(stumble)
    with pytest.raises(ZeroDivisionError):
        collect(environment_of(fresh_database))


def test_a_server_that_goes_away_on_the_way_is_unavailable(
    fresh_database: DatabaseUrl,
    with_collector: Callable[[Collector], None],
    open_session: Callable[..., Session],
) -> None:
    killer = open_session(fresh_database)

    def lose(probe: Probe) -> Measured:
        pid = probe.connection.info.backend_pid
        killer.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
        return collect_connections(probe)

    with_collector(lose)
    with pytest.raises(ServerUnavailable):
        collect(environment_of(fresh_database))


def test_a_server_that_does_not_answer_is_unavailable(fresh_database: DatabaseUrl) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = replace(fresh_database, port=silent.getsockname()[1])
        with pytest.raises(ServerUnavailable):
            collect(environment_of(url))


def test_a_wrong_password_is_an_error_without_the_password(fresh_database: DatabaseUrl) -> None:
    url = replace(fresh_database, password="not-the-pass-word")
    with pytest.raises(AuthenticationFailed) as caught:
        collect(environment_of(url))
    assert "not-the-pass-word" not in f"{caught.value} {caught.value.hint}"


def test_an_unconfigured_environment_says_so() -> None:
    with pytest.raises(ConfigurationError, match="unconfigured"):
        collect(Environment("staging", None, Policy()))


def test_a_database_in_sql_ascii_with_any_bytes_in_a_statement_can_be_collected(
    pg_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    url = pg_server.with_database("test_in_sql_ascii")
    execute(
        pg_server,
        "CREATE DATABASE {} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
        url.database,
    )
    try:
        session = open_session(url, autocommit="no")
        session.execute(b'CREATE SEQUENCE "caf\xe9"; CREATE SEQUENCE plain; COMMIT')
        session.execute(b"SELECT 1 AS caf\xe9")
        environment = environment_of(url, slow_query_seconds=0.000_001)
        result = collect(environment)
        (running,) = result.to_json()["families"]["queries"]["running"]
        assert running["text"] == "SELECT ? AS caf\ufffd"
        # One that was never used has to be read by its name, and that cannot be sent.
        sequences = result.family(Sequences)
        assert sequences is not None
        assert (sequences.count, sequences.unreadable, sequences.worst_ratio) == (2, 1, None)
        (unread,) = [one for one in result.unknown if one.family == "sequences"]
        assert unread.subject == r"public.caf\xe9"
        assert "bytes that are no UTF-8" in unread.reason
        session.close()
    finally:
        execute(pg_server, "DROP DATABASE {} WITH (FORCE)", url.database)


def test_nothing_of_ours_stays_behind_at_the_server(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    watcher = open_session(fresh_database)
    collect(environment_of(fresh_database))
    left = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'bounty-ops monitor'"
    eventually(lambda: watcher.execute(left.encode()).fetchone() is None)
