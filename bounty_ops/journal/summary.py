"""What a list says about one backup, from its objects in the bucket."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.errors import JournalError, ObjectNotFound, ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.journal.ids import time_of_id
from bounty_ops.journal.placed import manifest_sha256, placed_manifest, placed_proof
from bounty_ops.journal.records import BackupState, BackupSummary, Manifest, Proof, Verdict

if TYPE_CHECKING:
    from bounty_ops.journal.shelf import Shelf
    from bounty_ops.object_store import ListedObject, ObjectStore

#: A manifest holds some hundred bytes a table; what is larger than this is not ours, and a list
#: must not be killed by it.
LARGEST_RECORD: Final = 64 * 1024 * 1024

logger = logging.getLogger(__name__)


def summarize(store: ObjectStore, shelf: Shelf) -> BackupSummary | None:
    """Return the summary of a backup, or None when it is gone (or was never finished).

    Raises ObjectStoreUnavailable: a store that does not answer says nothing about its backups.
    """
    if shelf.manifest is None:
        return None
    try:
        data = _read(store, shelf.manifest)
        manifest = placed_manifest(data, shelf.environment, shelf.backup_id)
    except ObjectNotFound:
        return None
    except ObjectStoreUnavailable:
        raise
    except (JournalError, ObjectStoreError) as error:
        return _damaged(store, shelf, shelf.manifest, str(error))
    problem = _objects_problem(manifest, shelf)
    if problem is not None:
        return _damaged(store, shelf, shelf.manifest, problem, manifest)
    proof = _newest_proof(store, shelf, manifest, manifest_sha256(data))
    return BackupSummary(
        id=manifest.id,
        environment=manifest.environment,
        taken_at=manifest.taken_at,
        state=BackupState.COMPLETE,
        bucket=store.location.bucket,
        key=store.full_key(manifest.archive.key),
        size_bytes=manifest.size_bytes,
        sha256=manifest.archive.sha256,
        verdict=Verdict.UNVERIFIED if proof is None else Verdict(proof.verdict),
        verified_at=None if proof is None else proof.verified_at,
        fetch_seconds=None if proof is None else proof.fetch_seconds,
        restore_seconds=None if proof is None else proof.restore_seconds,
        **_about(manifest, shelf),
    )


def _about(manifest: Manifest, shelf: Shelf) -> dict[str, Any]:
    """What holds for a backup whether it can be used or not."""
    lock = manifest.object_lock
    return {
        "finished_at": manifest.finished_at,
        "seconds": manifest.seconds,
        "database_bytes": manifest.database_bytes,
        "imported": manifest.imported is not None,
        "retention_class": manifest.retention_class,
        "encrypted": manifest.encryption is not None,
        "locked_until": None if lock is None else lock.until,
        "pinned": shelf.pin is not None,
    }


def _damaged(
    store: ObjectStore,
    shelf: Shelf,
    entry: ListedObject,
    problem: str,
    manifest: Manifest | None = None,
) -> BackupSummary:
    """Describe a backup that cannot be used. No proof counts for it any more."""
    in_name = time_of_id(shelf.backup_id) or entry.last_modified
    return BackupSummary(
        id=shelf.backup_id,
        environment=shelf.environment,
        taken_at=in_name if manifest is None else manifest.taken_at,
        state=BackupState.DAMAGED,
        bucket=store.location.bucket,
        key=store.full_key(shelf.archive_key),
        size_bytes=sum(one.size_bytes for one in shelf.stored) if shelf.stored else None,
        sha256=None if manifest is None else manifest.archive.sha256,
        verdict=Verdict.UNVERIFIED,
        problem=problem,
        **({"pinned": shelf.pin is not None} if manifest is None else _about(manifest, shelf)),
    )


def _objects_problem(manifest: Manifest, shelf: Shelf) -> str | None:
    there = {entry.key: entry.size_bytes for entry in shelf.stored}
    for record in manifest.objects:
        what = "the archive"
        if record.table is not None:
            what = f"the shard of {record.table.schema_name}.{record.table.name}"
        size = there.get(record.key)
        if size is None:
            return f"{what} is missing"
        if size != record.size_bytes:
            return f"{what} has {size} bytes, the manifest says {record.size_bytes}"
    return None


def _newest_proof(
    store: ObjectStore, shelf: Shelf, manifest: Manifest, sha256: str
) -> Proof | None:
    """Return the newest readable proof that speaks of this manifest, which has that hash."""
    for entry in reversed(shelf.proofs):
        proof = read_proof(store, shelf, entry)
        if proof is not None and proof.manifest_sha256 == sha256 and _is_whole(proof, manifest):
            return proof
    return None


def _is_whole(proof: Proof, manifest: Manifest) -> bool:
    """Whether a proof that says *proved* compared all that the manifest records."""
    compared = (proof.tables_compared, proof.rows_compared)
    whole = proof.verdict is not Verdict.PROVED or compared == (len(manifest.tables), manifest.rows)
    if not whole:
        logger.warning("a proof does not count: %s of %s left rows out", proof.id, manifest.id)
    return whole


def proof_id_of(entry: ListedObject) -> str:
    """Return the id in the name of a proof."""
    return entry.key.rpartition("/")[2].removesuffix(".json")


def read_proof(store: ObjectStore, shelf: Shelf, entry: ListedObject) -> Proof | None:
    """Return a proof, or None for one that cannot be read: it proves nothing, which is logged."""
    try:
        data = _read(store, entry)
        return placed_proof(data, shelf.environment, shelf.backup_id, proof_id_of(entry))
    except ObjectStoreUnavailable:
        raise
    except (JournalError, ObjectStoreError) as error:
        logger.warning("a proof does not count: %s", error)
        return None


def _read(store: ObjectStore, entry: ListedObject) -> bytes:
    if entry.size_bytes > LARGEST_RECORD:
        raise JournalError(
            f"{entry.key} has {entry.size_bytes} bytes and cannot be a record",
            hint="Something else was stored in its place; restore it from an older version",
        )
    return store.get(entry.key)
