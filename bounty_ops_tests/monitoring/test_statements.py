"""pg_stat_statements, whatever its version: what costs most, without anybody's data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Policy
from bounty_ops.monitoring import CollectionResult, Queries, collect
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import all_server_majors, running_server
from bounty_ops_tests.monitoring.conftest import (
    STATEMENT_SETTINGS,
    Session,
    environment_of,
    execute,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.collectors.statement_facts import SlowStatement

SECRET = "alice.secret@example.com"
#: Before 1.8 the columns have other names, before 1.9 there is neither toplevel nor a view of
#: evictions, before 1.11 no stats_since.
DEFAULT_MAJOR = 17
VERSIONS = ["1.7", "1.8", "1.9", "1.10", "1.11"]


@pytest.fixture
def counted(statements_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """The database `postgres` of the server that counts, with nothing counted yet."""
    execute(statements_server, "CREATE EXTENSION pg_stat_statements")
    execute(statements_server, "CREATE TABLE account (id int, email text)")
    execute(statements_server, "SELECT pg_stat_statements_reset()")
    yield statements_server
    execute(statements_server, "DROP EXTENSION pg_stat_statements CASCADE")
    execute(statements_server, "DROP TABLE account")


def _queries(url: DatabaseUrl) -> tuple[Queries, CollectionResult]:
    result = collect(environment_of(url), families=["queries"])
    queries = result.family(Queries)
    assert queries is not None
    return queries, result


def _statement(queries: Queries, beginning: str) -> SlowStatement:
    (found,) = [s for s in queries.statements if s.text.startswith(beginning)]
    return found


def test_calls_rows_and_times_are_those_of_the_server(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(counted)
    for number in range(7):
        session.execute(f"SELECT generate_series(1, 3), {number} AS counted_here".encode())
    queries, result = _queries(counted)
    found = _statement(queries, "SELECT generate_series")
    assert (found.calls, found.rows) == (7, 21)
    assert found.user == counted.user
    assert found.toplevel
    assert found.since is not None
    assert 0 < found.mean_seconds <= found.max_seconds <= found.total_seconds
    assert found.total_seconds == pytest.approx(found.mean_seconds * 7)
    assert queries.statistics.available
    assert queries.statistics.evicted == 0
    assert result.unknown == ()


def test_literals_that_the_extension_gives_away_are_stripped(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(counted)
    statement = f"SELECT * FROM account WHERE email = '{SECRET}'".encode()
    session.execute(b"PREPARE lookup AS " + statement)
    session.execute("EXECUTE lookup")
    session.execute("SELECT pg_stat_statements_reset()")
    session.execute("EXECUTE lookup")
    row = session.execute(
        "SELECT count(*) FROM pg_stat_statements WHERE query LIKE %s", (f"%{SECRET}%",)
    ).fetchone()
    assert row == (1,)  # the leak is real: this is what others store

    queries, result = _queries(counted)

    assert _statement(queries, "PREPARE lookup").text.endswith(
        "SELECT * FROM account WHERE email = ?"
    )
    assert SECRET not in result.to_json_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_of_the_extension_can_be_read(
    counted: DatabaseUrl, open_session: Callable[..., Session], version: str
) -> None:
    execute(counted, "DROP EXTENSION pg_stat_statements")
    execute(counted, "CREATE EXTENSION pg_stat_statements VERSION {}", version)
    open_session(counted).execute(f"SELECT '{version}' AS of_version_{version[2:]}".encode())
    queries, result = _queries(counted)
    found = _statement(queries, f"SELECT $1 AS of_version_{version[2:]}")
    assert found.calls >= 1
    assert found.total_seconds > 0
    assert (queries.statistics.evicted is None) == (version in {"1.7", "1.8"})
    assert (found.since is None) == (version != "1.11")
    assert result.unknown == ()


@pytest.mark.parametrize("major", [m for m in all_server_majors() if m != DEFAULT_MAJOR])
@pytest.mark.many(every=3)
def test_every_major_of_the_server_can_be_read(tmp_path: Path, major: int) -> None:
    programs = find_programs(major, server=True)
    with running_server(programs, tmp_path, STATEMENT_SETTINGS) as url:
        execute(url, "CREATE EXTENSION pg_stat_statements")
        execute(url, "SELECT 1 AS counted_here")
        queries, result = _queries(url)
    assert _statement(queries, "SELECT $1 AS counted_here").calls == 1
    assert queries.statistics.available
    assert result.unknown == ()


def test_it_is_found_in_whatever_schema_it_lives(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(counted, "DROP EXTENSION pg_stat_statements")
    execute(counted, "CREATE SCHEMA extensions")
    execute(counted, "CREATE EXTENSION pg_stat_statements SCHEMA extensions")
    open_session(counted).execute("SELECT 1 AS in_another_schema")
    queries, _ = _queries(counted)
    assert _statement(queries, "SELECT $1 AS in_another_schema").calls >= 1
    execute(counted, "DROP SCHEMA extensions CASCADE")
    execute(counted, "CREATE EXTENSION pg_stat_statements")


def test_statements_of_others_are_unknown_to_a_role_with_few_privileges(
    counted: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
) -> None:
    nobody = make_role(counted)
    open_session(counted).execute("SELECT 1 AS not_for_everybody")
    queries, result = _queries(nobody)
    assert not [s for s in queries.statements if "not_for_everybody" in s.text]
    assert {s.user for s in queries.statements} <= {nobody.user}
    (unknown,) = [u for u in result.unknown if u.subject == "slow statements"]
    assert "hidden" in unknown.reason
    assert "GRANT pg_read_all_stats" in unknown.remedy


def test_an_extension_in_a_closed_schema_is_unknown(
    counted: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    execute(counted, "CREATE SCHEMA closed")
    execute(counted, "ALTER EXTENSION pg_stat_statements SET SCHEMA closed")
    nobody = make_role(counted)
    queries, result = _queries(nobody)
    assert not queries.statistics.available
    (unknown,) = [u for u in result.unknown if u.subject == "slow statements"]
    assert unknown.remedy == f"GRANT USAGE ON SCHEMA closed TO {nobody.user}"
    execute(counted, "DROP SCHEMA closed CASCADE")
    execute(counted, "CREATE EXTENSION pg_stat_statements")


def _again(url: DatabaseUrl, before: CollectionResult, listed: int = 50) -> Queries:
    """A second collection, which remembers the first."""
    environment = replace(environment_of(url), policy=Policy(statements_listed=listed))
    queries = collect(environment, families=["queries"], memory=before.memory).family(Queries)
    assert queries is not None
    return queries


def test_what_happened_since_the_collection_before_is_told_of_each_statement(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(counted)
    session.execute("SELECT 1 AS told, generate_series(1, 2)")
    queries, before = _queries(counted)
    assert (queries.interval, queries.coverage) == (None, None)
    assert _statement(queries, "SELECT $1 AS told").interval_calls is None
    for _ in range(5):
        session.execute("SELECT 1 AS told, generate_series(1, 2)")

    queries = _again(counted, before)

    found = _statement(queries, "SELECT $1 AS told")
    assert (found.calls, found.interval_calls, found.interval_rows) == (6, 5, 10)
    assert found.interval_seconds is not None
    assert 0 < found.interval_seconds < found.total_seconds
    assert (queries.source, queries.coverage) == ("pg_stat_statements", 1)
    assert queries.interval is not None
    assert queries.interval.until > queries.interval.since


def test_a_short_list_and_the_sum_of_the_rest_are_everything(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(counted)
    _, before = _queries(counted)
    for columns in range(1, 41):
        session.execute(f"SELECT {', '.join('1' * columns)}".encode())
    session.execute("SELECT pg_sleep(0.05) AS hot")
    queries = _again(counted, before, listed=20)
    rest, interval = queries.rest, queries.interval
    assert rest is not None
    assert interval is not None
    assert len(queries.statements) == 20
    assert _statement(queries, "SELECT pg_sleep").interval_calls == 1
    assert rest.entries == (queries.statistics.entries or 0) - 20
    listed = sum(each.interval_calls or 0 for each in queries.statements)
    assert listed + (rest.interval_calls or 0) == interval.calls
    seconds = sum(each.interval_seconds or 0 for each in queries.statements)
    assert seconds + (rest.interval_seconds or 0) == pytest.approx(interval.statement_seconds)


def test_texts_that_are_known_are_not_read_again(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    def readings() -> int:
        ((count,),) = session.execute(
            "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements "
            "WHERE query LIKE '%pg_stat_statements\"($_) AS s WHERE s.queryid = ANY%'"
        ).fetchall()
        return int(count)

    session = open_session(counted)
    session.execute("SELECT 1 AS seen_before")
    readings()
    _, result = _queries(counted)
    for _ in range(3):  # by then it has seen its own statements too
        result = collect(environment_of(counted), families=["queries"], memory=result.memory)
    read = readings()
    assert read > 0
    known = _again(counted, result)
    assert _statement(known, "SELECT $1 AS seen_before").fingerprint
    assert readings() == read


def test_a_memory_of_another_database_and_a_damaged_one_are_none(
    counted: DatabaseUrl,
) -> None:
    _, before = _queries(counted)
    execute(counted, "CREATE DATABASE beside")
    beside = counted.with_database("beside")
    execute(beside, "CREATE EXTENSION pg_stat_statements")
    assert _again(beside, before).interval is None
    execute(counted, "DROP DATABASE beside WITH (FORCE)")
    damaged = replace(before, memory={"queries": before.memory["queries"][:-9]})
    assert _again(counted, damaged).interval is None
    assert _again(counted, replace(before, memory={})).interval is None


def test_evicted_entries_are_counted(
    counted: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(counted)
    for columns in range(1, 150):  # the server keeps 100
        session.execute(f"SELECT {', '.join('1' * columns)}".encode())
    queries, _ = _queries(counted)
    assert queries.statistics.evicted is not None
    assert queries.statistics.evicted > 0
