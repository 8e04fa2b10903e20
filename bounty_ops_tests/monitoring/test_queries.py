"""What runs too long is found with whoever holds it up, and no literal of it is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import CollectionResult, Queries, collect, report
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import (
    Session,
    environment_of,
    execute,
    waiting_in_background,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring.collectors.running import RunningQuery

SECRET = "alice.secret@example.com"


def _queries(url: DatabaseUrl, slow: float = 0.000_001) -> tuple[Queries, CollectionResult]:
    environment = environment_of(url, slow_query_seconds=slow)
    result = collect(environment, families=["queries"])
    queries = result.family(Queries)
    assert queries is not None
    return queries, result


def _of(queries: Queries, session: Session) -> RunningQuery:
    (found,) = [query for query in queries.running if query.pid == session.info.backend_pid]
    return found


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_blocked_query_shows_its_blocker_and_neither_shows_a_literal(
    make_database: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    execute(url, "CREATE TABLE account (id int PRIMARY KEY, email text)")
    execute(url, "INSERT INTO account VALUES (1, 'x')")
    holder = open_session(url, application_name="holder", autocommit="no")
    holder.execute(f"UPDATE account SET email = '{SECRET}' WHERE id = 1".encode())
    waiter = open_session(url, application_name="waiter")
    update = f"UPDATE account SET email = lower($q${SECRET}$q$) WHERE id = 1 -- {SECRET}"

    with waiting_in_background(waiter, open_session(url), update):
        queries, result = _queries(url)

    blocked, blocker = _of(queries, waiter), _of(queries, holder)
    assert blocked.blocked_by == (holder.info.backend_pid,)
    assert blocked.application == "waiter"
    assert blocked.state == "active"
    assert blocked.wait_event == "Lock: transactionid"
    assert blocked.text == "UPDATE account SET email = lower(?) WHERE id = ?"
    assert blocker.state == "idle in transaction"
    assert blocker.blocked_by == ()
    assert blocker.text == "UPDATE account SET email = ? WHERE id = ?"
    assert SECRET not in result.to_json_text()
    (finding,) = [f for f in report(result) if f.kind == "blocked_query"]
    assert f"pg_terminate_backend({holder.info.backend_pid})" in finding.remedy
    assert SECRET not in str(finding)


def test_a_blocker_is_shown_although_it_is_not_slow_itself(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "CREATE TABLE t (id int)")
    waiter = open_session(fresh_database)
    holder = open_session(fresh_database, autocommit="no")
    holder.execute("LOCK TABLE t")
    with waiting_in_background(waiter, open_session(fresh_database), "SELECT * FROM t"):
        waiting_since = _of(_queries(fresh_database)[0], waiter).seconds
        holder.execute("SELECT 1")  # its age begins anew, that of the waiting query goes on
        queries, _ = _queries(fresh_database, slow=waiting_since)
    assert _of(queries, waiter).blocked_by == (holder.info.backend_pid,)
    assert _of(queries, holder).state == "idle in transaction"


def test_short_queries_and_idle_sessions_are_not_listed(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    open_session(fresh_database).execute("SELECT 1")
    open_session(fresh_database, autocommit="no").execute("SELECT 1")
    queries, _ = _queries(fresh_database, slow=3600)
    assert queries.running == ()


def test_an_idle_transaction_is_listed_with_its_age(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database, autocommit="no", application_name="forgetful")
    session.execute("SELECT 42")
    queries, result = _queries(fresh_database)
    found = _of(queries, session)
    assert found.state == "idle in transaction"
    assert found.seconds > 0
    assert found.transaction_seconds is not None
    assert found.transaction_seconds >= found.seconds
    assert found.text == "SELECT ?"
    (finding,) = [f for f in report(result) if f.kind == "idle_in_transaction"]
    assert "forgetful" in finding.remedy


def test_sessions_of_other_databases_are_left_out(
    fresh_database: DatabaseUrl,
    make_database: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
) -> None:
    open_session(make_database(), autocommit="no").execute("SELECT 1")
    queries, _ = _queries(fresh_database)
    assert queries.running == ()


def test_a_statement_that_the_server_cut_off_inside_a_literal_is_cut_before_it(
    statements_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(statements_server, autocommit="no")
    session.execute(f"SELECT '{SECRET * 40}' AS x".encode())
    queries, result = _queries(statements_server)
    found = _of(queries, session)
    assert found.truncated
    assert found.text == "SELECT ?..."
    assert SECRET not in result.to_json_text()


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_role_with_few_privileges_reports_what_it_cannot_see_as_unknown(
    make_database: Callable[..., DatabaseUrl],
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    open_session(url, autocommit="no").execute("SELECT 1")
    queries, result = _queries(make_role(url))
    assert queries.running == ()
    (unknown,) = [u for u in result.unknown if u.subject == "queries of other roles"]
    assert unknown.reason.startswith("1 sessions")
    assert "GRANT pg_read_all_stats" in unknown.remedy
    assert "unknown" in {finding.kind for finding in report(result)}


def test_without_the_extension_the_report_says_what_to_do(fresh_database: DatabaseUrl) -> None:
    queries, result = _queries(fresh_database)
    assert not queries.statistics.available
    assert queries.statistics.entries is None
    (unknown,) = [u for u in result.unknown if u.subject == "slow statements"]
    assert unknown.reason == "pg_stat_statements is not installed"
    assert queries.source is None
    assert "CREATE EXTENSION pg_stat_statements" in unknown.remedy


def test_an_extension_that_is_not_loaded_is_unknown_and_not_empty(
    fresh_database: DatabaseUrl,
) -> None:
    execute(fresh_database, "CREATE EXTENSION pg_stat_statements")
    queries, result = _queries(fresh_database)
    assert not queries.statistics.available
    (unknown,) = [u for u in result.unknown if u.subject == "slow statements"]
    assert "installed but not loaded" in unknown.reason
    assert "shared_preload_libraries" in unknown.remedy
