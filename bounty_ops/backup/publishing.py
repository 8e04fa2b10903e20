"""The last steps of a backup: its manifest, what dead ones left, and the store's own lock."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import BackupError, BountyOpsError, ObjectStoreError
from bounty_ops.journal import layout
from bounty_ops.journal.recovery import publish_recover

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest

logger = logging.getLogger(__name__)

#: Whatever its age, and whatever the store's clock says.
_NOTHING_SPARED: Final = timedelta(days=-2)


def publish(journal: Journal, manifest: Manifest, *, before: Callable[[], None]) -> None:
    """Write the manifest; if that fails, take the objects away, which are no backup without it."""
    try:
        before()
        journal.write_manifest(manifest)
    except BaseException as error:
        key = layout.manifest_key(manifest.environment, manifest.id)
        try:
            # Its answer may have been lost. Objects that a manifest names must stay.
            if journal.store.head(key) is None:
                for one in manifest.objects:
                    journal.store.delete_versions(one.key)
        except ObjectStoreError as left:
            error.add_note(f"objects of {manifest.id} may be left in the bucket: {left}")
        raise


def sweep(journal: Journal, environment: str) -> None:
    """Remove what dead backups left. Under the advisory lock no other one of this database runs.

    Unfinished uploads go whatever their age. An archive without a manifest is spared for some
    hours: should two databases wrongly share one environment's name, the other's archive may be
    waiting for its manifest at this very moment. Ages are by the store's clock: our own manifest,
    written a moment ago, is its newest object.
    """
    try:
        found = journal.abandoned(environment, spared=_NOTHING_SPARED)
        for upload in found.uploads:
            logger.warning("removing the unfinished upload of %s", upload.key)
            journal.store.abort_upload(upload)
        journal.clear_abandoned(environment)
    except BountyOpsError as error:  # this backup is whole; the next one sweeps again
        logger.warning("what dead backups left could not be removed: %s", error)


def lay_recover_beside(journal: Journal) -> None:
    """Keep `recover.py` in the bucket: it restores a backup where this project is not to be had."""
    try:
        publish_recover(journal.store)
    except ObjectStoreError as error:  # the backup is whole without it
        logger.warning("recover.py could not be put beside the backups: %s", error)


def lock_objects(journal: Journal, manifest: Manifest) -> None:
    """Have the store keep a backup, manifest first of all, where the policy asks for that.

    Only now: an object that was locked before its manifest could not be cleared away if the
    manifest failed.

    Raises:
        BackupError: the store will not; the backup exists all the same.
    """
    lock = manifest.object_lock
    if lock is None:
        return
    keys = [layout.manifest_key(manifest.environment, manifest.id)]
    keys += [one.key for one in manifest.objects]
    try:
        for key in keys:
            journal.store.lock_object(key, lock.mode, lock.until)
    except ObjectStoreError as error:
        raise BackupError(
            f"the backup {manifest.id} was taken, but the store does not lock it: {error}",
            hint="Object Lock has to be enabled on the bucket (at most providers only when it is "
            'made), and the key needs s3:PutObjectRetention; or set object_lock = "none".',
        ) from error
