"""Whatever the end of a restore, its record says who restored what into which database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import ObjectStoreError, RestoreError, UsageError
from bounty_ops.journal import Journal, layout, new_id
from bounty_ops.journal.records import Verdict, record_bytes
from bounty_ops.journal.restores import RestoreRecord, read_restores, write_restore
from bounty_ops.restore.outcome import Watching
from bounty_ops_tests.fix_backups import Backups, run
from bounty_ops_tests.fix_proxy import Fault
from bounty_ops_tests.journal.examples import NIGHT
from bounty_ops_tests.restore.restores import Restores, new_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops.object_store import ObjectStore
    from bounty_ops_tests.fix_proxy import FaultyStore, Request


@pytest.fixture
def fruit(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A small database."""
    run(fresh_database, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    return fresh_database


def records(restores: Restores, manifest: Manifest) -> list[RestoreRecord]:
    return read_restores(
        restores.backups.store, restores.backups.environment, backup_id=manifest.id
    )


def test_a_restore_that_is_done_says_what_it_replaced_and_where_that_is_kept(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    run(fruit, "DELETE FROM fruit WHERE number > 7")
    target = restores.target(fruit)
    plan = restores.plan(manifest, target)
    with pytest.raises(UsageError):
        restores.carry_out(plan, manifest, target)
    assert records(restores, manifest) == []  # what was refused was not begun

    done = restores.carry_out(plan, manifest, target, plan.digest)

    [record] = records(restores, manifest)
    assert (record.outcome, record.reason, record.way) == ("done", None, "beside")
    assert (record.operator, record.operation) == ("a test", "restore")
    assert (record.digest, record.digest_given) == (plan.digest, True)
    assert (record.verdict, record.rows_compared) == (Verdict.PROVED, 100)
    assert record.address == fruit.address()
    assert record.replaced is not None
    assert (record.replaced.tables, record.replaced.rows) == (1, 7)
    assert record.replaced.old_database == done.old_database
    assert record.started_at <= record.finished_at
    assert record.seconds >= (record.restore_seconds or 0) > 0
    assert fruit.password
    assert fruit.password.encode() not in record_bytes(record)


def test_a_copy_that_differs_is_recorded_with_its_differences(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    [table] = manifest.tables
    forged = manifest.model_copy(update={"tables": (table.model_copy(update={"rows": 101}),)})

    done = restores.restore(forged, restores.target(fruit.with_database(new_name())))

    [record] = records(restores, manifest)
    assert (record.outcome, record.verdict) == ("differs", Verdict.REFUTED)
    assert record.differences == done.differences
    assert record.replaced is None


def test_a_failure_is_recorded_with_its_reason_and_ctrl_c_as_such(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    manifest = restores.backups.take(fruit)
    target = restores.target(fruit.with_database(new_name()))
    plan = restores.plan(manifest, target, tables=("fruit",))

    def interrupt(_what: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restores.carry_out(plan, manifest, target, watching=Watching(step=interrupt))
    restores.backups.replace_archive(manifest, b"something else")
    with pytest.raises(RestoreError, match="is not what was stored"):
        restores.carry_out(plan, manifest, target)

    newest, first = sorted(records(restores, manifest), key=lambda one: one.started_at)[::-1]
    assert (first.outcome, first.reason) == ("failed", "it was interrupted")
    assert newest.outcome == "failed"
    assert "is not what was stored" in (newest.reason or "")
    assert newest.tables == ("fruit",)
    assert (newest.verdict, newest.seconds > 0) == (None, True)


@dataclass
class Refusal:
    """A bucket that takes no new object from a certain moment on."""

    refusing: bool = False

    def __call__(self, request: Request) -> Fault | None:
        return Fault.ANSWER_403 if self.refusing and request.operation == "put" else None


def test_a_record_that_cannot_be_written_is_told_and_undoes_nothing(
    fruit: DatabaseUrl, faulty_s3: Callable[..., FaultyStore], tmp_path: Path
) -> None:
    refusal = Refusal()
    faulty = faulty_s3(refusal)
    restores = Restores(Backups(Journal(faulty.store()), tmp_path / "verify"))
    manifest = restores.backups.take(fruit)
    refusal.refusing = True
    try:
        done = restores.restore(manifest, restores.target(fruit.with_database(new_name())))

        assert done.done
        assert "record of this restore could not be written" in done.notes[-1]

        faulty.honest.delete(manifest.archive.key)
        with pytest.raises(RestoreError, match="is not what was stored") as failed:
            restores.restore(manifest, restores.target(fruit.with_database(new_name())))
        assert "record of this restore" in failed.value.__notes__[-1]
        assert records(restores, manifest) == []
    finally:
        restores.clear()


def a_record(**changes: object) -> RestoreRecord:
    values: dict[str, object] = {
        "id": new_id(NIGHT),
        "environment": "production",
        "backup_id": new_id(NIGHT),
        "operation": "restore",
        "operator": "ada",
        "started_at": NIGHT,
        "finished_at": NIGHT,
        "outcome": "done",
        "target": "staging",
        "address": "db.example:5432/bounty",
        "database": "bounty",
        "server_version": "17.10",
        "protected": False,
        "way": "beside",
        "digest": "a" * 64,
        "digest_given": True,
        "seconds": 1.5,
    }
    return RestoreRecord.model_validate({**values, **changes})


@pytest.fixture
def store(backups: Backups) -> ObjectStore:
    """A bucket with nothing in it."""
    return backups.store


def test_records_are_listed_newest_first_by_environment_and_by_backup(store: ObjectStore) -> None:
    first, second = (a_record(id=f"2026112{day}T020000Z-00000000") for day in (3, 4))
    other = a_record(environment="staging", id="20261125T020000Z-00000000")
    for one in (first, second, other):
        write_restore(store, one)

    assert read_restores(store) == [other, second, first]
    assert read_restores(store, "production") == [second, first]
    assert read_restores(store, "production", newest=1) == [second]
    assert read_restores(store, backup_id=first.backup_id) == [first]
    assert read_restores(store, "development") == []


def test_a_record_that_is_damaged_or_in_another_ones_place_hides_no_other(
    store: ObjectStore,
) -> None:
    good, moved = a_record(), a_record()
    write_restore(store, good)
    store.put_if_absent(layout.restore_key("staging", moved.id), record_bytes(moved))
    store.put_if_absent(layout.restore_key("production", "zzz"), b"{}")

    assert read_restores(store) == [good]


def test_a_bucket_that_is_away_is_an_error_and_no_empty_list(
    faulty_s3: Callable[..., FaultyStore],
) -> None:
    with pytest.raises(ObjectStoreError):
        read_restores(faulty_s3(lambda _: Fault.NO_BUCKET).store())
