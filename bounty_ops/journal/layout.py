"""Where each record lies in the bucket. Pure; keys are relative to the bucket's prefix.

::

    backups/<environment>/<backup id>/archive.dump[.age]
    backups/<environment>/<backup id>/shards/<number>.dump[.age]
    backups/<environment>/<backup id>/manifest.json
    backups/<environment>/<backup id>/pin.json
    backups/<environment>/<backup id>/removed.json
    backups/<environment>/<backup id>/importing.json
    backups/<environment>/<backup id>/proofs/<proof id>.json
    migrations/<environment>/<record id>.json
    rehearsals/<environment>/<record id>.json
    approvals/<environment>/<record id>.json
    restores/<environment>/<record id>.json
    edits/<environment>/<record id>.json

Ids begin with their time, so the order of keys is the order of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACKUPS: Final = "backups/"
MIGRATIONS: Final = "migrations/"
REHEARSALS: Final = "rehearsals/"
APPROVALS: Final = "approvals/"
RESTORES: Final = "restores/"
EDITS: Final = "edits/"

_ARCHIVE: Final = "archive.dump"
_SHARDS: Final = "shards/"
_DUMP: Final = ".dump"
_AGE: Final = ".age"
_PIN: Final = "pin.json"
_TOMBSTONE: Final = "removed.json"
_ANNOUNCEMENT: Final = "importing.json"
_MANIFEST: Final = "manifest.json"
_PROOFS: Final = "proofs/"
_JSON: Final = ".json"


def environment_prefix(environment: str | None) -> str:
    """Under which the backups of one environment lie, or (None) of all."""
    return BACKUPS if environment is None else f"{BACKUPS}{environment}/"


def backup_prefix(environment: str, backup_id: str) -> str:
    """Under which everything of one backup lies."""
    return f"{environment_prefix(environment)}{backup_id}/"


def archive_key(environment: str, backup_id: str, *, encrypted: bool = False) -> str:
    """The pg_dump archive of a backup."""
    return backup_prefix(environment, backup_id) + _ARCHIVE + (_AGE if encrypted else "")


def shard_key(environment: str, backup_id: str, number: int, *, encrypted: bool = False) -> str:
    """The archive of one large table's rows; shards are counted from 1."""
    name = f"{_SHARDS}{number:04}{_DUMP}" + (_AGE if encrypted else "")
    return backup_prefix(environment, backup_id) + name


def pin_key(environment: str, backup_id: str) -> str:
    """The pin of a backup."""
    return backup_prefix(environment, backup_id) + _PIN


def tombstone_key(environment: str, backup_id: str) -> str:
    """What says that a backup is being removed."""
    return backup_prefix(environment, backup_id) + _TOMBSTONE


def announcement_key(environment: str, backup_id: str) -> str:
    """What says that a backup is being imported."""
    return backup_prefix(environment, backup_id) + _ANNOUNCEMENT


def manifest_key(environment: str, backup_id: str) -> str:
    """The manifest, whose existence is the backup's."""
    return backup_prefix(environment, backup_id) + _MANIFEST


def proof_key(environment: str, backup_id: str, proof_id: str) -> str:
    """One proof of a backup."""
    return f"{backup_prefix(environment, backup_id)}{_PROOFS}{proof_id}{_JSON}"


def migration_prefix(environment: str | None) -> str:
    """Under which the migration records of one environment lie, or (None) of all."""
    return MIGRATIONS if environment is None else f"{MIGRATIONS}{environment}/"


def migration_key(environment: str, record_id: str) -> str:
    """One migration record."""
    return f"{migration_prefix(environment)}{record_id}{_JSON}"


def rehearsal_key(environment: str, record_id: str) -> str:
    """One certificate of a rehearsal."""
    return f"{REHEARSALS}{environment}/{record_id}{_JSON}"


def approval_key(environment: str, record_id: str) -> str:
    """One approval of a plan."""
    return f"{APPROVALS}{environment}/{record_id}{_JSON}"


def restore_prefix(environment: str | None) -> str:
    """Under which the records of restores of one environment's backups lie, or (None) of all."""
    return RESTORES if environment is None else f"{RESTORES}{environment}/"


def restore_key(environment: str, record_id: str) -> str:
    """What one restore of a backup of that environment did."""
    return f"{restore_prefix(environment)}{record_id}{_JSON}"


def edit_prefix(environment: str) -> str:
    """Under which the records of what people changed by hand in one environment lie."""
    return f"{EDITS}{environment}/"


def edit_key(environment: str, record_id: str) -> str:
    """What somebody changed by hand in one row."""
    return f"{edit_prefix(environment)}{record_id}{_JSON}"


@dataclass(frozen=True)
class BackupKey:
    """A key under ``backups/``, taken apart."""

    environment: str
    backup_id: str
    rest: str
    """What follows the backup's prefix."""

    @classmethod
    def parse(cls, key: str) -> BackupKey | None:
        """Take a key apart; None when it is not a backup's."""
        parts = key.removeprefix(BACKUPS).split("/", 2)
        if not key.startswith(BACKUPS) or len(parts) != 3 or not all(parts):  # noqa: PLR2004
            return None
        return cls(*parts)

    @property
    def is_manifest(self) -> bool:
        """Whether it is the manifest's."""
        return self.rest == _MANIFEST

    @property
    def is_archive(self) -> bool:
        """Whether it is the archive's."""
        return self.rest.removesuffix(_AGE) == _ARCHIVE

    @property
    def is_shard(self) -> bool:
        """Whether it is a shard's."""
        return self.rest.startswith(_SHARDS) and self.rest.removesuffix(_AGE).endswith(_DUMP)

    @property
    def is_pin(self) -> bool:
        """Whether it is the pin's."""
        return self.rest == _PIN

    @property
    def is_tombstone(self) -> bool:
        """Whether it is the tombstone's."""
        return self.rest == _TOMBSTONE

    @property
    def is_announcement(self) -> bool:
        """Whether it is the announcement of an import."""
        return self.rest == _ANNOUNCEMENT

    @property
    def is_proof(self) -> bool:
        """Whether it is a proof's."""
        return self.rest.startswith(_PROOFS) and self.rest.endswith(_JSON)
