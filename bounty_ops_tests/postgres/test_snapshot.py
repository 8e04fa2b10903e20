"""Nothing changes under a locked snapshot, and who stands in its way is named."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.errors import BackupError, LockNotAvailable, PostgresError
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import fingerprint_tables
from bounty_ops.postgres.snapshot import LockedSnapshot, locked_snapshot
from bounty_ops_tests.fix_backups import holding, run, sessions, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

THOUSAND = "INSERT INTO t SELECT g, g::text FROM generate_series(1, 1000) g"


@pytest.fixture
def table(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with 1,000 rows in `t`."""
    run(fresh_database, "CREATE TABLE t (i integer, x text)", THOUSAND)
    return fresh_database


def rows_seen(snapshot: LockedSnapshot) -> dict[str, int]:
    found = fingerprint_tables(snapshot.connection, snapshot.relations)
    return {one.name: one.rows for one in found}


def in_background(work: Callable[[], Any]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


FORBIDDEN = [
    "TRUNCATE t",
    "ALTER TABLE t ALTER COLUMN i TYPE bigint",
    "ALTER TABLE t ADD COLUMN r double precision DEFAULT random()",
    "DROP TABLE t",
    "ALTER TABLE t RENAME TO u",
    "VACUUM FULL t",
    "CLUSTER t USING t_i",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_nobody_can_empty_or_rewrite_a_table_under_a_locked_snapshot(
    table: DatabaseUrl, statement: str
) -> None:
    run(table, "CREATE INDEX t_i ON t (i)")
    with (
        locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1) as snapshot,
        connect(table, application_name="tests", lock_timeout_ms=50) as other,
    ):
        with pytest.raises(Exception, match="lock timeout"):
            other.execute(statement.encode())

        assert rows_seen(snapshot) == {"t": 1000}


def test_rows_may_change_meanwhile_and_are_not_seen(table: DatabaseUrl) -> None:
    with locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1) as snapshot:
        run(table, "DELETE FROM t WHERE i > 10", "CREATE TABLE u AS TABLE t", "VACUUM t")

        assert rows_seen(snapshot) == {"t": 1000}

    assert value(table, "SELECT count(*) FROM t") == 10


def test_the_snapshot_is_younger_than_the_locks(table: DatabaseUrl) -> None:
    # A TRUNCATE is not versioned: to a snapshot from before it the table is empty, for ever.
    seen: list[dict[str, int]] = []

    def back_up() -> None:
        with locked_snapshot(table, lock_timeout_seconds=30, lock_attempts=1) as snapshot:
            seen.append(rows_seen(snapshot))

    with holding(table, "TRUNCATE t") as other:
        other.execute(THOUSAND.encode())
        backup = in_background(back_up)
        while not value(
            table, "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
        ):
            pass
    backup.join()

    assert seen == [{"t": 1000}]


def test_a_table_that_appears_while_locks_are_waited_for_is_seen(table: DatabaseUrl) -> None:
    seen: list[tuple[int, dict[str, int]]] = []

    def back_up() -> None:
        with locked_snapshot(table, lock_timeout_seconds=30, lock_attempts=3) as snapshot:
            seen.append((snapshot.attempts, rows_seen(snapshot)))

    with holding(table, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE") as other:
        other.execute("CREATE TABLE late AS SELECT 1 AS one")
        backup = in_background(back_up)
        while not value(
            table, "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
        ):
            pass
    backup.join()

    assert seen == [(2, {"t": 1000, "late": 1})]


def test_a_table_that_disappears_meanwhile_is_no_obstacle(table: DatabaseUrl) -> None:
    seen: list[dict[str, int]] = []
    run(table, "CREATE TABLE gone (i integer)")

    def back_up() -> None:
        with locked_snapshot(table, lock_timeout_seconds=30, lock_attempts=3) as snapshot:
            seen.append(rows_seen(snapshot))

    with holding(table, "DROP TABLE gone"):
        backup = in_background(back_up)
        while not value(
            table, "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessShareLock'"
        ):
            pass
    backup.join()

    assert seen == [{"t": 1000}]


def test_who_is_in_the_way_is_named_without_what_it_runs(table: DatabaseUrl) -> None:
    pauses: list[float] = []

    with holding(table, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE") as other:
        other.execute("SELECT 'a secret literal'")
        with (
            pytest.raises(LockNotAvailable) as caught,
            locked_snapshot(table, lock_timeout_seconds=0.05, lock_attempts=3, pause=pauses.append),
        ):
            pass
        pid = other.info.backend_pid

    message = str(caught.value)
    assert f"process {pid} (in the way, idle in transaction" in message
    assert "holds public.t" in message
    assert "3 attempts" in message
    assert "literal" not in message
    assert pauses == [0.2, 0.4]


def test_an_attempt_that_failed_leaves_no_lock(table: DatabaseUrl) -> None:
    run(table, "CREATE TABLE a (i integer)")
    locks: list[int] = []

    def look(_seconds: float) -> None:
        locks.append(
            value(
                table,
                "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
                " WHERE c.relname = 'a'",
            )
        )

    with (
        holding(table, "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"),
        pytest.raises(LockNotAvailable),
        locked_snapshot(table, lock_timeout_seconds=0.05, lock_attempts=2, pause=look),
    ):
        pass

    assert locks == [0]


def test_the_second_backup_of_a_database_is_refused(table: DatabaseUrl) -> None:
    with (
        locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1),
        pytest.raises(BackupError, match=r"another backup of .* is under way"),
        locked_snapshot(
            table, lock_timeout_seconds=1, lock_attempts=2, pause=lambda _seconds: None
        ),
    ):
        pass


def test_nothing_stays_on_the_server(table: DatabaseUrl) -> None:
    with locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1):
        assert "bounty-ops backup" in sessions(table)

    with (
        pytest.raises(KeyboardInterrupt),
        locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1),
    ):
        raise KeyboardInterrupt

    while "bounty-ops backup" in sessions(table):  # the server needs a moment to notice
        pass


def test_timeouts_of_the_role_do_not_end_a_long_backup(table: DatabaseUrl) -> None:
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        # From elsewhere: the second of these may take longer than the first one allows.
        run(
            table.with_database("postgres"),
            f"ALTER DATABASE {table.database} SET {name} = '50ms'",
        )

    with locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1) as snapshot:
        snapshot.connection.execute("SELECT pg_sleep(0.2)")
        threading.Event().wait(0.2)

        assert rows_seen(snapshot) == {"t": 1000}


def test_somebody_who_waits_is_noticed(table: DatabaseUrl) -> None:
    with locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1) as snapshot:
        assert not snapshot.somebody_waits()
        waiter = in_background(lambda: run(table, "ALTER TABLE t ADD COLUMN y integer"))
        while not snapshot.somebody_waits():
            pass
        assert rows_seen(snapshot) == {"t": 1000}  # it holds its locks already
        snapshot.release_tables()
        waiter.join()


def test_a_lost_connection_is_told_as_such(table: DatabaseUrl) -> None:
    def lose_it() -> None:
        with locked_snapshot(table, lock_timeout_seconds=1, lock_attempts=1) as snapshot:
            run(table.with_database("postgres"), f"SELECT pg_terminate_backend({snapshot.pid})")
            snapshot.connection.execute("SELECT 1")

    with pytest.raises(PostgresError, match="closed the connection"):
        lose_it()


def test_an_empty_database_has_a_snapshot_too(fresh_database: DatabaseUrl) -> None:
    with locked_snapshot(fresh_database, lock_timeout_seconds=1, lock_attempts=1) as snapshot:
        assert rows_seen(snapshot) == {}
