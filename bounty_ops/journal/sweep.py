"""What dead backups left in the bucket: objects that no manifest names, and unfinished uploads.

Nobody sees either in a list of backups, but both take space. They are removed at the start of the
next backup of the same environment. What is younger than `SPARED` is left alone: another machine
may be uploading it right now. 20 hours are longer than the dump of a database that is dumped every
night may take, and short enough for the next night to clear what this night left. Ages are those of
the store's clock, which made all the times: now is when its newest object was stored, unless a
caller knows better. A backup that has just written its manifest so needs no clock of its own.

An upload whose import was announced (`bounty_ops.journal.importing`) is left alone for as long.

Never removed, whatever its age: an archive that has a proof. It was a backup once; that its
manifest is gone is an accident for people to look at. Unless a tombstone says that it is no
accident: then a prune was killed after it had removed the manifest, and its work is finished here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.journal.layout import BackupKey, environment_prefix, manifest_key
from bounty_ops.journal.removal import finish_removal
from bounty_ops.journal.shelf import Shelf, shelves

if TYPE_CHECKING:
    from bounty_ops.object_store import ListedObject, ObjectStore, UnfinishedUpload

SPARED: Final = timedelta(hours=20)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Abandoned:
    """What was left behind by backups that died."""

    archives: tuple[ListedObject, ...]
    uploads: tuple[UnfinishedUpload, ...]
    half_removed: tuple[Shelf, ...] = ()
    """Backups that a killed prune has begun to remove."""
    announcements: tuple[ListedObject, ...] = ()
    """Of imports that died."""

    def __bool__(self) -> bool:
        return bool(self.archives or self.uploads or self.half_removed or self.announcements)


def abandoned(
    store: ObjectStore,
    environment: str,
    *,
    now: datetime | None = None,
    spared: timedelta = SPARED,
) -> Abandoned:
    """Return what dead backups of an environment left, older than ``spared``.

    Whoever knows that no backup of the environment runs may spare nothing.
    """
    prefix = environment_prefix(environment)
    listing = list(store.list(prefix))
    moment = now or max((entry.last_modified for entry in listing), default=datetime.now(UTC))
    limit = moment - spared
    found = shelves(listing)
    imports = [
        (shelf, shelf.announcement, shelf.announcement.last_modified >= moment - SPARED)
        for shelf in found
        if shelf.announcement is not None
    ]
    under_way = {shelf.backup_id for shelf, _, alive in imports if alive}
    return Abandoned(
        half_removed=tuple(shelf for shelf in found if shelf.is_half_removed),
        archives=tuple(
            entry
            for shelf in found
            if _never_finished(shelf)
            for entry in shelf.stored
            if entry.last_modified < limit
        ),
        uploads=tuple(
            upload
            for upload in store.unfinished_uploads(prefix)
            if upload.initiated_at < limit and not _is_of(upload, under_way)
        ),
        announcements=tuple(entry for _, entry, alive in imports if not alive),
    )


def _is_of(upload: UnfinishedUpload, backup_ids: set[str]) -> bool:
    key = BackupKey.parse(upload.key)
    return key is not None and key.backup_id in backup_ids


def clear_abandoned(
    store: ObjectStore,
    environment: str,
    *,
    now: datetime | None = None,
    spared: timedelta = SPARED,
) -> Abandoned:
    """Remove what `abandoned` finds and return what was removed."""
    found = abandoned(store, environment, now=now, spared=spared)
    for upload in found.uploads:
        logger.warning("removing the unfinished upload of %s", upload.key)
        store.abort_upload(upload)
    removed = [archive for archive in found.archives if _remove(store, archive)]
    finished = [shelf for shelf in found.half_removed if finish_removal(store, shelf)]
    for entry in found.announcements:
        store.delete(entry.key)
    return Abandoned(tuple(removed), found.uploads, tuple(finished), found.announcements)


def _never_finished(shelf: Shelf) -> bool:
    return shelf.manifest is None and not shelf.proofs and shelf.tombstone is None


def _remove(store: ObjectStore, archive: ListedObject) -> bool:
    key = BackupKey.parse(archive.key)
    # The listing is some moments old; a manifest that was written since makes it a backup.
    if key is None or store.head(manifest_key(key.environment, key.backup_id)) is not None:
        return False
    logger.warning("removing %s, which no manifest names", archive.key)
    store.delete(archive.key)
    return True
