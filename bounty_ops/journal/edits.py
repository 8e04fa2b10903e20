"""What people changed by hand in a database, as records of their own in the bucket.

A record says who changed which row, and which of its columns; it never holds a value, because
columns hold tokens and personal data, and records stay for years. It is written before the change
is committed, so that no change is without one. A change whose commit then failed has a second
record, which takes the first one back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from bounty_ops.errors import JournalError, ObjectExists
from bounty_ops.journal import layout
from bounty_ops.journal.record import (
    EnvironmentName,
    Record,
    RecordId,
    UtcTime,
    parse_record,
    record_bytes,
)

if TYPE_CHECKING:
    from bounty_ops.object_store import ObjectStore


class EditRecord(Record):
    """One row that somebody was about to change, or that the change did not come about."""

    kind: ClassVar[str] = "edit record"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    operator: str
    at: UtcTime
    operation: Literal["insert", "update", "delete"]
    table: str
    """With its schema."""
    key: dict[str, str | None]
    """The primary key of the row; null where the database had not chosen it yet."""
    columns: tuple[str, ...]
    """Which were written; of a row that was removed: none."""
    address: str
    """``host:port/database``."""
    protected: bool
    takes_back: RecordId | None = None
    """The record of a change whose commit failed; null: this one is about to be committed."""


def write_edit(store: ObjectStore, record: EditRecord) -> None:
    """Store a record; raises JournalError when there is another one with its id."""
    key = layout.edit_key(record.environment, record.id)
    try:
        store.put_if_absent(key, record_bytes(record))
    except ObjectExists as error:
        raise JournalError(
            f"the record {key} exists already and says something else",
            hint="Records are never changed; make the change again, it gets a new id",
        ) from error


def read_edits(store: ObjectStore, environment: str) -> list[EditRecord]:
    """Return the records of an environment, oldest first.

    Raises:
        JournalError: one of them cannot be read.
        ObjectStoreError: the bucket cannot be read.
    """
    keys = sorted(entry.key for entry in store.list(layout.edit_prefix(environment)))
    return [parse_record(EditRecord, store.get(key), where=key) for key in keys]
