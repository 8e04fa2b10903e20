"""Whoever has the lock is alone at work, and whoever is gone does not keep it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import MigrationError, ServerUnavailable
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.apply import locked
from bounty_ops.migrating.errors import LockHeldError
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.migrating.running import Limits
from bounty_ops.migrating.running.session import working_session
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.running.cutting import Wire
from bounty_ops_tests.migrating.running.runners import Runner
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl


def _sessions(url: DatabaseUrl) -> int:
    with connect(url) as connection:
        # One that was ended is still listed when its locks are gone, and can do nothing any more.
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = 'bounty-ops migrate (runner)' "
            "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _lose_lock(url: DatabaseUrl) -> None:
    with connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND objid = 1 AND database = (SELECT oid FROM pg_database "
            "WHERE datname = current_database())"
        )


def test_two_sessions_never_work_at_once(fresh_database: DatabaseUrl) -> None:
    """The first one's lock was lost, whatever it is doing: the second one ends it."""

    def first_runner() -> None:
        with (
            migration_lock(fresh_database) as first,
            working_session(fresh_database, Limits(), lock=first) as working,
        ):
            working.exec_driver_sql("CREATE TABLE half (id int)")
            _lose_lock(fresh_database)
            with (
                migration_lock(fresh_database) as second,
                working_session(fresh_database, Limits(), lock=second),
            ):
                assert _sessions(fresh_database) == 1
            with pytest.raises(DBAPIError, match="terminating connection"):
                working.exec_driver_sql("SELECT 1")
            working.invalidate()
            with working_session(fresh_database, Limits(), lock=first):
                raise AssertionError("it got another session without its lock")

    with pytest.raises(ServerUnavailable):
        first_runner()
    assert wait_until(lambda: _sessions(fresh_database) == 0, 30)


def test_a_runner_that_cannot_be_ended_is_named(fresh_database: DatabaseUrl) -> None:
    name = f"runner_{fresh_database.database}"
    with connect(fresh_database) as client:
        client.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'r'".encode())
        try:
            other = dataclasses.replace(fresh_database, user=name, password="r")
            row = client.execute("SELECT pg_try_advisory_lock(1651470451, 2)").fetchone()
            assert row == (True,)
            with (
                pytest.raises(LockHeldError, match="role postgres") as caught,
                migration_lock(other),
            ):
                pass
            assert "superuser" in caught.value.hint
        finally:
            client.execute("SELECT pg_advisory_unlock_all()")
            client.execute(f"DROP ROLE {name}".encode())


@pytest.mark.soak
def test_a_runner_whose_network_fell_silent_does_not_keep_the_lock(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    """Its connections stay open: neither side hears that the other is gone."""
    line = short_line(
        tmp_path,
        executes("ALTER TABLE t ADD c int", "SELECT pg_sleep(2)"),  # longer than the silence
        apart("CREATE INDEX CONCURRENTLY i ON t (b)"),
    )
    with Wire(table) as wire:
        plan = plan_migration(environment(wire.url), line)
        with Runner(wire.url, line.directory(), plan, {}, silence_seconds=1.0) as runner:
            while (told := runner.next()) and told[:2] != ("began", "bounty_0002"):
                pass
            wire.fall_silent()
            assert move(table, line).revisions == ("bounty_0002",)
            assert runner.outcome is None


def test_a_pooler_is_refused_by_its_address(fresh_database: DatabaseUrl) -> None:
    pooled = dataclasses.replace(fresh_database, host="db-pooler.example.org")
    with pytest.raises(MigrationError, match="transaction pooler"), locked(pooled):
        pass
