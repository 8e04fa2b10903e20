"""The journal: durable records in the bucket, which is where the truth lies.

A backup exists if and only if its manifest does. Records are written once, with a conditional
put, and never changed. Everything here works from the bucket alone, with no database anywhere.

Requests to the store: writing a record is one. A list of backups is one for each 1,000 objects
(a proved backup has three), and two for each backup (its manifest and its newest proof), eight at
a time.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import (
    JournalError,
    ObjectExists,
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreUnavailable,
    UsageError,
)
from bounty_ops.journal import layout
from bounty_ops.journal.ids import new_id, require_id, time_of_id
from bounty_ops.journal.placed import object_keys, placed_manifest, placed_migration
from bounty_ops.journal.records import (
    BackupSummary,
    Manifest,
    MigrationEvidence,
    Proof,
    record_bytes,
)
from bounty_ops.journal.shelf import Shelf, shelves
from bounty_ops.journal.summary import proof_id_of, read_proof, summarize
from bounty_ops.journal.sweep import SPARED, Abandoned, abandoned, clear_abandoned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from typing import TypeVar

    from bounty_ops.object_store import ObjectStore, StoredObject

    Thing = TypeVar("Thing")
    Result = TypeVar("Result")

_READERS: Final = 8
_SECOND: Final = timedelta(seconds=1)

logger = logging.getLogger(__name__)


class Journal:
    """The records under one prefix of one bucket.

    Every method raises ObjectStoreError when the store cannot be used.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    def write_manifest(self, manifest: Manifest) -> StoredObject:
        """Make a backup exist. Its objects must be in place already.

        Raises JournalError when there is another manifest with its id.
        """
        expected = object_keys(manifest)
        if [one.key for one in manifest.objects] != expected:
            raise ValueError(f"the objects of {manifest.id} belong at {', '.join(expected)}")
        key = layout.manifest_key(manifest.environment, manifest.id)
        return self._write(key, record_bytes(manifest))

    def read_manifest(self, environment: str, backup_id: str) -> Manifest:
        """Return the manifest of a backup.

        Raises UsageError when there is no such backup, JournalError when it cannot be read.
        """
        data = self.manifest_bytes(environment, backup_id)
        return placed_manifest(data, environment, backup_id)

    def manifest_bytes(self, environment: str, backup_id: str) -> bytes:
        """Return a manifest as it is stored: proofs name it by the SHA-256 of these bytes.

        Raises UsageError when there is no such backup.
        """
        try:
            return self.store.get(layout.manifest_key(environment, require_id(backup_id)))
        except ObjectNotFound:
            raise _unknown(backup_id, environment) from None

    def new_proof_id(self, environment: str, backup_id: str, now: datetime) -> str:
        """Return an id for a proof that sorts behind all that the backup has.

        The newest proof decides, so two within one second, or a clock that was set back, must not
        put an older verdict in front of a newer one.
        """
        listing = self.store.list(layout.backup_prefix(environment, require_id(backup_id)))
        ids = [proof_id_of(entry) for shelf in shelves(listing) for entry in shelf.proofs]
        times = [moment for moment in map(time_of_id, ids) if moment is not None]
        return new_id(max([now, *(moment + _SECOND for moment in times)]))

    def write_proof(self, proof: Proof) -> StoredObject:
        """Store what a verification showed, next to its backup.

        Raises JournalError when there is another proof with its id.
        """
        key = layout.proof_key(proof.environment, proof.backup_id, proof.id)
        return self._write(key, record_bytes(proof))

    def proofs(self, environment: str, backup_id: str) -> list[Proof]:
        """Return the proofs of a backup, newest first; unreadable ones are logged and left out."""
        listing = self.store.list(layout.backup_prefix(environment, require_id(backup_id)))
        found = [
            read_proof(self.store, shelf, entry)
            for shelf in shelves(listing)
            for entry in reversed(shelf.proofs)
        ]
        return [proof for proof in found if proof is not None]

    def summaries(self, environment: str | None = None) -> list[BackupSummary]:
        """Return the backups of one environment, or of all, newest first.

        A damaged one is listed as damaged and hides no other. An archive without a manifest is
        not a backup and is left out.
        """
        found = shelves(self.store.list(layout.environment_prefix(environment)))
        summaries = _at_once(lambda shelf: summarize(self.store, shelf), found)
        known = [summary for summary in summaries if summary is not None]
        return sorted(known, key=lambda summary: (summary.taken_at, summary.id), reverse=True)

    def find(self, backup_id: str, environment: str | None = None) -> Manifest:
        """Return the manifest of the backup with this id, or the only one that begins with it.

        Raises UsageError when there is none or more than one, JournalError when it cannot be
        read.
        """
        return self.read_manifest(*self.locate(backup_id, environment))

    def locate(self, backup_id: str, environment: str | None = None) -> tuple[str, str]:
        """Return environment and full id of the backup that an id, or its beginning, means.

        Its manifest need not be readable. Raises UsageError when there is none or more than one.
        """
        wanted = require_id(backup_id)
        prefix = layout.environment_prefix(environment)
        listing = self.store.list(prefix if environment is None else prefix + wanted)
        begins = [
            shelf
            for shelf in shelves(listing)
            if shelf.manifest is not None and shelf.backup_id.startswith(wanted)
        ]
        exact = [shelf for shelf in begins if shelf.backup_id == wanted]
        found = _only(exact or begins, wanted, environment)
        return found.environment, found.backup_id

    def write_migration(self, evidence: MigrationEvidence) -> StoredObject:
        """Store what happened when a migration was applied.

        Raises JournalError when there is another record with its id.
        """
        key = layout.migration_key(evidence.environment, evidence.id)
        return self._write(key, record_bytes(evidence))

    def migrations(
        self,
        environment: str | None = None,
        *,
        since: datetime | None = None,
        at_least: int = 0,
    ) -> list[MigrationEvidence]:
        """Return the migration records, newest first; unreadable ones are logged and left out.

        With ``since``, only those of migrations that began then or later, as their names say; and
        the ``at_least`` newest ones, however old they are.
        """
        listing = self.store.list(layout.migration_prefix(environment))
        named = [entry.key for entry in listing if entry.key.endswith(".json")]
        newest = sorted(named, key=lambda key: key.rpartition("/")[2], reverse=True)[:at_least]
        keys = [key for key in named if _begun_since(key, since) or key in newest]
        records = [record for record in _at_once(self._migration, keys) if record is not None]
        return sorted(records, key=lambda record: (record.started_at, record.id), reverse=True)

    def abandoned(
        self, environment: str, *, now: datetime | None = None, spared: timedelta = SPARED
    ) -> Abandoned:
        """Return what dead backups of an environment left in the bucket, older than ``spared``.

        Without ``now``, by the store's own clock: when its newest object was stored.
        """
        return abandoned(self.store, environment, now=now, spared=spared)

    def clear_abandoned(
        self, environment: str, *, now: datetime | None = None, spared: timedelta = SPARED
    ) -> Abandoned:
        """Remove what `abandoned` returns; call it at the start of a backup."""
        return clear_abandoned(self.store, environment, now=now, spared=spared)

    def _migration(self, key: str) -> MigrationEvidence | None:
        try:
            return placed_migration(self.store.get(key), key)
        except ObjectStoreUnavailable:
            raise
        except (JournalError, ObjectStoreError) as error:
            logger.warning("a migration record is left out: %s", error)
            return None

    def _write(self, key: str, data: bytes) -> StoredObject:
        try:
            return self.store.put_if_absent(key, data)
        except ObjectExists as error:
            raise JournalError(
                f"the record {key} exists already and says something else",
                hint="Records are never changed; run the operation again, it gets a new id",
            ) from error


def _begun_since(key: str, since: datetime | None) -> bool:
    """A name that tells no time may be of any, so it is read."""
    began = time_of_id(key.rpartition("/")[2].removesuffix(".json"))
    return since is None or began is None or began >= since


def _at_once(read: Callable[[Thing], Result], things: Iterable[Thing]) -> list[Result]:
    """Read several things at the same time, in their order; the first error is raised."""
    with ThreadPoolExecutor(_READERS, thread_name_prefix="bounty-ops-journal") as readers:
        return list(readers.map(read, things))


def _only(found: list[Shelf], wanted: str, environment: str | None) -> Shelf:
    if not found:
        raise _unknown(wanted, environment)
    if len(found) > 1:
        some = ", ".join(f"{shelf.environment}/{shelf.backup_id}" for shelf in found[:3])
        raise UsageError(
            f"{wanted} fits {len(found)} backups, such as {some}",
            hint="Give more of the id, or the environment with -e",
        )
    return found[0]


def _unknown(backup_id: str, environment: str | None) -> UsageError:
    where = "" if environment is None else f" in {environment}"
    return UsageError(
        f"there is no backup {backup_id}{where}",
        hint="`bounty-ops backup list` shows the ids that there are",
    )
