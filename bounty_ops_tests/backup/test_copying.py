"""Copies in a second bucket: whole or not there, checked after arrival, never sent twice."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bounty_ops
from bounty_ops.backup.copies import missing_copies
from bounty_ops.backup.copying import copy_backup
from bounty_ops.environments import BucketLocation, Environment, Policy
from bounty_ops.errors import BackupError, JournalError, ObjectStoreError, UsageError
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.records import ObjectLock, ObjectRecord, TableName, Verdict, record_bytes
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops.object_store.values import Retention
from bounty_ops_tests.backup.test_prune import NOW, judge, night
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request
from bounty_ops_tests.journal.examples import a_backup, a_manifest
from bounty_ops_tests.object_store.streams import some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.backup.copying import Copied
    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.journal.records import Manifest

    Start = Callable[[Callable[[Request], Fault | None]], FaultyStore]

LARGE = 20_000_000
SHARD = 6_000_000


@pytest.fixture
def journal(s3_prefix: ObjectStoreSettings) -> Journal:
    """The first bucket."""
    return Journal(ObjectStore(s3_prefix, patience_seconds=0))


@pytest.fixture
def second(s3_prefix: ObjectStoreSettings) -> ObjectStoreSettings:
    """Where copies go: another bucket, under a prefix of this test's own."""
    location = BucketLocation("copies-of-tests", s3_prefix.location.prefix)
    settings = dataclasses.replace(s3_prefix, location=location)
    ObjectStore(settings).create_bucket_if_missing()
    return settings


@pytest.fixture
def copies(second: ObjectStoreSettings) -> Journal:
    """The second bucket."""
    return Journal(ObjectStore(second, patience_seconds=0))


def large_backup(journal: Journal, archive: int = LARGE) -> Manifest:
    """A backup of two objects of several parts, proved."""
    manifest = a_manifest(taken_at=NOW, finished_at=NOW)
    table = TableName(schema_name="public", name="bounties")
    objects = []
    for number, size in enumerate((archive, SHARD)):
        key = manifest.archive.key
        if number:
            key = layout.shard_key("production", manifest.id, number)
        with contextlib.closing(_Stream(some_bytes(size))) as stream:
            stored = journal.store.upload_stream(key, stream, before_complete=lambda: None)  # type: ignore[arg-type] # read is all it needs
        objects.append(
            ObjectRecord(
                role="shard" if number else "archive",
                key=key,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                table=table if number else None,
            )
        )
    manifest = manifest.model_copy(update={"objects": tuple(objects)})
    journal.write_manifest(manifest)
    judge(journal, manifest, Verdict.PROVED)
    return manifest


class _Stream:
    def __init__(self, data: bytes) -> None:
        self._rest = memoryview(data)

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size < 0 else size
        piece, self._rest = bytes(self._rest[:size]), self._rest[size:]
        return piece

    def readinto(self, buffer: memoryview) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._rest = memoryview(b"")


def copy(source: Journal, target: Journal, manifest: Manifest, *, reread: bool = False) -> Copied:
    return copy_backup(source, target, manifest.environment, manifest.id, reread=reread)


def content(journal: Journal) -> dict[str, bytes]:
    return {entry.key: journal.store.get(entry.key) for entry in journal.store.list("backups/")}


def test_a_copy_is_the_same_object_for_object_and_proved_there_too(
    journal: Journal, copies: Journal
) -> None:
    manifest = large_backup(journal)
    copied = copy(journal, copies, manifest)
    assert content(copies) == content(journal)
    assert copies.store.head("recover.py") is not None, "who has but this bucket can restore"
    assert copied.sent_bytes == copied.checked_bytes == manifest.size_bytes == LARGE + SHARD
    assert (copied.proofs, copied.was_complete) == (1, False)
    [summary] = copies.summaries("production")
    assert (summary.id, summary.state, summary.verdict) == (manifest.id, "complete", "proved")


def test_a_copy_that_is_there_is_not_sent_again_and_gets_what_is_new(
    journal: Journal, copies: Journal
) -> None:
    manifest = night(journal, 1)
    copy(journal, copies, manifest)
    again = copy(journal, copies, manifest)
    assert (again.sent_bytes, again.checked_bytes, again.proofs) == (0, 0, 0)
    assert again.was_complete
    assert copy(journal, copies, manifest, reread=True).checked_bytes == manifest.size_bytes
    judge(journal, manifest, Verdict.REFUTED, verified_at=NOW)
    assert copy(journal, copies, manifest).proofs == 1
    assert copies.summaries("production")[0].verdict is Verdict.REFUTED


def test_an_object_that_was_changed_or_lost_in_the_second_bucket_is_noticed_and_mended(
    journal: Journal, copies: Journal
) -> None:
    manifest = night(journal, 1)
    copy(journal, copies, manifest)
    key = manifest.archive.key
    good = copies.store.get(key)
    copies.store.delete(key)
    copies.store.put_if_absent(key, bytes(len(good)))
    with pytest.raises(BackupError, match="is not what the manifest says"):
        copy(journal, copies, manifest, reread=True)
    copies.store.delete(key)
    assert copy(journal, copies, manifest).sent_bytes == manifest.size_bytes
    assert copies.store.get(key) == good


def test_bytes_that_are_not_the_manifests_are_copied_by_nobody(
    journal: Journal, copies: Journal
) -> None:
    manifest = night(journal, 1)
    size = manifest.archive.size_bytes
    for damaged in (bytes(size), bytes(size - 1)):
        journal.store.delete(manifest.archive.key)
        journal.store.put_if_absent(manifest.archive.key, damaged)
        with pytest.raises(BackupError, match="it was not copied"):
            copy(journal, copies, manifest)
        assert content(copies) == {}


def test_what_lies_in_the_way_is_replaced_only_if_it_belongs_to_no_backup(
    journal: Journal, copies: Journal
) -> None:
    manifest = night(journal, 1)
    copies.store.put_if_absent(manifest.archive.key, b"left by something else")
    copy(journal, copies, manifest)
    assert content(copies) == content(journal)

    other = night(journal, 2)
    changed = other.model_copy(update={"taken_by": "somebody else"})
    key = layout.manifest_key("production", other.id)
    copies.store.put_if_absent(key, record_bytes(changed))
    with pytest.raises(JournalError, match="has another backup by the name"):
        copy(journal, copies, other)
    assert copies.store.get(key) == record_bytes(changed)


def test_a_backup_that_is_not_there_is_no_copy(journal: Journal, copies: Journal) -> None:
    with pytest.raises(UsageError, match="there is no backup"):
        copy(journal, copies, a_manifest())


def test_remains_of_a_pruned_copy_are_cleared_before_it_is_copied_again(
    journal: Journal, copies: Journal
) -> None:
    manifest = night(journal, 1)
    copy(journal, copies, manifest)
    copies.store.put_if_absent(layout.tombstone_key("production", manifest.id), b"{}")
    copies.store.delete(layout.manifest_key("production", manifest.id))
    assert copy(journal, copies, manifest).sent_bytes == manifest.size_bytes
    assert content(copies) == content(journal)


@pytest.mark.parametrize("side", ["second", pytest.param("first", marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.LOSE_ANSWER,
        *(
            pytest.param(fault, marks=pytest.mark.soak)
            for fault in (Fault.ANSWER_403, Fault.LOSE_REQUEST, Fault.DAMAGE_REQUEST)
        ),
    ],
)
@pytest.mark.many(every=2)
def test_a_fault_at_any_request_leaves_no_half_copy_and_the_next_one_succeeds(
    faulty_s3: Start, journal: Journal, copies: Journal, fault: Fault, side: str
) -> None:
    """Requests are counted once; then each is the one from which on nothing works any more."""
    wanted, count = 10_000, 0

    def plan(_request: Request) -> Fault | None:
        nonlocal count
        count += 1
        return fault if count >= wanted else None

    faulty = faulty_s3(plan)
    through = Journal(faulty.store())
    there = Journal(faulty.honest)
    source, target = (through, copies) if side == "first" else (journal, through)
    honest_source, honest_target = (there, copies) if side == "first" else (journal, there)
    first, *others = [night(honest_source, days) for days in range(12)]
    copy(source, target, first)
    requests = count
    assert requests >= 4
    for number, manifest in enumerate(others[:requests]):
        count, wanted = 0, number + 1
        told = None
        try:
            copy(source, target, manifest)
        except (ObjectStoreError, BackupError, JournalError) as error:
            told = error
        wanted = 10_000
        states = {one.id: one.state for one in honest_target.summaries("production")}
        found = states.get(manifest.id)
        assert found == "complete" or (found is None and told is not None)
        assert honest_target.store.unfinished_uploads("") == []
        copy(honest_source, honest_target, manifest)
        prefix = layout.backup_prefix("production", manifest.id)
        original = {k: v for k, v in content(honest_source).items() if k.startswith(prefix)}
        copied = {k: v for k, v in content(honest_target).items() if k.startswith(prefix)}
        assert copied == original


def test_a_copy_goes_on_where_it_was_broken_off(faulty_s3: Start, journal: Journal) -> None:
    """The archive arrived, the shard did not: only the shard is sent the second time."""
    completed = 0

    def plan(request: Request) -> Fault | None:
        nonlocal completed
        completed += request.operation == "complete"
        return Fault.ANSWER_403 if completed and request.operation in {"begin", "put"} else None

    faulty = faulty_s3(plan)
    manifest = large_backup(journal)
    with pytest.raises(ObjectStoreError, match="access is denied"):
        copy(journal, Journal(faulty.store()), manifest)
    assert [entry.key for entry in faulty.honest.list("")] == [manifest.archive.key]
    again = copy(journal, Journal(faulty.honest), manifest)
    assert again.sent_bytes == manifest.shards[0].size_bytes
    assert again.checked_bytes == manifest.size_bytes, "what was there is read back too"


def test_an_interrupted_copy_ends_at_once_and_leaves_no_thread_and_no_upload(
    journal: Journal, copies: Journal
) -> None:
    manifest = large_backup(journal)

    def interrupt(done: int) -> None:
        if done > LARGE // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_backup(journal, copies, "production", manifest.id, progress=interrupt)
    assert content(copies) == {}
    assert copies.store.unfinished_uploads("") == []
    assert not [t for t in threading.enumerate() if t.name.startswith("bounty-ops-copy")]


_PROGRAM = """
import sys
from pathlib import Path
from bounty_ops.backup.copying import copy_backup
from bounty_ops.environments import load_settings
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore

settings = load_settings(Path(sys.argv[1]))
source = Journal(ObjectStore(settings.require_object_store()))
target = Journal(ObjectStore(settings.require_copy_object_store()))
begun = False
def progress(done):
    global begun
    if not begun:
        begun = True
        print("begun", flush=True)
copy_backup(source, target, "production", sys.argv[2], progress=progress)
"""


@pytest.mark.soak
def test_a_killed_copy_is_not_visible_and_the_next_one_succeeds(
    journal: Journal, copies: Journal, second: ObjectStoreSettings, tmp_path: Path
) -> None:
    manifest = large_backup(journal)
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(bounty_ops.__file__).parents[1]),
        "BACKUP_BUCKET": journal.store.location.uri(),
        "BACKUP_COPY_BUCKET": second.location.uri(),
    }
    for name, value in {
        "ENDPOINT_URL": second.endpoint_url,
        "REGION": second.region,
        "ACCESS_KEY_ID": second.access_key_id,
        "SECRET_ACCESS_KEY": second.secret_access_key,
    }.items():
        first = "AWS_ENDPOINT_URL_S3" if name == "ENDPOINT_URL" else f"AWS_{name}"
        environ |= {first: value or "", f"BACKUP_COPY_{name}": value or ""}
    for number in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(tmp_path), manifest.id],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(0.05 * number)
            process.send_signal(signal.SIGKILL)
        states = {one.state for one in copies.summaries("production")}
        assert states <= {"complete"}
    copy(journal, copies, manifest)
    assert content(copies) == content(journal)
    later = datetime.now(UTC) + timedelta(days=2)
    copies.clear_abandoned("production", now=later)
    assert copies.store.unfinished_uploads("") == []
    assert content(copies) == content(journal)


def test_what_is_missing_is_what_the_rules_keep_and_what_was_said_since(
    journal: Journal, copies: Journal
) -> None:
    proved = [night(journal, days) for days in range(4)]
    night(journal, 9, None)
    environment = Environment("production", None, Policy(keep_last=3, prune_most_share=1))

    def missing() -> list[str]:
        return missing_copies(environment, journal, copies, now=NOW)

    assert missing() == [manifest.id for manifest in proved[:3]]
    for manifest in proved:
        copy(journal, copies, manifest)
    assert missing() == []
    judge(journal, proved[3], Verdict.REFUTED, verified_at=NOW)
    assert missing() == [proved[3].id]
    copy(journal, copies, proved[3])
    assert missing() == []
    everything = Environment("production", None, Policy())
    assert missing_copies(everything, journal, copies, now=NOW) == []


def test_what_the_first_bucket_locks_the_second_locks_too_or_says_that_it_cannot(
    journal: Journal, copies: Journal, s3_store: ObjectStoreSettings
) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    lock = ObjectLock(mode="GOVERNANCE", until=until)
    manifest = a_backup(journal, object_lock=lock)
    bucket = f"locking-{secrets.token_hex(4)}"
    make_client(s3_store).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    settings = dataclasses.replace(s3_store, location=BucketLocation(bucket, "here"))
    locking = Journal(ObjectStore(settings, patience_seconds=0))
    keys = [layout.manifest_key(manifest.environment, manifest.id), manifest.archive.key]

    copy(journal, locking, manifest)
    assert [locking.store.lock_of(key) for key in keys] == [Retention("GOVERNANCE", until)] * 2

    longer = until + timedelta(days=9)
    locking.store.lock_object(keys[1], "GOVERNANCE", longer)
    assert copy(journal, locking, manifest).was_complete
    assert locking.store.lock_of(keys[1]) == Retention("GOVERNANCE", longer)

    with pytest.raises(BackupError, match=r"was copied, but s3://\S+ does not lock it"):
        copy(journal, copies, manifest)
    assert content(copies) == content(journal)
