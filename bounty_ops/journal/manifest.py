"""The manifest: what one backup is, and what the snapshot held that it was taken of."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from bounty_ops.journal.record import (
    Count,
    EnvironmentName,
    Record,
    RecordId,
    Seconds,
    Sha256,
    UtcTime,
    Value,
)

RetentionClass = Literal["scheduled", "manual"]
Compared = Literal["content", "counts", "nothing"]


class TableName(Value):
    """A table, by the names that it had in the snapshot."""

    schema_name: str = Field(alias="schema")
    name: str


class ObjectRecord(Value):
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


class Encryption(Value):
    """How the objects of a backup are encrypted."""

    method: Literal["age"] = "age"
    """https://age-encryption.org/v1: each object is an ordinary file of that format."""
    recipients: tuple[str, ...] = Field(min_length=1)
    """Public keys; the private key of any one of them opens the backup."""


class ObjectLock(Value):
    """Until when the store itself refuses to delete a backup."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    until: UtcTime


class TableRecord(Value):
    """What a table held in the snapshot that was dumped."""

    schema_name: str = Field(alias="schema")
    name: str
    rows: Count | None
    """None where they were not even counted; of an imported archive, those of a restored copy."""
    fingerprint: str | None = None
    """Hash over the text of all rows, whatever their order; None where only rows were counted."""


class SequenceRecord(Value):
    """How far a sequence had been used."""

    schema_name: str = Field(alias="schema")
    name: str
    last_value: int | None
    """None when it has not been used yet."""


class Imported(Value):
    """That an archive was made by somebody else, and what is known about it all the same.

    Its tables, sequences and inventory are those of a copy that was restored from the archive when
    it was imported, never the source's: they can show that it still restores alike, and no more.
    """

    file_name: str
    imported_at: UtcTime
    imported_by: str


class Manifest(Record):
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
    inventory_version: int = 0
    """How those lines are written; lines of different versions cannot be compared."""

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
