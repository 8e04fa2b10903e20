"""Backups that the store itself refuses to delete."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.errors import BackupError, ObjectLocked
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_backups import Backups

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings


@pytest.fixture
def locking(s3_store: ObjectStoreSettings, tmp_path: Path) -> Backups:
    """Backups in a bucket whose objects can be locked."""
    bucket = f"locking-{secrets.token_hex(4)}"
    make_client(s3_store).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    settings = dataclasses.replace(s3_store, location=BucketLocation(bucket, "here"))
    return Backups(Journal(ObjectStore(settings)), tmp_path / "verify")


@pytest.mark.parametrize("mode", ["governance", "compliance"])
@pytest.mark.many(every=2)
def test_every_object_of_a_backup_is_locked(zoo: DatabaseUrl, locking: Backups, mode: str) -> None:
    manifest = locking.take(zoo, object_lock=mode, object_lock_days=3, shard_above_gib=4096 / 2**30)

    lock = manifest.object_lock
    assert lock is not None
    assert lock.mode == mode.upper()
    assert timedelta(days=2, hours=23) < lock.until - manifest.taken_at <= timedelta(days=3)
    keys = [layout.manifest_key(manifest.environment, manifest.id)]
    for key in [*keys, *(one.key for one in manifest.objects)]:
        with pytest.raises(ObjectLocked):
            locking.store.delete_versions(key)
    [summary] = locking.journal.summaries()
    assert summary.locked_until == lock.until
    assert locking.verify(manifest).verdict is Verdict.PROVED


def test_a_bucket_that_cannot_lock_is_told_and_the_backup_stays(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    with pytest.raises(BackupError, match="was taken, but the store does not lock it") as caught:
        backups.take(zoo, object_lock="governance")

    assert "Object Lock has to be enabled" in caught.value.hint
    [summary] = backups.journal.summaries()
    assert summary.id in str(caught.value)


def test_a_failed_backup_leaves_nothing_locked(zoo: DatabaseUrl, locking: Backups) -> None:
    def fail(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locking.take(zoo, fail, object_lock="compliance")

    assert locking.keys() == []
