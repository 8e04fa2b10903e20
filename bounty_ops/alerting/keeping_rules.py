"""Rules about what protects the backups: copies, the night's prune, the store's lock. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.alerting.backup_rules import bucket_unknown
from bounty_ops.alerting.objectives import usable
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupSummary, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.environments.alerts import RuleSettings


def copy_overdue(situation: Situation, settings: RuleSettings) -> Answer:
    """A backup that was proved longer ago than a night takes is not in the second bucket.

    It is the newest of those that counts, or any that is newer: a backup of this hour has time
    until the next night, and is no excuse for last night's.
    """
    copies, backups = situation.keeping.copies, situation.backups
    if isinstance(backups, BountyOpsError):
        return bucket_unknown(backups)
    if copies is None:
        return []
    if isinstance(copies, BountyOpsError):
        return [_second_bucket_gone(situation, copies)]
    proved = [one for one in usable(backups, situation.now) if one.verdict is Verdict.PROVED]
    hours = settings.warning or 0.0
    due = next((one for one in proved if _proved_before(one, situation, hours)), None)
    whole = [one for one in proved if copies.get(one.id) == one.size_bytes]
    if due is None or any(one.taken_at >= due.taken_at for one in whole):
        return []
    newest = whole[0] if whole else None
    there = "none of the proved backups" if newest is None else f"nothing newer than {newest.id}"
    return [
        Finding(
            rule=Rule.COPY_OVERDUE,
            subject="copies",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] backup {due.id} is not in the second bucket",
            body=f"{due.id}, taken {due.taken_at:%Y-%m-%d %H:%M} UTC, was proved more than "
            f"{hours:g} h ago, and the second bucket holds {there} whole. If the first bucket is "
            "lost, so is what came since.\n"
            f"Do: bounty-ops backup copy -e {situation.environment}, and look at the check "
            f"`copied` of {situation.environment}/backup_copies.",
            evidence={
                "missing": due.id,
                "newest_copy": None if newest is None else newest.id,
                "max_age_hours": hours,
            },
        )
    ]


def _proved_before(backup: BackupSummary, situation: Situation, hours: float) -> bool:
    proved_at = backup.verified_at or backup.taken_at
    return situation.now - proved_at > timedelta(hours=hours)


def _second_bucket_gone(situation: Situation, error: BountyOpsError) -> Finding:
    return Finding(
        rule=Rule.COPY_OVERDUE,
        subject="copies",
        severity=Severity.WARNING,
        title=f"[{situation.environment}] the second bucket cannot be read: {error}",
        body=f"{error}\nNobody knows whether it holds the copies that it should.\nDo: {error.hint}",
        evidence={"error": type(error).__name__},
    )


def prune_refused(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The rules let backups go, and the night will not delete them."""
    why = situation.keeping.prune_refused
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    if why is None:
        return []
    return [
        Finding(
            rule=Rule.PRUNE_REFUSED,
            subject="backups",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] no backup is pruned: {why}",
            body=f"The keep_* rules let backups go, and a prune is refused: {why}. Until somebody "
            "decides, all of them stay and take space.\n"
            f"Do: bounty-ops backup prune -e {situation.environment} shows the plan. If the clock "
            "is wrong, correct it; if the plan is what you want, allow it once with --most-share.",
            evidence={"refused": why},
        )
    ]


def backup_not_locked(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """A bucket does not lock the newest backup, or its copy, although the policy wants it.

    Or nobody can see whether it does.
    """
    keeping = situation.keeping
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    found = [
        _locking(situation, _FIRST, keeping.newest_locked, keeping.unlocked),
        _locking(situation, _SECOND, keeping.newest_locked_copy, keeping.unlocked_copy),
    ]
    return [finding for finding in found if finding is not None]


@dataclass(frozen=True)
class _Bucket:
    """One of the two, as a message speaks of it."""

    subject: str
    store: str
    loss: str
    remedy: str


_FIRST: Final = _Bucket(
    "backups",
    "the store",
    "Whoever has the bucket's keys could delete the backup.",
    "bounty-ops doctor says whether the bucket can lock; at most providers it has to be made "
    "with Object Lock. Then take another backup.",
)
_SECOND: Final = _Bucket(
    "copies",
    "the second bucket",
    "Whoever has its keys could delete the copy.",
    "bounty-ops backup copy -e {environment} {id} locks it, if the second bucket was made with "
    "Object Lock and its key has s3:PutObjectRetention.",
)


def _locking(
    situation: Situation,
    bucket: _Bucket,
    newest: str | None,
    unlocked: Mapping[str, str] | BountyOpsError,
) -> Finding | None:
    evidence: dict[str, Any]
    if isinstance(unlocked, BountyOpsError):
        what, why, remedy = "may not be locked", f"{unlocked}", unlocked.hint
        evidence = {"error": type(unlocked).__name__}
    elif unlocked:
        what = "is not locked"
        why = "; ".join(f"{key} {state}" for key, state in unlocked.items())
        remedy = bucket.remedy.format(environment=situation.environment, id=newest)
        evidence = {"unlocked": dict(unlocked)}
    else:
        return None
    return Finding(
        rule=Rule.BACKUP_NOT_LOCKED,
        subject=bucket.subject,
        severity=Severity.WARNING,
        title=f"[{situation.environment}] backup {newest} {what} by {bucket.store}",
        body=f"The policy says object_lock = {situation.policy.object_lock!r}, but: {why}. "
        f"{bucket.loss}\nDo: {remedy}",
        evidence={"id": newest, **evidence},
    )
