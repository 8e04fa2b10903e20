"""The durable records as values: what a manifest, a proof and a migration record say.

They are written as JSON into the bucket and must be readable for years, also by programs that
are not this one; docs/reference/manifest.md describes every field. Three rules keep them so:

* ``format_version`` changes when an old reader would misunderstand a new record. A reader that
  meets a newer version refuses (`parse_record`), it never guesses.
* Fields may be added without a new version; readers ignore what they do not know.
* The same value always gives the same bytes (`record_bytes`), so that a proof can name the
  manifest it speaks of by hash.

Times are UTC, sizes are bytes, durations are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from bounty_ops.journal.evidence import Approval, MigrationEvidence, Rehearsal
from bounty_ops.journal.manifest import (
    Compared,
    Encryption,
    Imported,
    Manifest,
    ObjectLock,
    ObjectRecord,
    RetentionClass,
    SequenceRecord,
    TableName,
    TableRecord,
)
from bounty_ops.journal.record import (
    Count,
    EnvironmentName,
    Record,
    RecordId,
    Seconds,
    Sha256,
    UtcTime,
    Value,
    parse_record,
    record_bytes,
)

__all__ = [
    "Approval",
    "BackupState",
    "BackupSummary",
    "Compared",
    "Difference",
    "Encryption",
    "EnvironmentName",
    "Imported",
    "Manifest",
    "MigrationEvidence",
    "ObjectLock",
    "ObjectRecord",
    "Pin",
    "Proof",
    "Rehearsal",
    "RetentionClass",
    "SequenceRecord",
    "TableName",
    "TableRecord",
    "Tombstone",
    "Verdict",
    "parse_record",
    "record_bytes",
]


class Verdict(StrEnum):
    """What is known about a backup."""

    PROVED = "proved"
    """A restored copy equalled the source."""
    REFUTED = "refuted"
    """A restored copy differed, or the archive is not what the manifest says."""
    INCONCLUSIVE = "inconclusive"
    """The drill itself failed; nothing is known about the backup."""
    UNVERIFIED = "unverified"
    """Nobody has tried yet. Only a summary says this, never a proof."""


class BackupState(StrEnum):
    """Whether a listed backup can be used at all."""

    COMPLETE = "complete"
    """The manifest is readable and its archive is there with the recorded size."""
    DAMAGED = "damaged"
    """The manifest cannot be read, or its archive is missing or has another size."""


class Difference(Value):
    """One way in which a restored copy is not what the manifest says."""

    kind: str
    """What was compared, such as ``table``, ``sequence`` or ``index``."""
    object: str
    expected: str | None
    """None: it should not be there."""
    found: str | None
    """None: it is not there."""


class Proof(Record):
    """What one verification of a backup showed."""

    kind: ClassVar[str] = "proof"

    format_version: Literal[1] = 1
    id: RecordId
    backup_id: RecordId
    environment: EnvironmentName
    verdict: Literal[Verdict.PROVED, Verdict.REFUTED, Verdict.INCONCLUSIVE]
    verified_at: UtcTime
    seconds: Seconds
    differences: tuple[Difference, ...] = ()
    tables_compared: Count
    rows_compared: Count
    manifest_sha256: Sha256
    """The stored bytes of the manifest it speaks of; for any other manifest it says nothing."""
    server_version: str
    """Of the server that the backup was restored into."""
    reason: str | None = None
    """Why the drill failed, when the verdict is inconclusive."""
    compare: Compared = "content"
    """What of each table was compared; only ``content`` can prove."""
    fetch_seconds: Seconds | None = None
    """How long fetching (and decrypting) the objects took; None when it did not come to an end."""
    restore_seconds: Seconds | None = None
    """How long pg_restore took, of the attempt that the verdict rests on."""
    compare_seconds: Seconds | None = None
    """How long reading the copy and comparing it took."""
    indexes_checked: bool = False
    """Whether pg_amcheck found every B-tree index of the copy sound."""

    @model_validator(mode="after")
    def _verdict_fits(self) -> Self:
        if self.verdict is Verdict.PROVED and self.differences:
            raise ValueError("a proved backup has no differences")
        if self.verdict is Verdict.PROVED and self.reason:
            raise ValueError("a proved backup leaves no reason for doubt")
        if self.verdict is Verdict.PROVED and not self.tables_compared:
            raise ValueError("a backup is not proved by comparing no table")
        if self.verdict is Verdict.PROVED and self.compare != "content":
            raise ValueError("a backup is proved by its content alone")
        if self.verdict is Verdict.REFUTED and not self.differences:
            raise ValueError("a refuted backup names at least one difference")
        if self.verdict is Verdict.INCONCLUSIVE and not self.reason:
            raise ValueError("an inconclusive verdict gives its reason")
        return self


class Pin(Record):
    """A person's word that a backup stays; taking it back removes the record."""

    kind: ClassVar[str] = "pin"

    format_version: Literal[1] = 1
    id: RecordId
    backup_id: RecordId
    environment: EnvironmentName
    pinned_at: UtcTime
    pinned_by: str
    reason: str = ""


class Tombstone(Record):
    """That a backup is being removed: written before its manifest goes, removed after all else."""

    kind: ClassVar[str] = "tombstone"

    format_version: Literal[1] = 1
    id: RecordId
    backup_id: RecordId
    environment: EnvironmentName
    removed_at: UtcTime
    removed_by: str
    reason: str


class BackupSummary(Value):
    """One line of a list of backups; derived from the bucket, never stored in it."""

    id: str
    environment: str
    taken_at: UtcTime
    """Of a damaged manifest: the time in its id, else when the manifest was written."""
    state: BackupState
    bucket: str
    key: str
    """The full key in the bucket, prefix included: with ``bucket`` it addresses the archive."""
    size_bytes: int | None
    """Of all objects together."""
    sha256: str | None
    """Of the archive."""
    verdict: Verdict
    verified_at: UtcTime | None = None
    finished_at: UtcTime | None = None
    seconds: float | None = None
    """How long the backup took."""
    fetch_seconds: float | None = None
    restore_seconds: float | None = None
    """How long fetching and restoring took in the drill that the verdict rests on."""
    database_bytes: int | None = None
    """Of the database on its server when it was backed up."""
    imported: bool = False
    """Whether it is an archive that somebody else made; such a one counts for no schedule."""
    retention_class: RetentionClass = "manual"
    encrypted: bool = False
    locked_until: UtcTime | None = None
    pinned: bool = False
    problem: str | None = None
    """What is wrong with a damaged backup."""
