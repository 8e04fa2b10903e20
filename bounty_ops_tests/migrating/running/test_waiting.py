"""Who stands in the way is named, and who waits behind does not wait for long."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.errors import LockNotAvailable
from bounty_ops.migrating.running import Blocker, Limits, Observer
from bounty_ops.migrating.running.blockers import listed
from bounty_ops.migrating.stepping import run_revision
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.running import Underway


class _Ear(Observer):
    def __init__(self) -> None:
        self.blockers: list[tuple[Blocker, ...]] = []
        self.pauses: list[str] = []
        self.waited: dict[int, float] = {}
        """By attempt, as it was told last."""

    def waits(self, statement: Underway, blockers: tuple[Blocker, ...], seconds: float) -> None:
        assert (statement.number, seconds >= 0) == (1, True)
        self.blockers.append(blockers)
        self.waited[len(self.pauses)] = seconds

    def retries(self, revision: str, attempt: int, pause_seconds: float, why: str) -> None:
        self.pauses.append(f"{revision} {attempt} {pause_seconds >= 1} {why}")


def _client(url: DatabaseUrl, name: str) -> psycopg.Connection[Any]:
    connection = connect(url, autocommit=False)
    connection.execute(f"SET application_name = '{name}'".encode())
    connection.commit()
    return connection


def test_the_blocker_is_named_without_its_data(table: DatabaseUrl, tmp_path: Path) -> None:
    ear = _Ear()
    line = short_line(tmp_path, executes("ALTER TABLE t ADD c int"))
    with _client(table, "web") as client:
        client.execute("SELECT FROM t WHERE b = 'a secret'")
        pid = client.info.backend_pid
        with pytest.raises(LockNotAvailable) as caught:
            move(table, line, ear, lock_timeout_seconds=0.3)
    said = str(caught.value)
    assert f"waited for pid {pid}, application 'web', role postgres, in a transaction" in said
    assert "SELECT FROM t WHERE b = ?" in said
    assert "ALTER TABLE t ADD c int" in said
    assert "pg_terminate_backend" in caught.value.hint
    assert {each.pid for seen in ear.blockers for each in seen} == {pid}


def test_waiting_is_counted_over_all_attempts(table: DatabaseUrl, tmp_path: Path) -> None:
    ear = _Ear()
    line = short_line(tmp_path, executes("ALTER TABLE t ADD c int"))
    began = time.monotonic()
    with _client(table, "web") as client:
        client.execute("SELECT FROM t")
        run = run_revision(
            table,
            line.directory(),
            "bounty_0001",
            limits=Limits(lock_timeout_seconds=0.3),
            observer=ear,
            sleep=lambda _: client.rollback() if len(ear.pauses) == 2 else None,
        )
    assert (run.attempts, run.statements[0].attempts) == (3, 3)
    assert set(ear.waited) == {0, 1}
    waited = run.statements[0].waited_seconds
    assert sum(ear.waited.values()) <= waited < time.monotonic() - began
    assert [pause[:19] for pause in ear.pauses] == ["bounty_0001 2 True ", "bounty_0001 3 True "]
    assert "application 'web'" in ear.pauses[0]


def test_what_an_attempt_before_has_done_apart_keeps_its_record(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    line = short_line(
        tmp_path, apart("UPDATE t SET b = b || pg_sleep(0.002)", "ALTER TABLE t ADD c int")
    )
    with _client(table, "web") as client:
        client.execute("SELECT FROM t")
        run = run_revision(
            table,
            line.directory(),
            "bounty_0001",
            limits=Limits(lock_timeout_seconds=0.2),
            sleep=lambda _: client.rollback(),
        )
    first, second = run.statements
    assert (run.attempts, first.times, first.attempts, first.rows) == (2, 1, 1, 100)
    assert first.seconds >= 0.2
    assert [lock.relation for lock in first.locks] == ["public.t", "public.t_pkey"]
    assert (second.attempts, second.waited_seconds > 0.1) == (2, True)


def test_a_prepared_transaction_has_no_session() -> None:
    row = (0, None, None, None, None, None, None)  # as pg_blocking_pids tells of one
    assert listed([Blocker.of(row)]).startswith("a prepared transaction")


class _Reader(threading.Thread):
    """An application that reads a table again and again, and notes its longest wait."""

    def __init__(self, url: DatabaseUrl, name: str) -> None:
        super().__init__(daemon=True)
        self._url, self._table = url, name
        self.over = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        with connect(self._url) as connection:
            while not self.over.wait(0.005):
                began = time.monotonic()
                connection.execute(f"SELECT count(*) FROM {self._table}".encode())
                self.longest = max(self.longest, time.monotonic() - began)


def test_it_gives_way_to_those_who_wait_for_what_it_holds(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    """Each of its waits would be shorter than the timeout, but not all of them together."""
    with connect(table) as connection:
        connection.execute("CREATE TABLE u (id int)")
        connection.execute("CREATE TABLE v (id int)")
    body = executes("ALTER TABLE t ADD c int", "ALTER TABLE u ADD c int", "ALTER TABLE v ADD c int")
    line = short_line(tmp_path, body)
    reader = _Reader(table, "t")
    with _client(table, "a") as one, _client(table, "b") as other:

        class LetsGo(Observer):
            def waits(
                self, statement: Underway, blockers: tuple[Blocker, ...], seconds: float
            ) -> None:
                if statement.number == 2 and blockers and seconds > 3:
                    one.rollback()

        one.execute("SELECT FROM u")
        other.execute("SELECT FROM v")
        reader.start()
        run = run_revision(
            table,
            line.directory(),
            "bounty_0001",
            limits=Limits(lock_timeout_seconds=5.0, attempts=3),
            observer=LetsGo(),
            sleep=lambda _: other.rollback(),
        )
    reader.over.set()
    reader.join()
    # Without giving way a reader would wait for more than three seconds and another five.
    assert (run.attempts, run.gave_way) == (2, 1)
    assert run.queue_seconds < reader.longest + 0.1
