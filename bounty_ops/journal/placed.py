"""Reading a record at its place: a record that was moved or swapped is as wrong as an edited one.

Pure: bytes and the place they lie at go in.
"""

from __future__ import annotations

import hashlib

from bounty_ops.errors import JournalError
from bounty_ops.journal.layout import archive_key, manifest_key, proof_key, shard_key
from bounty_ops.journal.records import Manifest, MigrationEvidence, Proof, parse_record


def placed_manifest(data: bytes, environment: str, backup_id: str) -> Manifest:
    """Read a manifest; raises JournalError when it is not the one of this backup."""
    where = manifest_key(environment, backup_id)
    manifest = parse_record(Manifest, data, where=where)
    if (manifest.environment, manifest.id) != (environment, backup_id):
        raise _misplaced(where, f"{manifest.environment}/{manifest.id}")
    for record, key in zip(manifest.objects, object_keys(manifest), strict=True):
        if record.key != key:
            raise _misplaced(where, record.key)
    return manifest


def object_keys(manifest: Manifest) -> list[str]:
    """Where the objects of a backup belong, in the order in which its manifest names them."""
    place, encrypted = (manifest.environment, manifest.id), manifest.encryption is not None
    keys = []
    shards = 0
    for record in manifest.objects:
        if record.role == "archive":
            keys.append(archive_key(*place, encrypted=encrypted))
        else:
            shards += 1
            keys.append(shard_key(*place, shards, encrypted=encrypted))
    return keys


def placed_proof(data: bytes, environment: str, backup_id: str, proof_id: str) -> Proof:
    """Read a proof; raises JournalError when it is not this proof of this backup."""
    where = proof_key(environment, backup_id, proof_id)
    proof = parse_record(Proof, data, where=where)
    if (proof.environment, proof.backup_id, proof.id) != (environment, backup_id, proof_id):
        raise _misplaced(where, f"{proof.environment}/{proof.backup_id}/{proof.id}")
    return proof


def placed_migration(data: bytes, where: str) -> MigrationEvidence:
    """Read a migration record; raises JournalError when it belongs to another place."""
    record = parse_record(MigrationEvidence, data, where=where)
    if not where.endswith(f"/{record.environment}/{record.id}.json"):
        raise _misplaced(where, f"{record.environment}/{record.id}")
    return record


def manifest_sha256(data: bytes) -> str:
    """Return what a proof names a manifest by: the hash of its stored bytes."""
    return hashlib.sha256(data).hexdigest()


def _misplaced(where: str, what: str) -> JournalError:
    return JournalError(
        f"{where} is about {what}, not about the place where it lies",
        hint="It was copied or renamed; restore the object from an older version, or remove it",
    )
