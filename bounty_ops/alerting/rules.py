"""When somebody must be told: a situation in, findings out, nothing else touched."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.keeping_rules import backup_not_locked, copy_overdue, prune_refused
from bounty_ops.alerting.migration_rules import migration_override
from bounty_ops.alerting.objectives import usable
from bounty_ops.alerting.recovery_rules import backup_size_anomaly, restore_too_slow
from bounty_ops.alerting.situation import (
    Answer,
    Evaluation,
    Finding,
    Rule,
    Severity,
    Situation,
)
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupSummary, Verdict
from bounty_ops.monitoring import CollectionResult, Connections

if TYPE_CHECKING:
    from collections.abc import Callable

#: Samples that are older say nothing about now.
COLLECTION_MAX_AGE: Final = timedelta(hours=1)


def evaluate(situation: Situation) -> Evaluation:
    """Ask every rule."""
    findings: list[Finding] = []
    undecided: set[Rule] = set()
    for rule, decide in _RULES.items():
        answer = decide(situation)
        if answer is None:
            undecided.add(rule)
        else:
            findings.extend(answer)
    return Evaluation(tuple(findings), frozenset(undecided))


def _backup_overdue(situation: Situation) -> Answer:
    if isinstance(situation.backups, BountyOpsError):
        return None
    complete = usable(situation.backups, situation.now)
    hours = situation.policy.backup_max_age_hours
    return _overdue(
        situation,
        rule=Rule.BACKUP_OVERDUE,
        candidates=complete,
        hours=hours,
        what="complete backup",
        remedy=f"bounty-ops backup run -e {situation.environment}, and find out why the nightly "
        "job did not",
    )


def _proof_overdue(situation: Situation) -> Answer:
    if isinstance(situation.backups, BountyOpsError):
        return None
    complete = usable(situation.backups, situation.now)
    return _overdue(
        situation,
        rule=Rule.PROOF_OVERDUE,
        candidates=[backup for backup in complete if backup.verdict is Verdict.PROVED],
        hours=situation.policy.proof_max_age_hours,
        what="backup that a restore has proved",
        remedy=f"bounty-ops backup list -e {situation.environment}, then bounty-ops backup "
        "verify ID of the newest",
    )


def _overdue(
    situation: Situation,
    *,
    rule: Rule,
    candidates: list[BackupSummary],
    hours: float,
    what: str,
    remedy: str,
) -> list[Finding]:
    """Never is late too."""
    newest = max(candidates, key=lambda backup: backup.taken_at, default=None)
    allowed = f"{hours:g} h"
    if newest is None:
        how_late = f"there is no {what}"
        body = f"There is no {what} of {situation.environment}; the policy wants one every"
    elif situation.now - newest.taken_at > timedelta(hours=hours):
        age = f"{(situation.now - newest.taken_at).total_seconds() / 3600:.1f} h"
        how_late = f"the newest {what} is {age} old"
        body = (
            f"The newest {what} of {situation.environment} is {newest.id}, taken "
            f"{newest.taken_at:%Y-%m-%d %H:%M} UTC, {age} ago; the policy wants one every"
        )
    else:
        return []
    return [
        Finding(
            rule=rule,
            subject="backups",
            severity=Severity.CRITICAL,
            title=f"[{situation.environment}] {how_late}",
            body=f"{body} {allowed}.\nDo: {remedy}.",
            evidence={
                "newest": None if newest is None else newest.id,
                "taken_at": None if newest is None else newest.taken_at.isoformat(),
                "max_age_hours": hours,
            },
        )
    ]


def _backup_refuted(situation: Situation) -> Answer:
    """The newest verdict that decides anything counts.

    A backup that nobody has verified yet does not make the refuted one before it good.
    """
    if isinstance(situation.backups, BountyOpsError):
        return None
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


def _bucket_unreachable(situation: Situation) -> Answer:
    if not isinstance(situation.backups, BountyOpsError):
        return []
    return [_broken(situation, Rule.BUCKET_UNREACHABLE, "bucket", situation.backups)]


def _server_unreachable(situation: Situation) -> Answer:
    if isinstance(situation.collection, BountyOpsError):
        return [_broken(situation, Rule.SERVER_UNREACHABLE, "server", situation.collection)]
    return None if _blindness(situation) else []


def _broken(situation: Situation, rule: Rule, subject: str, error: BountyOpsError) -> Finding:
    return Finding(
        rule=rule,
        subject=subject,
        severity=Severity.CRITICAL,
        title=f"[{situation.environment}] the {subject} cannot be reached: {error}",
        body=f"{error}\nDo: {error.hint}",
        evidence={"error": type(error).__name__},
    )


def _connections_near_limit(situation: Situation) -> Answer:
    if not isinstance(situation.collection, CollectionResult) or _blindness(situation):
        return None
    connections = situation.collection.family(Connections)
    if connections is None:
        return None
    policy, limit = situation.policy, connections.usable
    if limit.ratio < policy.connection_warning_ratio:
        return []
    critical = limit.ratio >= policy.connection_critical_ratio
    whose = limit.kind if limit.name is None else f"{limit.kind} {limit.name}"
    top = sorted(connections.by_application.items(), key=lambda pair: -pair[1])[:3]
    return [
        Finding(
            rule=Rule.CONNECTIONS_NEAR_LIMIT,
            subject="connections",
            severity=Severity.CRITICAL if critical else Severity.WARNING,
            title=f"[{situation.environment}] {limit.used} of {limit.limit} connections are taken",
            body=f"{limit.used} of {limit.limit} usable connections of the {whose} are taken "
            f"({limit.ratio:.0%}; warning at {policy.connection_warning_ratio:.0%}, critical at "
            f"{policy.connection_critical_ratio:.0%}). Most by: "
            + ", ".join(f"{name} {count}" for name, count in top)
            + ".\nDo: use smaller pools or a pooler, close idle clients, or raise the limit.",
            evidence={"limit": limit.model_dump(mode="json")},
        )
    ]


def _monitoring_blind(situation: Situation) -> Answer:
    blindness = _blindness(situation)
    if blindness is None:
        return []
    return [
        Finding(
            rule=Rule.MONITORING_BLIND,
            subject="connections",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] connections are not being watched",
            body=f"{blindness}. Until that changes nobody is told about a full server.\n"
            f"Do: bounty-ops monitor collect -e {situation.environment}, and look at its "
            "collection schedule.",
        )
    ]


def _blindness(situation: Situation) -> str | None:
    """Why nothing is known about connections although nobody said the server is unreachable."""
    collection = situation.collection
    if isinstance(collection, BountyOpsError):
        return None
    if collection is None:
        return "There is no collection of measurements"
    if situation.now - collection.taken_at > COLLECTION_MAX_AGE:
        return f"The newest collection is from {collection.taken_at:%Y-%m-%d %H:%M} UTC"
    if collection.family(Connections) is None:
        reasons = [u.reason for u in collection.unknown if u.family == Connections.family]
        return f"Connections could not be counted: {'; '.join(reasons) or 'they were left out'}"
    return None


_RULES: Final[dict[Rule, Callable[[Situation], Answer]]] = {
    Rule.BACKUP_OVERDUE: _backup_overdue,
    Rule.PROOF_OVERDUE: _proof_overdue,
    Rule.BACKUP_REFUTED: _backup_refuted,
    Rule.BUCKET_UNREACHABLE: _bucket_unreachable,
    Rule.CONNECTIONS_NEAR_LIMIT: _connections_near_limit,
    Rule.SERVER_UNREACHABLE: _server_unreachable,
    Rule.MONITORING_BLIND: _monitoring_blind,
    Rule.BACKUP_SIZE_ANOMALY: backup_size_anomaly,
    Rule.RESTORE_TOO_SLOW: restore_too_slow,
    Rule.MIGRATION_OVERRIDE: migration_override,
    Rule.COPY_OVERDUE: copy_overdue,
    Rule.PRUNE_REFUSED: prune_refused,
    Rule.BACKUP_NOT_LOCKED: backup_not_locked,
}
