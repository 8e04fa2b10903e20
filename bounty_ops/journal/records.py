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

import json
from datetime import UTC
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from bounty_ops.errors import JournalError

UtcTime = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
RecordId = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z_-]{0,63}$")]
EnvironmentName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
RetentionClass = Literal["scheduled", "manual"]
Compared = Literal["content", "counts", "nothing"]


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


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True)


class _Record(_Value):
    """A value that is stored as an object of its own."""

    kind: ClassVar[str]
    newest_format: ClassVar[int] = 1
    """The newest ``format_version`` of its kind that this program understands."""


class TableName(_Value):
    """A table, by the names that it had in the snapshot."""

    schema_name: str = Field(alias="schema")
    name: str


class ObjectRecord(_Value):
    """One object that belongs to a backup."""

    role: Literal["archive", "shard"] = "archive"
    """``archive``: a pg_dump archive in custom format, of the whole database but for the rows that
    shards hold. ``shard``: such an archive of one large table's rows alone."""
    key: str = Field(min_length=1)
    """Relative to the prefix of the bucket, so that a bucket can be copied elsewhere."""
    size_bytes: Count
    """Of what is stored, encrypted where the backup is."""
    sha256: Sha256
    """Of what is stored, encrypted where the backup is."""
    table: TableName | None = None
    """Whose rows a shard holds."""


class Encryption(_Value):
    """How the objects of a backup are encrypted."""

    method: Literal["age"] = "age"
    """https://age-encryption.org/v1: each object is an ordinary file of that format."""
    recipients: tuple[str, ...] = Field(min_length=1)
    """Public keys; the private key of any one of them opens the backup."""


class ObjectLock(_Value):
    """Until when the store itself refuses to delete a backup."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: UtcTime


class TableRecord(_Value):
    """What a table held in the snapshot that was dumped."""

    schema_name: str = Field(alias="schema")
    name: str
    rows: Count | None
    """None where they were not even counted; of an imported archive, those of a restored copy."""
    fingerprint: str | None = None
    """Hash over the text of all rows, whatever their order; None where only rows were counted."""


class SequenceRecord(_Value):
    """How far a sequence had been used."""

    schema_name: str = Field(alias="schema")
    name: str
    last_value: int | None
    """None when it has not been used yet."""


class Imported(_Value):
    """That an archive was made by somebody else, and what is known about it all the same.

    Its tables, sequences and inventory are those of a copy that was restored from the archive when
    it was imported, never the source's: they can show that it still restores alike, and no more.
    """

    file_name: str
    imported_at: UtcTime
    imported_by: str


class Manifest(_Record):
    """One backup: written last, so a backup exists if and only if its manifest does.

    Version 2 added shards, encryption and weaker comparisons; a reader of version 1 would have
    taken each of them for damage.
    """

    kind: ClassVar[str] = "manifest"
    newest_format: ClassVar[int] = 2

    format_version: Literal[1, 2] = 2
    id: RecordId
    environment: EnvironmentName
    database: str
    taken_at: UtcTime
    """When the snapshot was taken: the state that a restore brings back."""
    finished_at: UtcTime
    seconds: Seconds
    taken_by: str
    """Who or what asked for it, for people."""
    server_version: str
    client_version: str
    server_major: int
    """The major version of PostgreSQL that a restore needs at least."""
    revision: str | None = None
    """The migration revision of the database, None when it is not under migration."""
    lsn: str | None = None
    """The position in the server's write-ahead log at the snapshot."""
    database_bytes: Count | None = None
    """Of the database on its server, indexes and all; None where that was not asked."""
    imported: Imported | None = None
    """None for every backup that this program took."""
    compression: str
    retention_class: RetentionClass = "manual"
    """Whether a schedule or a person asked for it."""
    encryption: Encryption | None = None
    object_lock: ObjectLock | None = None
    """What the store was asked for, once this manifest was written."""
    compare: Compared = "content"
    """How much of the source was recorded for a restored copy to be compared with."""
    objects: tuple[ObjectRecord, ...]
    tables: tuple[TableRecord, ...]
    sequences: tuple[SequenceRecord, ...] = ()
    inventory: dict[str, list[str]] = Field(default_factory=dict)
    """Sorted identity lines per class of object (indexes, functions, grants ...)."""

    @model_validator(mode="after")
    def _objects_fit(self) -> Self:
        shards = len(self.shards)
        if len(self.objects) != shards + 1:
            raise ValueError("a manifest names exactly one archive of the whole database")
        if self.format_version == 1 and (shards or self.encryption is not None):
            raise ValueError("a manifest of format 1 names one object, which is not encrypted")
        if any(one.table is None for one in self.shards):
            raise ValueError("a shard says whose rows it holds")
        if len({one.key for one in self.objects}) != len(self.objects):
            raise ValueError("a manifest names no object twice")
        return self

    @property
    def archive(self) -> ObjectRecord:
        """The archive that holds the whole database, but for the rows that shards hold."""
        return next(one for one in self.objects if one.role == "archive")

    @property
    def shards(self) -> tuple[ObjectRecord, ...]:
        """The archives of large tables' rows."""
        return tuple(one for one in self.objects if one.role == "shard")

    @property
    def size_bytes(self) -> int:
        """Of all objects together, as they are stored."""
        return sum(one.size_bytes for one in self.objects)

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(table.rows or 0 for table in self.tables)


class Difference(_Value):
    """One way in which a restored copy is not what the manifest says."""

    kind: str
    """What was compared, such as ``table``, ``sequence`` or ``index``."""
    object: str
    expected: str | None
    """None: it should not be there."""
    found: str | None
    """None: it is not there."""


class Proof(_Record):
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


class MigrationEvidence(_Record):
    """What happened when a migration was applied."""

    kind: ClassVar[str] = "migration record"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    from_revision: str | None
    """None: the database had no revision."""
    to_revision: str | None
    digest: str
    """Of the plan that was carried out."""
    operator: str
    started_at: UtcTime
    finished_at: UtcTime
    outcome: Literal["applied", "nothing_to_do", "failed"]
    revisions: tuple[str, ...] = ()
    """The revisions that were applied, in their order."""
    detail: dict[str, str | int | float | None] = Field(default_factory=dict)


class Pin(_Record):
    """A person's word that a backup stays; taking it back removes the record."""

    kind: ClassVar[str] = "pin"

    format_version: Literal[1] = 1
    id: RecordId
    backup_id: RecordId
    environment: EnvironmentName
    pinned_at: UtcTime
    pinned_by: str
    reason: str = ""


class Tombstone(_Record):
    """That a backup is being removed: written before its manifest goes, removed after all else."""

    kind: ClassVar[str] = "tombstone"

    format_version: Literal[1] = 1
    id: RecordId
    backup_id: RecordId
    environment: EnvironmentName
    removed_at: UtcTime
    removed_by: str
    reason: str


class BackupSummary(_Value):
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


AnyRecord = TypeVar("AnyRecord", bound=_Record)


def record_bytes(record: _Record) -> bytes:
    """Return the one JSON form of a record: sorted keys, UTF-8, a line feed at the end."""
    content = record.model_dump(mode="json", by_alias=True)
    text = json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def parse_record(model: type[AnyRecord], data: bytes, *, where: str) -> AnyRecord:
    """Read a record; ``where`` (its key) is for the message.

    Raises JournalError when the bytes are not JSON, the format is of a newer version, or a field
    is missing or has the wrong type. Values are not converted: a size given as text is an error.
    """
    try:
        content: Any = from_json(data)
    except ValueError:
        raise _unreadable(model, where, "it is not JSON") from None
    if not isinstance(content, dict):
        raise _unreadable(model, where, "it is not a JSON object")
    version = content.get("format_version")
    if type(version) is not int:
        raise _unreadable(model, where, "format_version is missing or not a number")
    if version > model.newest_format:
        raise JournalError(
            f"the {model.kind} {where} has format version {version}; "
            f"this program knows versions up to {model.newest_format}",
            hint="upgrade bounty-ops to the version that wrote it, or newer",
        )
    try:
        return model.model_validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise _unreadable(model, where, f"{place}: {first['msg']}") from None


def _unreadable(model: type[_Record], where: str, why: str) -> JournalError:
    return JournalError(
        f"the {model.kind} {where} cannot be read: {why}",
        hint="it was damaged or edited after it was written; restore the object from a copy or an "
        "older version in the bucket, or remove it",
    )
