"""Records for tests, each valid and changeable with keyword arguments."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bounty_ops.journal import Journal, new_id
from bounty_ops.journal.layout import archive_key
from bounty_ops.journal.records import (
    Manifest,
    MigrationEvidence,
    ObjectRecord,
    Proof,
    SequenceRecord,
    TableRecord,
    Verdict,
)

if TYPE_CHECKING:
    from bounty_ops.object_store import StoredObject

NIGHT = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)
ARCHIVE = b"PGDMP of a test"


def a_manifest(**changes: Any) -> Manifest:  # noqa: ANN401 - any field of the model
    backup_id = changes.pop("id", None) or new_id(changes.get("taken_at", NIGHT))
    environment = changes.get("environment", "production")
    values: dict[str, Any] = {
        "id": backup_id,
        "environment": environment,
        "database": "bounty",
        "taken_at": NIGHT,
        "finished_at": NIGHT.replace(minute=1),
        "seconds": 60.5,
        "taken_by": "nightly",
        "server_version": "17.10",
        "client_version": "17.10",
        "server_major": 17,
        "revision": "0001",
        "lsn": "0/1A2B3C4",
        "compression": "zstd:1",
        "objects": (
            ObjectRecord(
                key=archive_key(environment, backup_id),
                size_bytes=len(ARCHIVE),
                sha256=hashlib.sha256(ARCHIVE).hexdigest(),
            ),
        ),
        "tables": (
            TableRecord(schema_name="public", name="bounties", rows=20, fingerprint="ab" * 16),
            TableRecord(schema_name="public", name="user", rows=3, fingerprint="cd" * 16),
        ),
        "sequences": (SequenceRecord(schema_name="public", name="s", last_value=None),),
        "inventory": {"indexes": ["public.bounties_pkey"]},
    }
    return Manifest(**{**values, **changes})


def a_proof(manifest: Manifest, manifest_sha256: str, **changes: Any) -> Proof:  # noqa: ANN401 - any field of the model
    values: dict[str, Any] = {
        "id": new_id(changes.get("verified_at", NIGHT)),
        "backup_id": manifest.id,
        "environment": manifest.environment,
        "verdict": Verdict.PROVED,
        "verified_at": NIGHT,
        "seconds": 12.5,
        "tables_compared": 2,
        "rows_compared": 23,
        "manifest_sha256": manifest_sha256,
        "server_version": "17.10",
    }
    return Proof(**{**values, **changes})


def a_migration(**changes: Any) -> MigrationEvidence:  # noqa: ANN401 - any field of the model
    values: dict[str, Any] = {
        "id": new_id(changes.get("started_at", NIGHT)),
        "environment": "production",
        "from_revision": None,
        "to_revision": "0001",
        "digest": "ef" * 32,
        "operator": "anna",
        "started_at": NIGHT,
        "finished_at": NIGHT.replace(second=3),
        "outcome": "applied",
        "revisions": ("0001",),
        "detail": {"seconds": 3.0, "statements": 210, "error": None},
    }
    return MigrationEvidence(**{**values, **changes})


def put_archive(journal: Journal, manifest: Manifest, content: bytes = ARCHIVE) -> StoredObject:
    return journal.store.upload_stream(
        manifest.archive.key, io.BytesIO(content), before_complete=lambda: None
    )


def a_backup(journal: Journal, **changes: Any) -> Manifest:  # noqa: ANN401 - any field of the model
    """Store a whole backup and return its manifest."""
    manifest = a_manifest(**changes)
    put_archive(journal, manifest)
    journal.write_manifest(manifest)
    return manifest


def sha256_of(journal: Journal, manifest: Manifest) -> str:
    """The hash that a proof of a stored manifest carries."""
    stored = journal.manifest_bytes(manifest.environment, manifest.id)
    return hashlib.sha256(stored).hexdigest()
