"""DDL that starts together with a backup: what is in the archive is what the manifest says.

The rewriting statements are not versioned. A snapshot from before them sees an empty table, pg_dump
then ends well, and a fingerprint in the same snapshot agrees with it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import BackupError, LockNotAvailable
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_backups import Backups

ROWS = 500
FILL = f"INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, {ROWS}) g"
DISTURBANCES = {
    "truncate": ["BEGIN", "TRUNCATE t", FILL, "COMMIT"],
    "rewrite": [
        "ALTER TABLE t ALTER COLUMN i TYPE bigint",
        "ALTER TABLE t ALTER COLUMN i TYPE integer",
    ],
    "recreate": ["BEGIN", "DROP TABLE t", "CREATE TABLE t (i integer, x text)", FILL, "COMMIT"],
    "rename": ["ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t"],
}
BACKUPS = 6
#: Of each disturbance; 200 races together.
BACKUPS_IN_A_SOAK = 50


@pytest.fixture
def table(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with some rows in `t`, and tables around it that take time to lock."""
    run(
        fresh_database,
        "CREATE TABLE t (i integer, x text)",
        FILL,
        *(f"CREATE TABLE a{number} (i integer)" for number in range(20)),
        *(f"CREATE TABLE z{number} (i integer)" for number in range(20)),
    )
    return fresh_database


@dataclass
class Disturbed:
    """A database, while somebody changes a table some times a second."""

    url: DatabaseUrl
    pause_seconds: float = 0.15

    def give_way(self) -> None:
        """Let a machine that is busy with other things get a backup in between."""
        self.pause_seconds *= 2


@pytest.fixture(params=sorted(DISTURBANCES))
def disturbed(table: DatabaseUrl, request: pytest.FixtureRequest) -> Iterator[Disturbed]:
    """The database, while somebody changes the table some times a second."""
    stop = threading.Event()
    one = Disturbed(table)

    def disturb() -> None:
        with connect(table, application_name="disturbs") as connection:
            while not stop.wait(one.pause_seconds):
                for statement in DISTURBANCES[request.param]:
                    connection.execute(statement.encode())

    thread = threading.Thread(target=disturb)
    thread.start()
    yield one
    stop.set()
    thread.join()


def rows_in_archive(
    backups: Backups, manifest: Manifest, programs: Programs, tmp_path: Path
) -> int:
    """What a restore would bring back of the table, read from the archive itself."""
    path = tmp_path / manifest.id
    with path.open("wb") as file:
        backups.store.download(manifest.archive.key, file)
    arguments = ["--data-only", "--table=t", "--table=u", "--file=-", str(path)]
    text = run_program(programs, "pg_restore", arguments)
    return sum(line.split("\t")[0].isdigit() for line in text.splitlines())


@pytest.mark.parametrize(
    "count",
    [BACKUPS, pytest.param(BACKUPS_IN_A_SOAK, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])],
)
@pytest.mark.many(every=2)
def test_no_backup_is_empty_or_mixed(
    disturbed: Disturbed, backups: Backups, pg_programs: Programs, tmp_path: Path, count: int
) -> None:
    taken = 0
    for _ in range(count):
        try:
            manifest = backups.take(disturbed.url, lock_timeout_seconds=0.3, lock_attempts=20)
        except (LockNotAvailable, BackupError) as error:
            if isinstance(error, BackupError) and "did not hold still" not in str(error):
                raise
            disturbed.give_way()  # told, and nothing is there: an honest answer too
            continue
        taken += 1
        tables = {one.name: one.rows for one in manifest.tables}
        assert tables.get("t", tables.get("u")) == ROWS
        assert rows_in_archive(backups, manifest, pg_programs, tmp_path) == ROWS

    assert taken == len(backups.journal.summaries())
    assert taken > 0
    assert backups.left_over() == []
