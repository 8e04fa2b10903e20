"""Pruning: what retention decides about the backups of a bucket, and carrying it out.

A plan is a value with a digest: whoever carries it out by hand has seen what would go. Each backup
is looked at again right before it goes; what has changed since the plan (a pin, a proof, a lock)
lets it stay. So does a newest proved backup that is no longer there: nothing is deleted unless
the backup that all of it leans on is in the bucket.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bounty_ops.backup.retention import Decision, Retention, Standing, retain
from bounty_ops.backup.standing import held_now, held_of
from bounty_ops.errors import BackupError
from bounty_ops.journal import new_id
from bounty_ops.journal.records import Tombstone
from bounty_ops.journal.removal import remove_backup

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bounty_ops.environments import Environment
    from bounty_ops.journal import Journal

_READERS: Final = 8


@dataclass(frozen=True)
class PrunePlan:
    """What is to become of every backup of one environment in one bucket."""

    environment: str
    bucket: str
    """With its prefix, as s3://bucket/prefix."""
    retention: Retention
    planned_at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 over what would be deleted, and where.

        A backup more that stays makes no other plan of it: then the same ones still go.
        """
        content = {
            "environment": self.environment,
            "bucket": self.bucket,
            "delete": [
                [one.backup.id, one.backup.taken_at.isoformat(), one.backup.standing]
                for one in self.retention.delete
            ],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def remedy(self) -> str | None:
        """What to do about a refusal."""
        refused = self.retention.refused
        if refused is None:
            return None
        if refused.startswith("the clock"):
            return "Correct the clock of this machine, or remove what is of the future."
        return (
            "Look at the plan: bounty-ops backup prune. If it is what you want, allow it once with "
            "--most-share, or set prune_most_share in bounty_ops.toml."
        )

    @property
    def freed_bytes(self) -> int:
        """What the deletions would free, as far as sizes are known."""
        return sum(one.backup.size_bytes or 0 for one in self.retention.delete)


@dataclass
class Pruned:
    """What became of a plan that was carried out, as far as it got."""

    deleted: list[str] = field(default_factory=list)
    freed_bytes: int = 0
    spared: dict[str, str] = field(default_factory=dict)
    """Backups of the plan that stayed, with the reason."""
    problems: dict[str, str] = field(default_factory=dict)
    """Backups that are gone, but of which something takes space yet."""


@dataclass(frozen=True)
class _Run:
    """What one call of `carry_out_prune` is about."""

    plan: PrunePlan
    journal: Journal
    by: str
    now: datetime
    pinned_elsewhere: Callable[[str], bool]
    result: Pruned


def plan_prune(
    environment: Environment,
    journal: Journal,
    *,
    now: datetime,
    most_share: float | None = None,
    pinned_elsewhere: Callable[[str], bool] = lambda _id: False,
) -> PrunePlan:
    """Plan what the environment's rules delete; changes nothing.

    Args:
        environment: whose backups, under which policy.
        journal: of the bucket that holds them.
        now: the time.
        most_share: instead of the policy's `prune_most_share`.
        pinned_elsewhere: whether another bucket holds a pin: a copy stays with its original's.

    Raises ObjectStoreError when the bucket cannot be read.
    """
    with ThreadPoolExecutor(_READERS, thread_name_prefix="bounty-ops-prune") as readers:
        held = list(
            readers.map(lambda one: held_of(journal, one), journal.summaries(environment.name))
        )
    held = [replace(one, pinned=one.pinned or pinned_elsewhere(one.id)) for one in held]
    return PrunePlan(
        environment=environment.name,
        bucket=journal.store.location.uri(),
        retention=retain(held, environment.policy, now=now, most_share=most_share),
        planned_at=now,
    )


def require_digest(plan: PrunePlan, digest: str) -> None:
    """Raise BackupError when a digest is that of another plan."""
    if digest != plan.digest:
        raise BackupError(
            f"the plan for {plan.environment} has another digest now; nothing was deleted",
            hint="A backup, a proof or a pin came in since, or the digest is mistyped. Look at the "
            f"plan again, with the same options: bounty-ops backup prune -e {plan.environment}",
        )


def carry_out_prune(
    plan: PrunePlan,
    journal: Journal,
    *,
    by: str,
    now: datetime,
    pinned_elsewhere: Callable[[str], bool] = lambda _id: False,
    result: Pruned | None = None,
    progress: Callable[[int], None] | None = None,
) -> Pruned:
    """Delete what a plan says, oldest first, and return what became of it.

    Args:
        plan: of the bucket as it was a moment ago.
        journal: of the same bucket.
        by: who or what asks for it.
        now: the time.
        pinned_elsewhere: asked right before a backup goes, where another bucket has pins too.
        result: filled on the way, so that a caller knows what was done before an error or Ctrl-C.
        progress: called with the number of backups that are done.

    Raises:
        BackupError: the plan is refused, or the backup that it leans on is gone.
        ObjectStoreError: the bucket said no; the next prune goes on from there.
    """
    if plan.retention.refused is not None:
        raise BackupError(f"nothing was deleted: {plan.retention.refused}", hint=plan.remedy or "")
    run = _Run(plan, journal, by, now, pinned_elsewhere, Pruned() if result is None else result)
    # What killed prunes and backups left, as at the start of every backup.
    journal.clear_abandoned(plan.environment, now=now)
    for number, decision in enumerate(reversed(plan.retention.delete), 1):
        _require_newest_proved(run)
        _delete(run, decision)
        if progress is not None:
            progress(number)
    return run.result


def _delete(run: _Run, decision: Decision) -> None:
    one, journal, result = decision.backup, run.journal, run.result
    present = held_now(journal, run.plan.environment, one.id)
    if present is None:
        return  # another prune was faster
    if present != one or run.pinned_elsewhere(one.id):
        result.spared[one.id] = "it is not what it was when the plan was made"
        return
    tombstone = Tombstone(
        id=new_id(run.now),
        backup_id=one.id,
        environment=run.plan.environment,
        removed_at=run.now,
        removed_by=run.by,
        reason=decision.reasons[0],
    )
    removal = remove_backup(journal.store, tombstone)
    if not removal.removed:
        result.spared[one.id] = removal.problem or "the store refused"
        return
    result.deleted.append(one.id)
    result.freed_bytes += one.size_bytes or 0
    if removal.problem is not None:
        result.problems[one.id] = removal.problem


def _require_newest_proved(run: _Run) -> None:
    newest = run.plan.retention.newest_proved
    present = newest and held_now(run.journal, run.plan.environment, newest.id)
    if present is None or present.standing is not Standing.PROVED:
        raise BackupError(
            f"nothing more was deleted: the newest proved backup of {run.plan.environment} is "
            "gone, or it is not proved any more",
            hint="Look at `bounty-ops backup list`, and prune again when the newest is proved.",
        )
