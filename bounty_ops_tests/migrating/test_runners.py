"""Runners that meet each other, the database's clients, or their end."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.errors import (
    LockNotAvailable,
    ServerUnavailable,
)
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.errors import LockHeldError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lock import APPLICATION_NAME, migration_lock
from bounty_ops.migrating.running import Limits
from bounty_ops.migrating.stepping import pause_before, run_revision
from bounty_ops_tests.migrating.lines import environment, longer_line, migrate
from bounty_ops_tests.schema.catalogue import differences, read_catalogue
from bounty_ops_tests.schema.expected import expected_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import MigrationEvidence

Connection = psycopg.Connection[Any]


def _connect(url: DatabaseUrl, *, autocommit: bool = True) -> Connection:
    return psycopg.connect(**url.conninfo(), autocommit=autocommit)  # type: ignore[arg-type] # libpq's words


def _exists(url: DatabaseUrl, table: str) -> bool:
    with _connect(url) as connection:
        return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)


def test_of_six_runners_one_applies(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plans = [plan_migration(here) for _ in range(6)]

    def run(number: int) -> str:
        return apply_migration(plans[number], here, operator=f"runner {number}").outcome

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(run, range(6)))
    assert outcomes == ["applied"] + ["nothing_to_do"] * 5
    with _connect(fresh_database) as connection:
        assert differences(expected_facts(), read_catalogue(connection)) == []


def test_a_migration_cut_off_in_the_middle_is_repeated_whole(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(
        tmp_path,
        "DO $$ BEGIN CREATE TABLE a (id int); "
        "PERFORM pg_sleep(60) FROM rate_limit WHERE id = 'slow'; END $$",
    )
    here = environment(migrated_database)
    recorded: list[MigrationEvidence] = []
    with _connect(migrated_database) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("INSERT INTO rate_limit VALUES ('slow', 'k', 1, 1)")
        plan = plan_migration(here, line)
        running = pool.submit(
            apply_migration, plan, here, operator="test", lineage=line, record=recorded.append
        )
        _terminate(connection, "query LIKE '%%pg_sleep%%'")
        with pytest.raises(ServerUnavailable):
            running.result()
        connection.execute("DELETE FROM rate_limit")
    assert read_facts(migrated_database, line).revision == "bounty_0001"
    assert [each.outcome for each in recorded] == ["failed"]
    assert migrate(migrated_database, line).revisions == ("bounty_0002",)
    assert _exists(migrated_database, "public.a")


def test_a_runner_that_loses_its_lock_stops(fresh_database: DatabaseUrl) -> None:
    def lose_it() -> None:
        with _connect(fresh_database) as connection, migration_lock(fresh_database) as lock:
            lock.require()
            _terminate(connection, "query LIKE '%%pg_locks%%'")
            lock.require()

    with pytest.raises(ServerUnavailable):
        lose_it()
    with migration_lock(fresh_database, wait_seconds=30):
        pass


def test_who_holds_the_lock_is_named(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plan = plan_migration(here)
    with migration_lock(fresh_database), _connect(fresh_database) as connection:
        row = connection.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            (APPLICATION_NAME,),
        ).fetchone()
        assert row is not None
        with pytest.raises(LockHeldError, match=f"pid {row[0]}, .*bounty-ops migrate") as caught:
            apply_migration(plan, here, operator="test", wait_seconds=0.3)
    assert "Wait" in caught.value.hint
    assert apply_migration(plan, here, operator="test").outcome == "applied"


def test_the_lock_of_one_database_is_free_in_another(
    make_database: Callable[[], DatabaseUrl],
) -> None:
    with migration_lock(make_database()), migration_lock(make_database(), wait_seconds=0):
        pass


def test_a_client_in_the_way_is_not_waited_for_forever(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path, "ALTER TABLE invite ADD note text")
    here = environment(migrated_database)
    plan = plan_migration(here, line)
    with _connect(migrated_database, autocommit=False) as client:
        client.execute("SELECT FROM invite")
        with pytest.raises(LockNotAvailable):
            apply_migration(plan, here, operator="test", lineage=line)
    evidence = apply_migration(plan, here, operator="test", lineage=line)
    assert evidence.revisions == ("bounty_0002",)


def test_another_attempt_is_made_when_the_client_is_gone(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path, "ALTER TABLE invite ADD note text")
    pauses: list[float] = []
    with _connect(migrated_database, autocommit=False) as client:
        client.execute("SELECT FROM invite")

        def leave_after_the_second_pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                client.rollback()

        run = run_revision(
            migrated_database,
            line.directory(),
            "bounty_0002",
            limits=Limits(lock_timeout_seconds=0.1, attempts=9),
            sleep=leave_after_the_second_pause,
        )
    assert (run.attempts, [each.attempts for each in run.statements]) == (3, [3])
    assert pause_before(2) <= pauses[0] <= pause_before(2, 1) < pauses[1] <= pause_before(3, 1)
    assert read_facts(migrated_database, line).revision == "bounty_0002"


def test_pauses_grow_and_stay_bounded() -> None:
    pauses = [pause_before(attempt) for attempt in range(2, 102)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, 30.0)


def _terminate(connection: Connection, condition: str) -> None:
    """End a migration's connection as soon as there is one that fits."""
    statement = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name LIKE 'bounty-ops migrate%%' "
        f"AND pid <> pg_backend_pid() AND datname = current_database() AND {condition}"
    ).encode()
    while connection.execute(statement, ()).fetchone() is None:
        time.sleep(0.02)


def test_without_its_lock_a_runner_does_not_go_on(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(
        tmp_path,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        "CREATE TABLE a (id int)",
    )
    with pytest.raises(ServerUnavailable):
        migrate(fresh_database, line)
    assert read_facts(fresh_database, line).revision == "bounty_0002"
    assert migrate(fresh_database, line).revisions == ("bounty_0003",)
