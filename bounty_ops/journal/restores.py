"""What each restore and each refresh did, as a record of its own in the bucket.

It lies under the environment whose backup was restored: that one always exists, while the target
may be any address. Records are written once, at the end, whatever the end was like.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import model_validator

from bounty_ops.errors import (
    JournalError,
    ObjectExists,
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreUnavailable,
)
from bounty_ops.journal import layout
from bounty_ops.journal.ids import time_of_id
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
from bounty_ops.journal.records import Difference, Verdict  # noqa: TC001 - pydantic reads them

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.object_store import ObjectStore

_READERS: Final = 8
_JSON: Final = ".json"

logger = logging.getLogger(__name__)


class Replaced(Value):
    """What was at the target when the restore was planned."""

    tables: Count
    rows: Count
    """Of large tables as the planner estimated them."""
    size_bytes: Count
    old_database: str | None = None
    """Where it was kept; None where it was not kept, or not replaced."""


class RestoreRecord(Record):
    """One restore that was begun, and how it ended."""

    kind: ClassVar[str] = "restore record"

    format_version: Literal[1] = 1
    id: RecordId
    environment: EnvironmentName
    """Whose backup it was."""
    backup_id: RecordId
    operation: Literal["restore", "refresh"]
    operator: str
    started_at: UtcTime
    finished_at: UtcTime
    outcome: Literal["done", "differs", "finished", "failed"]
    """``differs``: the copy was not handed over. ``finished``: a swap that had been broken off was
    brought to its end, instead of what was asked for."""
    reason: str | None = None
    """Why it failed."""
    target: str
    """The environment, or the address of a database that is none of ours."""
    target_environment: EnvironmentName | None = None
    address: str
    """``host:port/database``."""
    database: str
    server_version: str
    protected: bool
    way: Literal["beside", "in place", "finish"]
    digest: Sha256
    """Of the plan that was carried out."""
    digest_given: bool
    """Whether somebody gave it, having read the plan; else nothing could be lost."""
    tables: tuple[str, ...] = ()
    """The tables that were chosen; empty: all."""
    with_references: bool = False
    no_owner: bool = False
    created_roles: tuple[str, ...] = ()
    masked_columns: Count = 0
    unfinished_backup_id: RecordId | None = None
    """Whose swap was brought to its end."""
    verdict: Verdict | None = None
    """Of the comparison with the manifest; None: it did not come to that."""
    tables_compared: Count = 0
    rows_compared: Count = 0
    differences: tuple[Difference, ...] = ()
    replaced: Replaced | None = None
    """None: there was no such database."""
    seconds: Seconds
    fetch_seconds: Seconds | None = None
    restore_seconds: Seconds | None = None
    compare_seconds: Seconds | None = None
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _outcome_fits(self) -> Self:
        if (self.outcome == "failed") != (self.reason is not None):
            raise ValueError("a restore gives a reason exactly when it failed")
        return self


def write_restore(store: ObjectStore, record: RestoreRecord) -> None:
    """Store a record; raises JournalError when there is another one with its id."""
    key = layout.restore_key(record.environment, record.id)
    try:
        store.put_if_absent(key, record_bytes(record))
    except ObjectExists as error:
        raise JournalError(
            f"the record {key} exists already and says something else",
            hint="Records are never changed; run the operation again, it gets a new id",
        ) from error


def read_restores(
    store: ObjectStore,
    environment: str | None = None,
    *,
    backup_id: str | None = None,
    newest: int | None = None,
) -> list[RestoreRecord]:
    """Return records of restores, newest first; unreadable ones are logged and left out.

    Args:
        store: of the bucket.
        environment: whose backups were restored; None: any.
        backup_id: only those of one backup.
        newest: only so many of them.

    Raises:
        ObjectStoreError: the bucket cannot be read.
    """
    prefix = layout.restore_prefix(environment)
    keys = [entry.key for entry in store.list(prefix) if entry.key.endswith(_JSON)]
    # Ids begin with their time, and no backup is restored before it was taken.
    begin = None if backup_id is None else time_of_id(backup_id)
    keys = [key for key in keys if begin is None or _not_before(key, begin)]
    keys.sort(key=lambda key: key.rpartition("/")[2], reverse=True)
    if backup_id is None:
        keys = keys[:newest]
    with ThreadPoolExecutor(_READERS, thread_name_prefix="bounty-ops-journal") as readers:
        found = [one for one in readers.map(lambda key: _read(store, key), keys) if one is not None]
    return [one for one in found if backup_id in {None, one.backup_id}][:newest]


def _not_before(key: str, begin: datetime) -> bool:
    moment = time_of_id(key.rpartition("/")[2].removesuffix(_JSON))
    return moment is None or moment >= begin


def _read(store: ObjectStore, key: str) -> RestoreRecord | None:
    try:
        record = parse_record(RestoreRecord, store.get(key), where=key)
    except ObjectNotFound:
        return None
    except ObjectStoreUnavailable:
        raise
    except (JournalError, ObjectStoreError) as error:
        logger.warning("a record of a restore is left out: %s", error)
        return None
    if key != layout.restore_key(record.environment, record.id):
        logger.warning("a record of a restore is left out: %s is not its place", key)
        return None
    return record
