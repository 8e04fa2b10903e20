"""What protects the backups besides themselves: copies, the night's prune, the store's lock.

Read-only and cheap enough for a look every minute: one listing of the second bucket for each 1,000
objects, three requests about locks for each bucket where the policy wants them, and next to none
for retention.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bounty_ops.alerting.objectives import usable
from bounty_ops.backup.retention import has_rules, retain
from bounty_ops.backup.standing import held_of
from bounty_ops.errors import BountyOpsError, ObjectNotFound
from bounty_ops.journal import layout
from bounty_ops.journal.shelf import Shelf, shelves
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import BackupSummary

    Copies = Mapping[str, int] | BountyOpsError | None


@dataclass(frozen=True)
class Keeping:
    """What protects the backups of one environment, as far as it is wanted."""

    copies: Copies = None
    """Size of what the second bucket holds of each backup whose manifest it has, why it could not
    be asked, or None: no copies are wanted."""
    prune_refused: str | None = None
    """Why the night's prune would delete nothing although it should; None: no such reason."""
    unlocked: Mapping[str, str] | BountyOpsError = field(default_factory=dict)
    """Of the newest backup, the objects that the store should lock and does not, and why."""
    newest_locked: str | None = None
    """The backup that was looked at for its locks; None: none should be locked."""
    unlocked_copy: Mapping[str, str] | BountyOpsError = field(default_factory=dict)
    """The same of the newest copy that the second bucket should lock."""
    newest_locked_copy: str | None = None
    """That copy; None: there is none, or copies are not wanted."""


def look_at_keeping(
    environment: Environment,
    settings: Settings,
    journal: Journal,
    summaries: Sequence[BackupSummary],
    *,
    now: datetime,
) -> Keeping:
    """Look at what protects the backups.

    Args:
        environment: whose.
        settings: which name the second bucket.
        journal: of the first bucket.
        summaries: what that lists.
        now: timezone-aware.

    Raises:
        ObjectStoreError: the first bucket cannot be read (any more).
    """
    newest = _to_be_locked(environment, summaries, now)
    keeping = Keeping(
        prune_refused=_prune_refused(environment, journal, summaries, now),
        unlocked={} if newest is None else _unlocked(journal.store, newest, now),
        newest_locked=None if newest is None else newest.id,
    )
    wanted = settings.copy_object_store is not None or settings.copy_object_store_problem
    if not wanted or not environment.policy.copy_after_proof:
        return keeping
    try:
        store = ObjectStore(settings.require_copy_object_store())
        copies = _copies(store, environment)
    except BountyOpsError as error:
        return replace(keeping, copies=error)
    return _with_locks(replace(keeping, copies=copies), store, environment, summaries, now)


def _copies(store: ObjectStore, environment: Environment) -> Mapping[str, int]:
    listing = store.list(layout.environment_prefix(environment.name))
    return {
        shelf.backup_id: sum(one.size_bytes for one in shelf.stored)
        for shelf in shelves(listing)
        if shelf.manifest is not None
    }


def _with_locks(
    keeping: Keeping,
    store: ObjectStore,
    environment: Environment,
    summaries: Sequence[BackupSummary],
    now: datetime,
) -> Keeping:
    """How the second bucket locks the newest copy that it has; that one is missing is told else."""
    copies = keeping.copies
    if copies is None or isinstance(copies, BountyOpsError):
        return keeping
    there = [one for one in summaries if one.id in copies]
    newest = _to_be_locked(environment, there, now)
    if newest is None:
        return keeping
    unlocked = _unlocked(store, newest, now)
    return replace(keeping, unlocked_copy=unlocked, newest_locked_copy=newest.id)


def _prune_refused(
    environment: Environment, journal: Journal, summaries: Sequence[BackupSummary], now: datetime
) -> str | None:
    policy = environment.policy
    if not policy.prune_nightly or not has_rules(policy):
        return None
    held = [held_of(journal, summary) for summary in summaries]
    return retain(held, policy, now=now).refused


def _to_be_locked(
    environment: Environment, summaries: Sequence[BackupSummary], now: datetime
) -> BackupSummary | None:
    """The newest backup, if it was to be locked when it was taken, and still is."""
    if environment.policy.object_lock == "none":
        return None
    newest = next(iter(usable(summaries, now)), None)
    if newest is None or newest.locked_until is None or newest.locked_until <= now:
        return None
    return newest


def _unlocked(
    store: ObjectStore, summary: BackupSummary, now: datetime
) -> Mapping[str, str] | BountyOpsError:
    """Of the manifest, the archive and the last shard, those that the store does not lock.

    Manifest and objects are locked in this order: what was broken off left the last one unlocked.
    """
    found: dict[str, str] = {}
    try:
        for key in _to_ask_for(store, summary):
            with suppress(ObjectNotFound):  # pruned since it was listed; the next look knows
                lock = store.lock_of(key)
                if lock is None:
                    found[key] = "has no lock"
                elif lock.until <= now:
                    found[key] = f"was locked until {lock.until:%Y-%m-%d %H:%M} UTC only"
    except BountyOpsError as error:
        return error
    return found


def _to_ask_for(store: ObjectStore, summary: BackupSummary) -> list[str]:
    prefix = layout.backup_prefix(summary.environment, summary.id)
    (shelf,) = shelves(store.list(prefix)) or [Shelf(summary.environment, summary.id)]
    shards = sorted(entry.key for entry in shelf.shards)
    return [layout.manifest_key(summary.environment, summary.id), shelf.archive_key, *shards[-1:]]
