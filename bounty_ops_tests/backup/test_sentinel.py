"""A backup gives way to who waits behind it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup import content
from bounty_ops.errors import BackupError
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_backups import run, value

if TYPE_CHECKING:
    from typing import Any

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_backups import Backups


@pytest.fixture
def slow(
    fresh_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> tuple[DatabaseUrl, threading.Event]:
    """A database whose rows are read slowly, until the event is set."""
    run(fresh_database, "CREATE TABLE t AS SELECT g AS i FROM generate_series(1, 100) g")
    go_on = threading.Event()
    read_tables = content.read_tables

    def slowly(connection: Any, *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - passed through
        while not go_on.is_set():
            connection.execute("SELECT pg_sleep(0.1)")
        return read_tables(connection, *arguments, **keywords)

    monkeypatch.setattr(content, "read_tables", slowly)
    return fresh_database, go_on


def alter(url: DatabaseUrl, go_on: threading.Event) -> None:
    with connect(url, application_name="changes") as connection:
        connection.execute("ALTER TABLE t ADD COLUMN waited integer")
    go_on.set()


def test_an_alter_table_is_let_through_and_the_backup_begins_again(
    slow: tuple[DatabaseUrl, threading.Event], backups: Backups
) -> None:
    url, go_on = slow
    other = threading.Thread(target=alter, args=(url, go_on))

    def start_it(_done: int) -> None:
        if not other.is_alive() and not go_on.is_set():
            other.start()

    manifest = backups.take(url, start_it, give_way_after_seconds=0.5)
    other.join()

    assert value(url, "SELECT count(*) FROM information_schema.columns WHERE table_name = 't'") == 2
    assert any("waited" in line for line in manifest.inventory["columns"])
    assert backups.verify(manifest).verdict is Verdict.PROVED
    assert backups.left_over() == []


def test_who_never_gets_through_is_told_and_nothing_stays(
    slow: tuple[DatabaseUrl, threading.Event], backups: Backups
) -> None:
    url, _ = slow
    stop = threading.Event()

    def keep_asking() -> None:
        with connect(url, application_name="changes") as connection:
            while not stop.is_set():
                with connection.transaction():
                    connection.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
                stop.wait(0.05)

    other = threading.Thread(target=keep_asking)
    other.start()
    try:
        with pytest.raises(BackupError, match="gave way"):
            backups.take(url, give_way_after_seconds=0.3, lock_attempts=2)
    finally:
        stop.set()
        other.join()

    assert backups.keys() == []
    assert backups.left_over() == []
