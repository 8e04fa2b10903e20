"""What a listing of the bucket says about each backup, before anything is read. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bounty_ops.journal.layout import BackupKey, archive_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.object_store import ListedObject


@dataclass
class Shelf:
    """The objects that lie under the prefix of one backup."""

    environment: str
    backup_id: str
    manifest: ListedObject | None = None
    archive: ListedObject | None = None
    shards: list[ListedObject] = field(default_factory=list)
    pin: ListedObject | None = None
    tombstone: ListedObject | None = None
    announcement: ListedObject | None = None
    """That it is being imported, or was by somebody who died."""
    proofs: list[ListedObject] = field(default_factory=list)
    """In the order of their keys, which is the order of their times."""

    @property
    def archive_key(self) -> str:
        """Where the archive is or should be."""
        if self.archive is not None:
            return self.archive.key
        return archive_key(self.environment, self.backup_id)

    @property
    def stored(self) -> list[ListedObject]:
        """What is there of what a manifest names: the archive and the shards."""
        return [*([] if self.archive is None else [self.archive]), *self.shards]

    @property
    def remains(self) -> list[ListedObject]:
        """All but the manifest, in the order in which they are removed after it."""
        marks = (self.announcement, self.pin, self.tombstone)
        last = [entry for entry in marks if entry is not None]
        return [*self.stored, *self.proofs, *last]

    def put(self, key: BackupKey, entry: ListedObject) -> None:
        """Take in an object that lies under the prefix."""
        if key.is_shard:
            self.shards.append(entry)
        elif key.is_proof:
            self.proofs.append(entry)
        for name, fits in (
            ("manifest", key.is_manifest),
            ("archive", key.is_archive),
            ("pin", key.is_pin),
            ("tombstone", key.is_tombstone),
            ("announcement", key.is_announcement),
        ):
            if fits:
                setattr(self, name, entry)

    @property
    def is_half_removed(self) -> bool:
        """Whether somebody began to remove it and its manifest is gone already."""
        return self.manifest is None and self.tombstone is not None


def shelves(listing: Iterable[ListedObject]) -> list[Shelf]:
    """Group a listing by backup, newest first. What is not ours is left out."""
    found: dict[tuple[str, str], Shelf] = {}
    for entry in listing:
        key = BackupKey.parse(entry.key)
        if key is None:
            continue
        place = (key.environment, key.backup_id)
        shelf = found.setdefault(place, Shelf(key.environment, key.backup_id))
        shelf.put(key, entry)
    for shelf in found.values():
        shelf.proofs.sort(key=lambda entry: entry.key)
    return sorted(found.values(), key=lambda s: (s.backup_id, s.environment), reverse=True)
