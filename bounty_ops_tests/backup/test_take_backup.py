"""A backup is whole or not there, whatever happens while it is taken."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from bounty_ops.backup import content, plan_backup, sending, take_backup
from bounty_ops.environments import DatabaseUrl, Environment, ObjectStoreSettings, Policy
from bounty_ops.errors import (
    BackupError,
    InsufficientPrivilege,
    JournalError,
    LockNotAvailable,
    ObjectStoreError,
    PostgresError,
    ProgramFailed,
)
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.fingerprint import fingerprint_tables
from bounty_ops.postgres.run import start_program
from bounty_ops_tests.fix_backups import Backups, holding, make_role, run, sessions, value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from bounty_ops.journal.records import Manifest

#: Incompressible, so that an archive of it has several parts of a multipart upload.
LARGE = (
    "CREATE TABLE large AS SELECT g AS id, (SELECT string_agg(md5(random()::text || g || i), '')"
    " FROM generate_series(1, 40) i) AS body FROM generate_series(1, 24000) g"
)
ENOUGH_BYTES = 12 << 20
FAST: dict[str, Any] = {"lock_timeout_seconds": 0.1, "lock_attempts": 2}


@pytest.fixture(scope="module")
def large(pg_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """A database of some 30 MB, which these tests read only."""
    url = pg_server.with_database("large")
    run(pg_server, "CREATE DATABASE large")
    run(url, LARGE)
    yield url
    # A worker that takes tests over from another may come back to this module later.
    run(pg_server, "DROP DATABASE large WITH (FORCE)")


def children(name: str) -> list[int]:
    """Process ids of programs of this name that this process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            comm, _, rest = (entry / "stat").read_text("utf-8").partition(") ")
        except OSError:
            continue
        if comm.endswith(f"({name}") and int(rest.split()[1]) == os.getpid():
            found.append(int(entry.name))
    return found


def nothing_is_left(backups: Backups, url: DatabaseUrl) -> None:
    assert backups.journal.summaries() == []
    assert backups.left_over() == []
    assert children("pg_dump") == []
    while any("bounty-ops" in name for name in sessions(url)):
        pass  # the server needs a moment to notice


class Once:
    """Does something as soon as enough bytes have passed, once."""

    def __init__(self, work: Callable[[], Any], after: int = ENOUGH_BYTES) -> None:
        self.work = work
        self.after = after
        self.done = False

    def __call__(self, count: int) -> None:
        if count >= self.after and not self.done:
            self.done = True
            self.work()


def test_a_backup_is_listed_as_what_it_is(zoo: DatabaseUrl, backups: Backups) -> None:
    run(
        zoo,
        "CREATE SCHEMA bounty_ops",
        "CREATE TABLE bounty_ops.alembic_version (version_num text)",
        "INSERT INTO bounty_ops.alembic_version VALUES ('0001')",
    )
    seen: list[int] = []

    manifest = backups.take(zoo, progress=seen.append)

    [summary] = backups.journal.summaries()
    stored = backups.store.head(manifest.archive.key)
    assert stored is not None
    assert summary.state == "complete"
    assert summary.verdict == "unverified"
    assert summary.sha256 == manifest.archive.sha256
    assert stored.size_bytes == manifest.archive.size_bytes == max(seen)
    assert backups.journal.read_manifest("development", manifest.id) == manifest
    assert manifest.revision == "0001"
    assert manifest.database == zoo.database
    assert manifest.server_version == manifest.client_version
    assert manifest.taken_by == "a test"
    assert manifest.taken_at <= manifest.finished_at
    assert manifest.lsn is not None
    assert {one.name: one.last_value for one in manifest.sequences}["downwards"] == -50
    assert backups.left_over() == []


def test_no_secret_is_stored(zoo: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(zoo)

    text = backups.journal.manifest_bytes(manifest.environment, manifest.id).decode()
    assert zoo.password is not None
    assert zoo.password not in text
    assert "planted-secret" not in text


def test_an_empty_database_is_backed_up(fresh_database: DatabaseUrl, backups: Backups) -> None:
    manifest = backups.take(fresh_database)

    assert manifest.tables == ()
    assert manifest.revision is None
    assert backups.journal.summaries()[0].state == "complete"


def test_a_role_that_may_only_read_can_back_up(zoo: DatabaseUrl, backups: Backups) -> None:
    make_role(zoo, "only_reads")
    run(
        zoo,
        "GRANT pg_read_all_data TO only_reads",
        "ALTER ROLE only_reads BYPASSRLS",
        *(f"GRANT SELECT ON LARGE OBJECT {oid} TO only_reads" for oid in (70001, 70002, 70003)),
    )
    whole = backups.take(zoo)

    limited = backups.take(dataclasses.replace(zoo, user="only_reads", password="only_reads"))

    assert limited.tables == whole.tables
    assert limited.inventory == whole.inventory


def test_pg_dump_killed_half_way_leaves_nothing(large: DatabaseUrl, backups: Backups) -> None:
    def kill() -> None:
        [pid] = children("pg_dump")
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(ProgramFailed, match="pg_dump was killed by SIGKILL"):
        backups.take(large, progress=Once(kill), compression="none")

    nothing_is_left(backups, large)
    assert backups.take(large).rows == 24_000


def test_pg_dump_killed_at_the_start_leaves_nothing(zoo: DatabaseUrl, backups: Backups) -> None:
    def kill() -> None:
        [pid] = children("pg_dump")
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(ProgramFailed, match="pg_dump"):
        backups.take(zoo, progress=Once(kill, after=0), compression="none")

    nothing_is_left(backups, zoo)


def test_a_server_that_drops_everybody_half_way_leaves_nothing(
    large: DatabaseUrl, backups: Backups
) -> None:
    def drop() -> None:
        run(
            large.with_database("postgres"),
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{large.database}'",
        )

    with pytest.raises(PostgresError):
        backups.take(large, progress=Once(drop), compression="none")

    nothing_is_left(backups, large)


def test_losing_the_locks_alone_is_enough_to_give_up(large: DatabaseUrl, backups: Backups) -> None:
    # pg_dump would go on and end well. Nobody would know what the tables should hold.
    def drop() -> None:
        run(
            large.with_database("postgres"),
            # The session that holds them was there before pg_dump's.
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE application_name = 'bounty-ops backup' AND datname = '{large.database}'"
            " ORDER BY backend_start LIMIT 1",
        )

    with pytest.raises(PostgresError, match="closed the connection"):
        backups.take(large, progress=Once(drop, after=0), compression="none")

    nothing_is_left(backups, large)


def test_ctrl_c_half_way_leaves_nothing(large: DatabaseUrl, backups: Backups) -> None:
    def interrupt() -> None:
        # In the middle of sending parts. A request to begin an upload whose answer is cut off may
        # be carried out after all; that is for the next backup to sweep.
        while not backups.store.unfinished_uploads(""):
            pass
        threading.Event().wait(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        backups.take(large, progress=Once(interrupt), compression="none")

    nothing_is_left(backups, large)


def instead(
    monkeypatch: pytest.MonkeyPatch, before: Callable[[psycopg.Connection[Any]], object]
) -> None:
    """Have something done just before the tables are read, in the thread that reads them."""

    def read(connection: psycopg.Connection[Any], relations: Any) -> Any:  # noqa: ANN401
        before(connection)
        return fingerprint_tables(connection, relations)

    monkeypatch.setattr(content, "fingerprint_tables", read)


def test_ctrl_c_while_the_tables_are_still_read_ends_at_once(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead(monkeypatch, lambda connection: connection.execute("SELECT pg_sleep(600)"))

    def interrupt() -> None:
        while not value(zoo, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        backups.take(zoo)
    watcher.join()

    nothing_is_left(backups, zoo)


def test_a_table_that_cannot_be_read_fails_the_backup(
    large: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pg_dump alone would end well; nobody could say whether it has everything.
    instead(monkeypatch, lambda connection: connection.execute("SELECT 1 / 0"))

    with pytest.raises(PostgresError, match="division by zero"):
        backups.take(large, compression="none")

    nothing_is_left(backups, large)


def test_a_role_that_sees_a_part_of_the_rows_is_refused(zoo: DatabaseUrl, backups: Backups) -> None:
    make_role(zoo, "sees_a_part")
    run(
        zoo,
        "GRANT pg_read_all_data TO sees_a_part",
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
    )

    with pytest.raises(InsufficientPrivilege, match=r"in app\.animal$"):
        backups.take(dataclasses.replace(zoo, user="sees_a_part", password="sees_a_part"))

    nothing_is_left(backups, zoo)


def test_a_table_locked_by_somebody_is_not_waited_for_for_ever(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    with (
        holding(zoo, "LOCK TABLE app.one IN ACCESS EXCLUSIVE MODE"),
        pytest.raises(LockNotAvailable, match="in the way"),
    ):
        backups.take(zoo, **FAST)

    nothing_is_left(backups, zoo)


def test_an_alter_that_waits_between_our_locks_and_pg_dumps_is_let_through(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pg_dump would queue behind it, it waits for us, and we for pg_dump: nobody but us can see
    # that circle. Made to happen by starting the ALTER just before pg_dump.
    waiting: list[threading.Thread] = []

    def start_after_it(*arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401 - passed through
        if not waiting:
            statement = "ALTER TABLE app.one ADD COLUMN patient integer"
            waiting.append(threading.Thread(target=run, args=(zoo, statement)))
            waiting[0].start()
            while not value(zoo, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
                pass
        return start_program(*arguments, **keywords)

    monkeypatch.setattr(sending, "start_program", start_after_it)

    manifest = backups.take(zoo, **FAST)
    waiting[0].join()

    assert "app.one.patient: integer" in manifest.inventory["columns"]
    assert backups.left_over() == []


def test_a_definition_that_changes_meanwhile_means_another_attempt(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[int] = []

    def change_first(_connection: psycopg.Connection[Any]) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            run(zoo, "ALTER TYPE app.unused RENAME TO renamed")

    instead(monkeypatch, change_first)

    manifest = backups.take(zoo)

    assert len(attempts) == 2
    assert "app.renamed: enum, owner postgres" in manifest.inventory["types"]
    assert backups.verify(manifest).verdict is Verdict.PROVED


def test_a_schema_that_never_holds_still_is_given_up(
    zoo: DatabaseUrl, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["unused", "second", "third", "fourth"])
    last = [next(names)]

    def change_always(_connection: psycopg.Connection[Any]) -> None:
        last.append(next(names))
        run(zoo, f"ALTER TYPE app.{last[-2]} RENAME TO {last[-1]}")

    instead(monkeypatch, change_always)

    with pytest.raises(BackupError, match="did not hold still in 2 attempts: definitions changed"):
        backups.take(zoo, **FAST)

    nothing_is_left(backups, zoo)


class _NoManifest(Journal):
    """A journal whose bucket fails at the very last step."""

    def write_manifest(self, manifest: Manifest) -> NoReturn:
        raise JournalError(f"no {manifest.id}", hint="none")


def test_a_manifest_that_cannot_be_written_takes_its_archive_along(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    failing = dataclasses.replace(backups, journal=_NoManifest(backups.store))

    with pytest.raises(JournalError):
        failing.take(zoo)

    nothing_is_left(backups, zoo)


def test_a_bucket_that_is_not_there_is_found_before_anything_is_locked(
    zoo: DatabaseUrl, backups: Backups, s3_prefix: ObjectStoreSettings
) -> None:
    location = dataclasses.replace(s3_prefix.location, bucket="no-such-bucket")
    store = ObjectStore(dataclasses.replace(s3_prefix, location=location))

    with (
        holding(zoo, "LOCK TABLE app.one IN ACCESS EXCLUSIVE MODE"),
        pytest.raises(ObjectStoreError),
    ):
        dataclasses.replace(backups, journal=Journal(store)).take(zoo)


def test_what_dead_backups_left_is_swept_by_the_next(
    zoo: DatabaseUrl, backups: Backups, s3_prefix: ObjectStoreSettings
) -> None:
    client = backups.store._client()
    key = backups.store.full_key("backups/development/20200101T000000Z-00000000/archive.dump")
    bucket = s3_prefix.location.bucket
    client.create_multipart_upload(Bucket=bucket, Key=key)
    other = key.replace("development", "staging")
    client.create_multipart_upload(Bucket=bucket, Key=other)

    backups.take(zoo)

    assert [backups.store.full_key(left) for left in backups.left_over()] == [other]


def test_a_plan_for_another_database_is_not_carried_out(zoo: DatabaseUrl, backups: Backups) -> None:
    with pytest.raises(ValueError, match="the plan is about"):
        take_backup(backups.plan(zoo), zoo.with_database("other"), backups.journal)


def test_rows_written_meanwhile_are_in_neither_archive_nor_fingerprint(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    run(
        fresh_database,
        "CREATE TABLE busy (i bigserial, x text)",
        "INSERT INTO busy (x) SELECT md5(g::text) FROM generate_series(1, 50000) g",
    )
    stop = threading.Event()

    def write() -> None:
        with connect(fresh_database, application_name="writer") as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO busy (x) SELECT 'n' FROM generate_series(1, 10)")
                connection.execute("UPDATE busy SET x = x || 'u' WHERE i % 997 = 0")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifest = backups.take(fresh_database)
    finally:
        stop.set()
        writer.join()

    assert backups.verify(manifest).verdict is Verdict.PROVED
    assert manifest.rows < value(fresh_database, "SELECT count(*) FROM busy")


def test_two_backups_of_one_database_do_not_disturb_each_other(
    large: DatabaseUrl, backups: Backups
) -> None:
    refused: list[BackupError] = []

    def another() -> None:
        try:
            backups.take(large, **FAST)
        except BackupError as error:
            refused.append(error)

    manifest = backups.take(large, progress=Once(another), compression="none")

    assert len(refused) == 1
    assert [one.id for one in backups.journal.summaries()] == [manifest.id]


def test_policy_and_environment_reach_the_plan(zoo: DatabaseUrl, backups: Backups) -> None:
    environment = Environment("staging", zoo, Policy(compression="lz4"))
    plan = plan_backup(environment, backups.store, now=datetime.now(UTC), taken_by="x")

    assert (plan.environment, plan.compression) == ("staging", "lz4")
    assert plan.key.startswith("backups/staging/")
