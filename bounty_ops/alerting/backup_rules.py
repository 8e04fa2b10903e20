"""Rules about backups and their proofs. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bounty_ops.alerting.objectives import usable
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupSummary, Verdict

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings


def bucket_unknown(error: BountyOpsError) -> Undecided:
    """What every rule about backups says when the bucket could not be asked."""
    return Undecided(f"the bucket could not be asked: {error}")


def backup_overdue(situation: Situation, settings: RuleSettings) -> Answer:
    """No complete backup is young enough."""
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    return _overdue(
        situation,
        settings,
        rule=Rule.BACKUP_OVERDUE,
        candidates=usable(situation.backups, situation.now),
        what="complete backup",
        remedy=f"bounty-ops backup run -e {situation.environment}, and find out why the nightly "
        "job did not",
    )


def proof_overdue(situation: Situation, settings: RuleSettings) -> Answer:
    """No young backup was proved."""
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    complete = usable(situation.backups, situation.now)
    return _overdue(
        situation,
        settings,
        rule=Rule.PROOF_OVERDUE,
        candidates=[backup for backup in complete if backup.verdict is Verdict.PROVED],
        what="backup that a restore has proved",
        remedy=f"bounty-ops backup verify -e {situation.environment} restores the newest and says "
        "what speaks against it",
    )


def _overdue(
    situation: Situation,
    settings: RuleSettings,
    *,
    rule: Rule,
    candidates: list[BackupSummary],
    what: str,
    remedy: str,
) -> list[Finding]:
    """Never is late too."""
    newest = max(candidates, key=lambda backup: backup.taken_at, default=None)
    age = None if newest is None else situation.now - newest.taken_at
    found = _lateness(age, settings)
    if found is None:
        return []
    severity, hours = found
    if newest is None or age is None:
        how_late = f"there is no {what}"
        body = f"There is no {what} of {situation.environment}; the policy wants one every"
    else:
        old = f"{age.total_seconds() / 3600:.1f} h"
        how_late = f"the newest {what} is {old} old"
        body = (
            f"The newest {what} of {situation.environment} is {newest.id}, taken "
            f"{newest.taken_at:%Y-%m-%d %H:%M} UTC, {old} ago; the policy wants one every"
        )
    return [
        Finding(
            rule=rule,
            subject="backups",
            severity=severity,
            title=f"[{situation.environment}] {how_late}",
            body=f"{body} {hours:g} h.\nDo: {remedy}.",
            evidence={
                "newest": None if newest is None else newest.id,
                "taken_at": None if newest is None else newest.taken_at.isoformat(),
                "max_age_hours": hours,
            },
        )
    ]


def _lateness(age: timedelta | None, settings: RuleSettings) -> tuple[Severity, float] | None:
    """How grave an age is, and which threshold it passed."""
    for severity, hours in (
        (Severity.CRITICAL, settings.critical),
        (Severity.WARNING, settings.warning),
    ):
        if hours is not None and (age is None or age > timedelta(hours=hours)):
            return severity, hours
    return None


def backup_refuted(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The newest verdict that decides anything counts.

    A backup that nobody has verified yet does not make the refuted one before it good.
    """
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    decided = [b for b in situation.backups if b.verdict in {Verdict.PROVED, Verdict.REFUTED}]
    newest = max(decided, key=lambda backup: backup.taken_at, default=None)
    if newest is None or newest.verdict is Verdict.PROVED:
        return []
    return [
        Finding(
            rule=Rule.BACKUP_REFUTED,
            subject="backups",
            severity=Severity.CRITICAL,
            title=f"[{situation.environment}] backup {newest.id} does not restore to what it was",
            body=f"A restore of {newest.id}, taken {newest.taken_at:%Y-%m-%d %H:%M} UTC, differed "
            f"from its source. Do not rely on it.\nDo: bounty-ops backup show {newest.id} "
            f"-e {situation.environment} lists the differences; take and verify another one.",
            evidence={"id": newest.id, "taken_at": newest.taken_at.isoformat()},
        )
    ]
