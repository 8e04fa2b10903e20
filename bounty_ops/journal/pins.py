"""Pins: a person's word that a backup stays, as an object next to it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import JournalError, ObjectExists, ObjectNotFound, UsageError
from bounty_ops.journal import layout
from bounty_ops.journal.ids import new_id
from bounty_ops.journal.records import Pin, parse_record, record_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.object_store import ObjectStore

#: How long a removal that has begun is given to show whether it saw the pin.
PATIENCE_SECONDS: Final = 10.0
#: A removal that began so much earlier is not under way, it was killed; the next one sees the pin.
_KILLED: Final = timedelta(minutes=10)


def pin_backup(
    store: ObjectStore,
    environment: str,
    backup_id: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Pin:
    """Pin a backup and return its pin, which is the earlier one when it was pinned already.

    Raises UsageError when there is no such backup, JournalError when it is being removed at this
    very moment.
    """
    if store.head(layout.manifest_key(environment, backup_id)) is None:
        raise _gone(backup_id, environment)
    pin = Pin(
        id=new_id(now),
        backup_id=backup_id,
        environment=environment,
        pinned_at=now,
        pinned_by=by,
        reason=reason,
    )
    try:
        store.put_if_absent(layout.pin_key(environment, backup_id), record_bytes(pin))
    except ObjectExists:
        pin = read_pin(store, environment, backup_id) or pin
    _require_no_removal(store, environment, backup_id, patience_seconds)
    return pin


def unpin_backup(store: ObjectStore, environment: str, backup_id: str) -> bool:
    """Take the pin of a backup away; whether there was one."""
    there = is_pinned(store, environment, backup_id)
    store.delete(layout.pin_key(environment, backup_id))
    return there


def is_pinned(store: ObjectStore, environment: str, backup_id: str) -> bool:
    """Whether there is a pin, readable or not."""
    return store.head(layout.pin_key(environment, backup_id)) is not None


def read_pin(store: ObjectStore, environment: str, backup_id: str) -> Pin | None:
    """Return the pin of a backup, None when there is none.

    Raises JournalError for one that cannot be read; it pins all the same.
    """
    key = layout.pin_key(environment, backup_id)
    try:
        return parse_record(Pin, store.get(key), where=key)
    except ObjectNotFound:
        return None


def _require_no_removal(
    store: ObjectStore, environment: str, backup_id: str, patience_seconds: float
) -> None:
    """Wait until a removal that began before the pin was there has decided."""
    pin = store.head(layout.pin_key(environment, backup_id))
    deadline = time.monotonic() + patience_seconds
    while True:
        tombstone = store.head(layout.tombstone_key(environment, backup_id))
        if store.head(layout.manifest_key(environment, backup_id)) is None:
            store.delete(layout.pin_key(environment, backup_id))
            raise _gone(backup_id, environment)
        if tombstone is None:
            return
        if pin is not None and pin.last_modified - tombstone.last_modified > _KILLED:
            return
        if time.monotonic() > deadline:
            raise JournalError(
                f"{backup_id} is pinned, but a prune had begun to remove it",
                hint="`bounty-ops backup show` says whether it is still there; then the pin holds",
            )
        time.sleep(0.2)


def _gone(backup_id: str, environment: str) -> UsageError:
    return UsageError(
        f"there is no backup {backup_id} in {environment}",
        hint="`bounty-ops backup list` shows the ids that there are",
    )
