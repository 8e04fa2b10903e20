"""When somebody must be told: a situation in, findings out, nothing else touched.

A rule that cannot be decided, because what it needs could not be seen, is neither healthy nor
firing: it is listed as undecided, so that an open incident stays open, and whatever hides the
view is a finding of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops.monitoring import CollectionResult, Connections

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.environments import Policy

#: A backup from further in the future has a wrong clock behind it, or a damaged record; it must
#: not keep `backup_overdue` quiet for years.
CLOCK_TOLERANCE: Final = timedelta(hours=1)
#: Samples that are older say nothing about now.
COLLECTION_MAX_AGE: Final = timedelta(hours=1)


class Rule(StrEnum):
    """Every rule there is; incidents are known by these names."""

    BACKUP_OVERDUE = "backup_overdue"
    PROOF_OVERDUE = "proof_overdue"
    BACKUP_REFUTED = "backup_refuted"
    BUCKET_UNREACHABLE = "bucket_unreachable"
    CONNECTIONS_NEAR_LIMIT = "connections_near_limit"
    SERVER_UNREACHABLE = "server_unreachable"
    MONITORING_BLIND = "monitoring_blind"


class Severity(StrEnum):
    """How soon somebody must act."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Finding:
    """A rule that fires about a subject; both together are what an incident is known by."""

    rule: Rule
    subject: str
    severity: Severity
    title: str
    body: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """Everything that rules look at."""

    environment: str
    policy: Policy
    backups: Sequence[BackupSummary] | BountyOpsError
    """What the bucket lists for this environment, or why it could not be asked."""
    collection: CollectionResult | BountyOpsError | None
    """The newest collection, or why it failed; None when there never was one."""
    now: datetime


@dataclass(frozen=True)
class Evaluation:
    """What the rules said."""

    findings: tuple[Finding, ...]
    undecided: frozenset[Rule]


#: What a rule answers: findings, or None when it cannot tell.
_Answer = list[Finding] | None


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


def _backup_overdue(situation: Situation) -> _Answer:
    if isinstance(situation.backups, BountyOpsError):
        return None
    usable = _usable(situation.backups, situation.now)
    hours = situation.policy.backup_max_age_hours
    return _overdue(
        situation,
        rule=Rule.BACKUP_OVERDUE,
        candidates=usable,
        hours=hours,
        what="complete backup",
        remedy=f"bounty-ops backup run -e {situation.environment}, and find out why the nightly "
        "job did not",
    )


def _proof_overdue(situation: Situation) -> _Answer:
    if isinstance(situation.backups, BountyOpsError):
        return None
    usable = _usable(situation.backups, situation.now)
    return _overdue(
        situation,
        rule=Rule.PROOF_OVERDUE,
        candidates=[backup for backup in usable if backup.verdict is Verdict.PROVED],
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


def _backup_refuted(situation: Situation) -> _Answer:
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


def _usable(backups: Sequence[BackupSummary], now: datetime) -> list[BackupSummary]:
    return [
        backup
        for backup in backups
        if backup.state is BackupState.COMPLETE and backup.taken_at <= now + CLOCK_TOLERANCE
    ]


def _bucket_unreachable(situation: Situation) -> _Answer:
    if not isinstance(situation.backups, BountyOpsError):
        return []
    return [_broken(situation, Rule.BUCKET_UNREACHABLE, "bucket", situation.backups)]


def _server_unreachable(situation: Situation) -> _Answer:
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


def _connections_near_limit(situation: Situation) -> _Answer:
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


def _monitoring_blind(situation: Situation) -> _Answer:
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


_RULES: Final[dict[Rule, Callable[[Situation], _Answer]]] = {
    Rule.BACKUP_OVERDUE: _backup_overdue,
    Rule.PROOF_OVERDUE: _proof_overdue,
    Rule.BACKUP_REFUTED: _backup_refuted,
    Rule.BUCKET_UNREACHABLE: _bucket_unreachable,
    Rule.CONNECTIONS_NEAR_LIMIT: _connections_near_limit,
    Rule.SERVER_UNREACHABLE: _server_unreachable,
    Rule.MONITORING_BLIND: _monitoring_blind,
}
