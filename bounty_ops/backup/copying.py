"""Copying a backup into a second bucket, object by object, and making sure of each after arrival.

Bytes pass through this machine, because the two buckets are those of different providers or
accounts: each object is read from the first bucket as a stream and written into the second as one,
in bounded memory. It becomes visible there only when what was read has the size and SHA-256 of
the manifest. Then it is read back from the second bucket and hashed again: what counts as copied
was seen to be there. The manifest is written last, so a copy, like a backup, exists when its
manifest does; a copy that was broken off goes on with the first object that is not there yet.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, cast

from bounty_ops.backup.feeding import Feeder
from bounty_ops.backup.publishing import lay_recover_beside
from bounty_ops.errors import (
    BackupError,
    BountyOpsError,
    JournalError,
    ObjectExists,
    ObjectStoreError,
)
from bounty_ops.journal import layout
from bounty_ops.journal.placed import placed_manifest
from bounty_ops.journal.removal import finish_removal
from bounty_ops.journal.shelf import Shelf, shelves

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest, ObjectRecord
    from bounty_ops.object_store import ListedObject, ObjectStore


@dataclass(frozen=True)
class Copied:
    """What one call of `copy_backup` did."""

    id: str
    environment: str
    bucket: str
    """The second one, with its prefix, as s3://bucket/prefix."""
    sent_bytes: int
    """Of the objects that were sent now; 0 when all were there."""
    checked_bytes: int
    """Of the objects that were read back from the second bucket and hashed now."""
    proofs: int
    """How many proofs were added."""
    was_complete: bool
    """Whether the whole copy was there before; then its sizes were compared, no more."""


class _Hashing:
    """A sink that keeps nothing but size and hash, and tells how far it got."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress

    def write(self, data: bytes) -> int:
        self._progress(len(data))
        return len(data)


@dataclass
class _Run:
    """What one call of `copy_backup` is about."""

    source: Journal
    target: Journal
    manifest: Manifest
    there: dict[str, ListedObject]
    """What the second bucket holds of this backup, by key."""
    report: Callable[[int], None]
    sent: int = 0
    checked: int = 0

    def moved(self, count: int) -> None:
        """Count bytes that were sent or read back."""
        self._moved += count
        self.report(self._moved)

    _moved: int = 0


def copy_backup(
    source: Journal,
    target: Journal,
    environment: str,
    backup_id: str,
    *,
    reread: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Copied:
    """Copy a backup with its proofs into another bucket; what is there is not sent again.

    Args:
        source: of the bucket that holds it.
        target: of the second bucket.
        environment: of the backup.
        backup_id: its full id.
        reread: read every object back and compare its hash, also of a copy that is complete.
        progress: called with the bytes so far; each object counts twice, sent and read back.

    Raises:
        UsageError: there is no such backup.
        JournalError: its manifest cannot be read, or the second bucket has another one.
        BackupError: an object is not what the manifest says, here or there; or all is copied, but
            the second bucket does not lock it as the manifest wants.
        ObjectStoreError: one of the buckets said no; its message names the bucket.
    """
    data = source.manifest_bytes(environment, backup_id)
    manifest = placed_manifest(data, environment, backup_id)
    shelf = _shelf(target.store, environment, backup_id)
    there = {entry.key: entry for entry in shelf.stored}
    run = _Run(source, target, manifest, there, progress or _ignore)
    was_complete = _is_complete(run, shelf, data)
    for record in manifest.objects:
        if not was_complete:
            _copy_object(run, record)
        elif reread:
            _require_arrived(run, record)
    proofs = _copy_proofs(run, shelf)
    _put(target.store, layout.manifest_key(environment, backup_id), data)
    if not was_complete:
        lay_recover_beside(target)  # for whoever has nothing but the second bucket
    _lock(run)
    return Copied(
        id=backup_id,
        environment=environment,
        bucket=target.store.location.uri(),
        sent_bytes=run.sent,
        checked_bytes=run.checked,
        proofs=proofs,
        was_complete=was_complete,
    )


def _shelf(store: ObjectStore, environment: str, backup_id: str) -> Shelf:
    """What the second bucket holds, without what a killed prune of it left."""
    prefix = layout.backup_prefix(environment, backup_id)
    for shelf in shelves(store.list(prefix)):
        if not shelf.is_half_removed:
            return shelf
        if not finish_removal(store, shelf):
            raise BackupError(
                f"{backup_id} was pruned from {store.location.uri()}, which still holds some of it",
                hint="It may be locked there; copy again when the lock has ended.",
            )
    return Shelf(environment, backup_id)


def _is_complete(run: _Run, shelf: Shelf, data: bytes) -> bool:
    """Whether the copy has its manifest and objects of the recorded sizes.

    Raises JournalError when the second bucket has a manifest that says something else.
    """
    if shelf.manifest is None:
        return False
    if run.target.store.get(shelf.manifest.key) != data:
        raise JournalError(
            f"{run.target.store.location.uri()} has another backup by the name {run.manifest.id}",
            hint="One of the two manifests was changed; find out which before anything is copied.",
        )
    return all(_has_its_size(run, record) for record in run.manifest.objects)


def _has_its_size(run: _Run, record: ObjectRecord) -> bool:
    entry = run.there.get(record.key)
    return entry is not None and entry.size_bytes == record.size_bytes


def _copy_object(run: _Run, record: ObjectRecord) -> None:
    if record.key in run.there:
        if _has_its_size(run, record) and _arrived(run, record):
            return
        run.target.store.delete(record.key)  # left by something else: a stream arrives whole or not
    _send(run, record)
    run.sent += record.size_bytes
    _require_arrived(run, record)


def _send(run: _Run, record: ObjectRecord) -> None:
    """Stream an object from one bucket into the other; it appears only when it is the right one."""
    feeder = Feeder(run.source.store, record, run.moved)
    try:
        run.target.store.upload_stream(
            record.key, feeder.stream, before_complete=feeder.require_sound
        )
    except ObjectExists:
        _require_arrived(run, record)  # another copy was faster
    except BountyOpsError as error:
        # A source that broke off at once looks like an empty stream to the upload.
        raise feeder.problem or error from None
    finally:
        feeder.stop()


def _require_arrived(run: _Run, record: ObjectRecord) -> None:
    if not _arrived(run, record):
        raise BackupError(
            f"{record.key} in {run.target.store.location.uri()} is not what the manifest says",
            hint="Remove the object there and copy again; if it comes back, the store loses data.",
        )


def _arrived(run: _Run, record: ObjectRecord) -> bool:
    """Read an object back from the second bucket; whether it has the manifest's hash."""
    found = run.target.store.download(record.key, cast("BinaryIO", _Hashing(run.moved)))
    run.checked += found.size_bytes
    return (found.size_bytes, found.sha256) == (record.size_bytes, record.sha256)


def _copy_proofs(run: _Run, shelf: Shelf) -> int:
    known = {entry.key for entry in shelf.proofs}
    prefix = layout.backup_prefix(run.manifest.environment, run.manifest.id)
    missing = [
        entry.key
        for found in shelves(run.source.store.list(prefix))
        for entry in found.proofs
        if entry.key not in known
    ]
    for key in missing:
        _put(run.target.store, key, run.source.store.get(key))
    return len(missing)


def _lock(run: _Run) -> None:
    """Have the second bucket keep the copy as long as the first one keeps the backup.

    Objects that it locks by itself, for as long or longer, are left as they are.
    """
    wanted, store = run.manifest.object_lock, run.target.store
    if wanted is None or wanted.until <= datetime.now(UTC):
        return
    keys = [layout.manifest_key(run.manifest.environment, run.manifest.id)]
    keys += [one.key for one in run.manifest.objects]
    try:
        for key in keys:
            found = store.lock_of(key)
            strong = found is not None and found.mode in {wanted.mode, "COMPLIANCE"}
            if found is None or not strong or found.until < wanted.until:
                store.lock_object(key, wanted.mode, wanted.until)
    except ObjectStoreError as error:
        raise BackupError(
            f"{run.manifest.id} was copied, but {store.location.uri()} does not lock it: {error}",
            hint="Object Lock has to be enabled on the second bucket too (at most providers only "
            "when it is made), and its key needs s3:PutObjectRetention.",
        ) from error


def _put(store: ObjectStore, key: str, data: bytes) -> None:
    """Write a record and read it back."""
    try:
        store.put_if_absent(key, data)
    except ObjectExists as error:
        raise JournalError(
            f"{store.location.uri()} has another record by the name {key}",
            hint="One of the two was changed; find out which before anything is copied.",
        ) from error
    if hashlib.sha256(store.get(key)).digest() != hashlib.sha256(data).digest():
        raise BackupError(
            f"{key} did not arrive whole in {store.location.uri()}",
            hint="Remove the object there and copy again.",
        )


def _ignore(_done: int) -> None:
    """Nobody looks."""
