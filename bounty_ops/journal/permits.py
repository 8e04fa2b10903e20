"""Rehearsals and approvals in the bucket: what permits a migration, besides a proved backup."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from bounty_ops.errors import (
    JournalError,
    ObjectExists,
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreUnavailable,
)
from bounty_ops.journal import layout
from bounty_ops.journal.evidence import Approval, Rehearsal
from bounty_ops.journal.record import parse_record, record_bytes

if TYPE_CHECKING:
    from bounty_ops.object_store import ObjectStore

_Permit = TypeVar("_Permit", Rehearsal, Approval)

logger = logging.getLogger(__name__)


def write_rehearsal(store: ObjectStore, rehearsal: Rehearsal) -> None:
    """Store a certificate; raises JournalError when there is another one with its id."""
    _write(store, layout.rehearsal_key(rehearsal.environment, rehearsal.id), rehearsal)


def read_rehearsals(store: ObjectStore, environment: str) -> list[Rehearsal]:
    """Return an environment's certificates, newest first; unreadable ones are left out."""
    found = _read(store, f"{layout.REHEARSALS}{environment}/", Rehearsal)
    return sorted(found, key=lambda one: (one.finished_at, one.id), reverse=True)


def write_approval(store: ObjectStore, approval: Approval) -> None:
    """Store an approval; raises JournalError when there is another one with its id."""
    _write(store, layout.approval_key(approval.environment, approval.id), approval)


def read_approvals(store: ObjectStore, environment: str) -> list[Approval]:
    """Return the approvals for an environment, newest first; unreadable ones are left out."""
    found = _read(store, f"{layout.APPROVALS}{environment}/", Approval)
    return sorted(found, key=lambda one: (one.approved_at, one.id), reverse=True)


def _write(store: ObjectStore, key: str, record: Rehearsal | Approval) -> None:
    try:
        store.put_if_absent(key, record_bytes(record))
    except ObjectExists as error:
        raise JournalError(
            f"the record {key} exists already and says something else",
            hint="Records are never changed; run the operation again, it gets a new id",
        ) from error


def _read(store: ObjectStore, prefix: str, model: type[_Permit]) -> list[_Permit]:
    """A permit that cannot be read, or lies in another's place, permits nothing."""
    found = []
    for entry in store.list(prefix):
        if not entry.key.endswith(".json"):
            continue
        try:
            record = parse_record(model, store.get(entry.key), where=entry.key)
        except ObjectStoreUnavailable:
            raise
        except ObjectNotFound:
            continue
        except (JournalError, ObjectStoreError) as error:
            logger.warning("a %s is left out: %s", model.kind, error)
            continue
        if entry.key == f"{prefix}{record.id}.json" and prefix.endswith(f"/{record.environment}/"):
            found.append(record)
        else:
            logger.warning("a %s is left out: %s is not its place", model.kind, entry.key)
    return found
