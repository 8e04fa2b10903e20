"""Removing a backup as a whole, so that whoever dies half-way leaves nothing half visible.

The tombstone is written first, then the manifest goes, and with it the backup: from then on no
list shows it. Then the rest goes, the tombstone last. Killed before the manifest went, there is
a whole backup, and the next prune decides anew; killed after it, the tombstone tells the next sweep
that what lies there without a manifest is no accident (`bounty_ops.journal.sweep`).

Nobody can pin what is being removed: each of the two writes its own object first and looks for
the other's afterwards, so that at least one of them sees the other.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.errors import ObjectExists, ObjectLocked, ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.journal import layout
from bounty_ops.journal.pins import is_pinned
from bounty_ops.journal.records import record_bytes
from bounty_ops.journal.shelf import shelves

if TYPE_CHECKING:
    from bounty_ops.journal.records import Tombstone
    from bounty_ops.journal.shelf import Shelf
    from bounty_ops.object_store import ListedObject, ObjectStore
    from bounty_ops.object_store.values import Retention

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Removal:
    """What became of an attempt to remove a backup."""

    removed: bool
    """Whether the backup is gone; else it is as it was."""
    problem: str | None = None
    """Why it is still there, or why some of its bytes are."""


def remove_backup(store: ObjectStore, tombstone: Tombstone) -> Removal:
    """Remove a backup, every version of it, unless it is pinned or the store refuses.

    Raises ObjectStoreUnavailable; another call or a sweep goes on where it was broken off.
    """
    environment, backup_id = tombstone.environment, tombstone.backup_id
    grave = layout.tombstone_key(environment, backup_id)
    prefix = layout.backup_prefix(environment, backup_id)
    try:
        store.put_if_absent(grave, record_bytes(tombstone))
    except ObjectExists:
        logger.info("another prune had begun to remove %s", backup_id)
    problem = _what_forbids(store, shelves(store.list(prefix)), tombstone)
    if problem is None:
        problem = _remove_manifest(store, layout.manifest_key(environment, backup_id))
    if problem is not None:
        store.delete(grave)
        return Removal(removed=False, problem=problem)
    if all(finish_removal(store, shelf) for shelf in shelves(store.list(prefix))):
        return Removal(removed=True)
    return Removal(removed=True, problem="the store did not let go of all of its objects yet")


def finish_removal(store: ObjectStore, shelf: Shelf) -> bool:
    """Remove what is left of a backup whose manifest is gone; whether nothing is left.

    Raises ObjectStoreUnavailable.
    """
    manifest = layout.manifest_key(shelf.environment, shelf.backup_id)
    # The listing is some moments old; a manifest that was written since makes it a backup.
    if not shelf.is_half_removed or store.head(manifest) is not None:
        return False
    for entry in shelf.remains:
        marks = {shelf.announcement, shelf.pin, shelf.tombstone}
        try:
            _delete(store, entry, is_mark=entry in marks)
        except ObjectStoreUnavailable:
            raise
        except ObjectStoreError as error:  # such as a lock that ends later
            logger.warning("%s stays for now: %s", entry.key, error)
            return False
    return True


def _delete(store: ObjectStore, entry: ListedObject, *, is_mark: bool) -> None:
    try:
        store.delete_versions(entry.key)
    except ObjectLocked:
        if not is_mark:
            raise
        # A bucket that locks whatever is written into it has locked our own mark too: then
        # nobody sees it any more, and some hundred bytes of it go with the lock.
        store.delete(entry.key)


def _remove_manifest(store: ObjectStore, key: str) -> str | None:
    """Remove a manifest; why that was refused, if it was."""
    try:
        store.delete_versions(key)
    except ObjectStoreUnavailable:
        raise
    except ObjectStoreError as error:
        # A store that says no may have done it: with its tombstone gone too, what is left would
        # look like an accident for ever.
        return None if store.head(key) is None else str(error)
    return None


def _what_forbids(store: ObjectStore, found: list[Shelf], tombstone: Tombstone) -> str | None:
    """Why a backup may not go although a plan said so: asked last, with the tombstone in place."""
    if is_pinned(store, tombstone.environment, tombstone.backup_id):
        return "it was pinned meanwhile"
    for entry in (entry for shelf in found for entry in shelf.stored):
        lock = _lock_of(store, entry.key)
        if lock is not None and lock.until > tombstone.removed_at:
            return f"{entry.key} is locked by the store until {lock.until:%Y-%m-%d %H:%M} UTC"
    return None


def _lock_of(store: ObjectStore, key: str) -> Retention | None:
    try:
        return store.lock_of(key)
    except ObjectStoreUnavailable:
        raise
    except ObjectStoreError:  # gone, or not for us to know: deleting the manifest will tell
        return None
