"""The SQL catalogue: an index of the journal in the operations database.

It can be wrong or lost without harm, `rebuild` makes it again. So each function may be called any
number of times for the same record. Errors are SQLAlchemy's: call these inside
`bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from bounty_ops.errors import JournalError, UsageError
from bounty_ops.journal.records import BackupState
from bounty_ops.schema.ops import Backup, MigrationRecord, Verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from bounty_ops.environments import BucketLocation
    from bounty_ops.journal.bucket import Journal
    from bounty_ops.journal.records import Manifest, MigrationEvidence, Proof

    Table = type[Backup | Verification | MigrationRecord]
    Rows = list[dict[str, Any]]

_TABLES: tuple[Table, ...] = (Backup, Verification, MigrationRecord)


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild put into the catalogue."""

    backups: int
    verifications: int
    migrations: int
    damaged: int
    """Backups that the bucket lists but that cannot be read; the catalogue leaves them out."""


def index_backup(engine: Engine, manifest: Manifest, location: BucketLocation) -> None:
    """Enter a backup; ``location`` is where its bucket and prefix are."""
    with engine.begin() as connection:
        _upsert(connection, Backup, [_backup_row(manifest, location)])


def forget_backups(engine: Engine, backup_ids: Sequence[str]) -> None:
    """Take out backups that are no longer in the bucket, with their proofs."""
    with engine.begin() as connection:
        connection.execute(delete(Verification).where(Verification.backup_id.in_(backup_ids)))
        connection.execute(delete(Backup).where(Backup.id.in_(backup_ids)))


def index_verification(engine: Engine, proof: Proof) -> None:
    """Enter a proof, whether its backup has been entered or not."""
    with engine.begin() as connection:
        _upsert(connection, Verification, [_verification_row(proof)])


def index_migration(engine: Engine, evidence: MigrationEvidence) -> None:
    """Enter a migration record."""
    with engine.begin() as connection:
        _upsert(connection, MigrationRecord, [_migration_row(evidence)])


def rebuild(journal: Journal, engine: Engine) -> Rebuilt:
    """Make the catalogue say what the bucket says, in one transaction.

    Rows whose record is no longer in the bucket go. What somebody enters while the bucket is read
    stays: only rows that were there before can go.
    """
    with engine.connect() as connection:
        before = {table: set(connection.scalars(select(table.id))) for table in _TABLES}
    found, damaged = _read(journal)
    with engine.begin() as connection:
        for table in _TABLES:
            gone = before[table] - {row["id"] for row in found[table]}
            connection.execute(delete(table).where(table.id.in_(gone)))
            _upsert(connection, table, found[table])
    return Rebuilt(
        backups=len(found[Backup]),
        verifications=len(found[Verification]),
        migrations=len(found[MigrationRecord]),
        damaged=damaged,
    )


def _read(journal: Journal) -> tuple[dict[Table, Rows], int]:
    found: dict[Table, Rows] = {
        Backup: [],
        Verification: [],
        MigrationRecord: [_migration_row(record) for record in journal.migrations()],
    }
    damaged = 0
    for summary in journal.summaries():
        try:
            manifest = journal.read_manifest(summary.environment, summary.id)
        except UsageError:  # removed since it was listed
            continue
        except JournalError:
            damaged += 1
            continue
        if summary.state is BackupState.DAMAGED:
            damaged += 1
            continue
        found[Backup].append(_backup_row(manifest, journal.store.location))
        proofs = journal.proofs(summary.environment, summary.id)
        found[Verification] += [_verification_row(proof) for proof in proofs]
    return found, damaged


def _upsert(connection: Connection, table: Table, rows: Rows) -> None:
    if not rows:
        return
    statement = insert(table)
    columns = {name: statement.excluded[name] for name in rows[0] if name != "id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=columns), rows)


def _backup_row(manifest: Manifest, location: BucketLocation) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "environment": manifest.environment,
        "taken_at": manifest.taken_at,
        "finished_at": manifest.finished_at,
        "bucket": location.bucket,
        "key": location.key(manifest.archive.key),
        "size_bytes": manifest.size_bytes,
        "sha256": manifest.archive.sha256,
        "server_version": manifest.server_version,
        "revision": manifest.revision,
        "rows": manifest.rows,
        "manifest": manifest.model_dump(mode="json", by_alias=True),
    }


def _verification_row(proof: Proof) -> dict[str, Any]:
    content = proof.model_dump(mode="json", by_alias=True)
    return {
        "id": proof.id,
        "backup_id": proof.backup_id,
        "environment": proof.environment,
        "verdict": proof.verdict.value,
        "verified_at": proof.verified_at,
        "seconds": proof.seconds,
        "differences": content["differences"],
        "proof": content,
    }


def _migration_row(evidence: MigrationEvidence) -> dict[str, Any]:
    return {
        "id": evidence.id,
        "environment": evidence.environment,
        "from_revision": evidence.from_revision,
        "to_revision": evidence.to_revision,
        "digest": evidence.digest,
        "operator": evidence.operator,
        "started_at": evidence.started_at,
        "finished_at": evidence.finished_at,
        "outcome": evidence.outcome,
        "detail": {**evidence.detail, "revisions": list(evidence.revisions)},
    }
