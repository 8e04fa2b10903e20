"""Who takes long, and who waits for whom: queues behind a waiting ALTER TABLE included."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring import Activity, CollectionResult, collect
from bounty_ops.monitoring.collectors.blocking import holders_of, trees_of
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


def activity_of(url: DatabaseUrl, *, slow: float = 0.000_001) -> tuple[Activity, CollectionResult]:
    result = collect(environment_of(url, slow_query_seconds=slow), families=["activity"])
    activity = result.family(Activity)
    assert activity is not None
    return activity, result


def pid(session: Session) -> int:
    return session.info.backend_pid


def test_of_a_quiet_database_nothing_is_long_and_nobody_waits(fresh_database: DatabaseUrl) -> None:
    activity, result = activity_of(fresh_database)
    assert result.unknown == ()
    assert activity == Activity(
        hidden=0,
        longest_query_seconds=0,
        longest_transaction_seconds=0,
        longest_idle_in_transaction_seconds=0,
        blocked=0,
        longest_wait_seconds=0,
        prepared=0,
        oldest_prepared_seconds=0,
        oldest_xmin_age=0,
        sessions=(),
        blocking=(),
        horizons=(),
    )


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_an_idle_transaction_is_told_with_its_last_statement_and_no_literal(
    make_database: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    idle = open_session(url, autocommit="no", application_name="web")
    idle.execute("SELECT 'alice@example.com'")
    activity, _ = activity_of(url)
    (session,) = activity.sessions
    assert (session.pid, session.application, session.state, session.statement) == (
        pid(idle),
        "web",
        "idle in transaction",
        "SELECT ?",
    )
    assert session.seconds == activity.longest_idle_in_transaction_seconds
    assert session.transaction_seconds == activity.longest_transaction_seconds
    assert activity.longest_query_seconds == 0
    assert not activity_of(url, slow=3600)[0].sessions


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_waiting_alter_table_is_told_between_the_reader_and_those_behind_it(
    make_database: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    execute(url, "CREATE TABLE t (id int)")
    watcher, alter, late = (open_session(url) for _ in range(3))
    reader = open_session(url, autocommit="no", application_name="report")
    reader.execute("SELECT count(*) FROM t WHERE id > 7")
    with (
        waiting_in_background(alter, watcher, "ALTER TABLE t ADD COLUMN name text DEFAULT 'x'"),
        waiting_in_background(late, watcher, "SELECT * FROM t"),
    ):
        activity, _ = activity_of(url)
    (tree,) = activity.blocking
    assert (tree.blocker_pid, tree.application, tree.state, tree.depth) == (
        pid(reader),
        "report",
        "idle in transaction",
        2,
    )
    assert tree.statement == "SELECT count(*) FROM t WHERE id > ?"
    assert set(tree.blocked_pids) == {pid(alter), pid(late)}
    first, second = tree.waiters
    assert (first.pid, first.lock, first.waits_for) == (
        pid(alter),
        "AccessExclusiveLock on public.t",
        (pid(reader),),
    )
    assert first.statement == "ALTER TABLE t ADD COLUMN name text DEFAULT ?"
    assert (second.pid, second.depth, second.waits_for) == (pid(late), 2, (pid(alter),))
    assert activity.blocked == 2
    assert activity.longest_wait_seconds == tree.seconds == first.seconds >= second.seconds > 0


def test_a_session_that_is_idle_can_block_by_an_advisory_lock(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    holder, waiter, watcher = (open_session(fresh_database) for _ in range(3))
    holder.execute("SELECT pg_advisory_lock(7)")
    with waiting_in_background(waiter, watcher, "SELECT pg_advisory_lock(7)"):
        activity, _ = activity_of(fresh_database)
    (tree,) = activity.blocking
    assert (tree.blocker_pid, tree.state) == (pid(holder), "idle")
    assert tree.waiters[0].lock == "ExclusiveLock on advisory"


def test_a_role_without_privileges_sees_who_blocks_whom_and_is_told_what_it_misses(
    fresh_database: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
) -> None:
    execute(fresh_database, "CREATE TABLE t (id int)")
    holder = open_session(fresh_database, autocommit="no")
    holder.execute("LOCK TABLE t")
    waiter, watcher = open_session(fresh_database), open_session(fresh_database)
    with waiting_in_background(waiter, watcher, "SELECT * FROM t"):
        activity, result = activity_of(make_role(fresh_database))
    (tree,) = activity.blocking
    assert (tree.blocker_pid, tree.blocked_pids) == (pid(holder), (pid(waiter),))
    assert (tree.state, tree.statement, tree.waiters[0].statement) == (None, None, None)
    assert activity.longest_transaction_seconds is None
    assert activity.longest_query_seconds is None
    assert activity.longest_idle_in_transaction_seconds is None
    assert activity.oldest_xmin_age is None
    assert [each.subject for each in result.unknown] == ["sessions of other roles"]


def test_sessions_that_the_server_does_not_track_are_unknown(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "ALTER DATABASE {} SET track_activities = off", fresh_database.database)
    open_session(fresh_database, autocommit="no").execute("SELECT 1")
    activity, result = activity_of(fresh_database)
    assert activity.hidden == 1
    assert activity.longest_transaction_seconds is None
    assert [each.subject for each in result.unknown] == ["sessions without tracking"]


def test_more_waiters_than_the_server_is_asked_about_are_counted_and_told(
    fresh_database: DatabaseUrl,
    open_session: Callable[..., Session],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bounty_ops.monitoring.collectors.blocking.ASKED", 2)
    execute(fresh_database, "CREATE TABLE t (id int)")
    open_session(fresh_database, autocommit="no").execute("LOCK TABLE t")
    watcher = open_session(fresh_database)
    with ExitStack() as stack:
        for _ in range(3):
            waiter = open_session(fresh_database)
            stack.enter_context(waiting_in_background(waiter, watcher, "SELECT * FROM t"))
        activity, result = activity_of(fresh_database)
    assert activity.blocked == 3
    assert len(activity.blocking[0].blocked_pids) == 2
    assert [each.subject for each in result.unknown] == ["who blocks the others"]


def test_a_deadlock_that_is_not_broken_yet_is_one_tree(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    one, other = (open_session(fresh_database, options="-c deadlock_timeout=60s") for _ in range(2))
    watcher = open_session(fresh_database)
    one.execute("SELECT pg_advisory_lock(1)")
    other.execute("SELECT pg_advisory_lock(2)")
    with (
        waiting_in_background(one, watcher, "SELECT pg_advisory_lock(2)"),
        waiting_in_background(other, watcher, "SELECT pg_advisory_lock(1)"),
    ):
        activity, _ = activity_of(fresh_database)
    (tree,) = activity.blocking
    assert {tree.blocker_pid, *tree.blocked_pids} == {pid(one), pid(other)}


_edges = st.dictionaries(
    st.integers(1, 12), st.frozensets(st.one_of(st.integers(1, 20), st.just("gid")), min_size=1)
).map(lambda edges: {pid: held - {pid} for pid, held in edges.items() if held - {pid}})


@given(_edges)
def test_everybody_who_waits_stands_in_a_tree_and_no_root_waits_unless_in_a_circle(
    edges: dict[int, frozenset[int | str]],
) -> None:
    trees = trees_of(edges)
    told = set(trees).union(*(set(tree) for tree in trees.values()))
    assert told == (holders_of(edges) if edges else set())
    for root, depths in trees.items():
        assert root not in depths
        for waiter, depth in depths.items():
            nearest = [
                0 if held == root else depths.get(held, 99)  # type: ignore[arg-type] # a gid waits for nobody
                for held in edges[waiter]
            ]
            assert depth == 1 + min(nearest)
