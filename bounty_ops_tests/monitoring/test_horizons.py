"""Who holds VACUUM back, which slots keep WAL, and what prepared transactions block."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import (
    Activity,
    CollectionResult,
    Replication,
    ServerSettings,
    collect,
)
from bounty_ops.monitoring.collectors.horizons import Horizon, newest_last
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import all_server_majors, running_server
from bounty_ops_tests.monitoring.conftest import (
    Session,
    environment_of,
    eventually,
    execute,
    waiting_in_background,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

MAJORS = [
    pytest.param(major, marks=[] if major == all_server_majors()[-1] else [pytest.mark.soak])
    for major in all_server_majors()
]


@pytest.fixture(scope="session", params=MAJORS)
def liberal_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatabaseUrl]:
    """A server that allows prepared transactions and logical slots."""
    programs = find_programs(request.param, server=True)
    directory = tmp_path_factory.mktemp(f"liberal{request.param}")
    settings = {"wal_level": "logical", "max_prepared_transactions": "5"}
    with running_server(programs, directory, settings) as url:
        yield url


def collected(url: DatabaseUrl, *families: str) -> CollectionResult:
    return collect(environment_of(url, slow_query_seconds=0.000_001), families=families)


def activity_of(url: DatabaseUrl) -> Activity:
    activity = collected(url, "activity").family(Activity)
    assert activity is not None
    return activity


@contextlib.contextmanager
def prepared_transaction(url: DatabaseUrl, gid: str, statement: str) -> Iterator[None]:
    execute(url, f"BEGIN; {statement}; PREPARE TRANSACTION '{gid}'")
    try:
        yield
    finally:
        execute(url, f"ROLLBACK PREPARED '{gid}'")


def test_a_prepared_transaction_blocks_and_holds_vacuum_back_and_has_no_session(
    liberal_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(liberal_server, "CREATE TABLE IF NOT EXISTS held (id int)")
    execute(liberal_server, "INSERT INTO held VALUES (1)")
    waiter, watcher = open_session(liberal_server), open_session(liberal_server)
    with (
        prepared_transaction(liberal_server, "a reader", "SELECT txid_current() FROM held"),
        prepared_transaction(liberal_server, "payment 7", "UPDATE held SET id = 2"),
        waiting_in_background(waiter, watcher, "CREATE INDEX ON held (id)"),
    ):
        activity = activity_of(liberal_server)
    assert activity.prepared == 2
    assert activity.oldest_prepared_seconds > 0
    (tree,) = activity.blocking
    assert (tree.blocker_pid, tree.prepared, tree.state) == (0, "payment 7", "prepared")
    assert tree.blocked_pids == (waiter.info.backend_pid,)
    assert {each.name for each in activity.horizons if each.kind == "prepared"} == {
        "payment 7",
        "a reader",
    }


def test_the_oldest_view_is_told_with_its_age_and_vacuum_itself_is_not(
    liberal_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    old = open_session(liberal_server, autocommit="no", application_name="report")
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.execute("SELECT 1")
    for _ in range(12):
        execute(liberal_server, "SELECT pg_current_xact_id()")
    activity = activity_of(liberal_server)
    held = activity.horizons[0]
    assert (held.kind, held.name, held.application) == (
        "backend",
        f"pid {old.info.backend_pid}",
        "report",
    )
    assert held.xid_age >= 12
    assert held.xid_age == activity.oldest_xmin_age
    old.rollback()
    assert activity_of(liberal_server).oldest_xmin_age == 0


@pytest.fixture
def slots(liberal_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    execute(liberal_server, "SELECT pg_create_physical_replication_slot('idle', true)")
    execute(liberal_server, "SELECT pg_create_logical_replication_slot('gone', 'pgoutput')")
    yield liberal_server
    for name in ("idle", "gone"):
        execute(liberal_server, f"SELECT pg_drop_replication_slot('{name}')")


def test_a_slot_that_nobody_uses_is_told_with_the_wal_it_keeps(slots: DatabaseUrl) -> None:
    execute(slots, "SELECT pg_logical_emit_message(false, 'x', repeat('x', 50000))")
    execute(slots, "SELECT pg_switch_wal()")
    result = collected(slots, "replication", "activity")
    replication = result.family(Replication)
    assert replication is not None
    assert [(each.name, each.kind, each.active) for each in replication.slots] == [
        ("gone", "logical", False),
        ("idle", "physical", False),
    ]
    assert all((each.retained_bytes or 0) >= 50_000 for each in replication.slots)
    assert {each.wal_status for each in replication.slots} <= {"reserved", "extended"}
    assert (replication.slots_inactive, replication.hidden) == (2, 0)
    assert replication.retained_bytes == max(each.retained_bytes or 0 for each in replication.slots)
    activity = result.family(Activity)
    assert activity is not None
    (held,) = [each for each in activity.horizons if each.kind == "slot"]
    assert (held.name, held.catalog_only, held.state) == ("gone", True, "inactive")


def test_a_setting_that_waits_for_a_restart_is_told(
    liberal_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(liberal_server)

    def waiting() -> set[str]:
        settings = collected(liberal_server, "settings").family(ServerSettings)
        assert settings is not None
        names = {each.name for each in settings.settings if each.pending_restart}
        assert settings.pending_restart == len(names)
        return names

    session.execute("ALTER SYSTEM SET max_locks_per_transaction = 77")
    try:
        session.execute("SELECT pg_reload_conf()")
        eventually(lambda: bool(waiting()))
        assert waiting() == {"max_locks_per_transaction"}
    finally:
        session.execute("ALTER SYSTEM RESET max_locks_per_transaction")
        session.execute("SELECT pg_reload_conf()")


def horizon(kind: str, name: str, age: int) -> Horizon:
    return Horizon.model_validate(
        {"kind": kind, "name": name, "xid_age": age, "catalog_only": False}
        | dict.fromkeys(["user", "application", "state", "seconds"])
    )


def test_of_each_kind_the_oldest_are_told_oldest_first() -> None:
    held = [horizon("backend", f"pid {n}", n) for n in range(9)] + [horizon("slot", "s", 5)]
    assert [each.name for each in newest_last(held)] == ["pid 8", "pid 7", "pid 6", "s"]
