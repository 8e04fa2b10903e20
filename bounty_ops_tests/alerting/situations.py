"""Situations for rules, built from the few facts that a test is about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bounty_ops.alerting import Evaluation, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.alerting.facts import DagsterFacts, Drift, Outbox, Revision
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops_tests.alerting import measures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bounty_ops.errors import BountyOpsError
    from bounty_ops.monitoring import CollectionResult


NOW = measures.NOW


def backup(
    *,
    hours: float = 1,
    verdict: Verdict = Verdict.PROVED,
    state: BackupState = BackupState.COMPLETE,
    size_bytes: int | None = 100 * 1024 * 1024,
    restore_seconds: float | None = 60,
    database_bytes: int | None = 1024 * 1024 * 1024,
    imported: bool = False,
) -> BackupSummary:
    return BackupSummary(
        id=f"backup-{hours:g}".replace(".", "-"),
        environment="production",
        taken_at=NOW - timedelta(hours=hours),
        state=state,
        bucket="bucket",
        key="key",
        size_bytes=size_bytes,
        sha256="0" * 64,
        verdict=verdict,
        fetch_seconds=restore_seconds,
        restore_seconds=restore_seconds,
        database_bytes=database_bytes,
        imported=imported,
    )


#: Enough of the same size for the newest to be compared with.
_NIGHTS = tuple(backup(hours=1 + 24 * night) for night in range(4))


def collection(*, used: int = 10, minutes: float = 1) -> CollectionResult:
    return measures.measured(measures.connections(used), minutes=minutes)


#: Looks of before: one to compare counters with, and one to compare sizes with.
_BEFORE = (
    measures.only(measures.database(), minutes=11),
    measures.only(measures.tables(measures.table()), minutes=24 * 60),
)


def situation(
    *,
    backups: Sequence[BackupSummary] | BountyOpsError | None = None,
    measured: CollectionResult | BountyOpsError | None = None,
    policy: Policy | None = None,
) -> Situation:
    """A healthy situation, but for what is given."""
    return Situation(
        environment="production",
        policy=policy or Policy(protected=True),
        backups=_NIGHTS if backups is None else backups,
        collection=measured or collection(),
        now=NOW,
        stored=_BEFORE,
        regressions=(),
        outlooks=(),
        revision=Revision("bounty_0001", "bounty_0001", ()),
        drift=Drift(NOW, ()),
        dagster=DagsterFacts(),
        outbox=Outbox(0),
    )


def at_once(policy: Policy | None = None, **values: object) -> AlertSettings:
    """Settings by which everything is told at once, and over at once."""
    rules = {rule.value: {"for": 0, "critical_for": 0, "keep_firing_for": 0} for rule in Rule}
    policy = policy or Policy(protected=True)
    return AlertSettings.of("production", policy, {"rules": rules, **values})


def evaluation_of(*findings: Finding, unknown: Iterable[Rule] = ()) -> Evaluation:
    """What rules said."""
    return Evaluation(findings, {rule: Undecided("it could not be seen") for rule in unknown})


def finding(
    rule: Rule = Rule.BACKUP_OVERDUE,
    *,
    severity: Severity = Severity.CRITICAL,
    subject: str = "backups",
    title: str = "[production] there is no backup",
) -> Finding:
    return Finding(rule, subject, severity, title, f"{title}.\nDo: make one.", {"hours": 26})
