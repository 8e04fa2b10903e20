"""Situations for rules, built from the few facts that a test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bounty_ops.alerting import Finding, Rule, Severity, Situation
from bounty_ops.environments import Policy
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops.monitoring import CollectionResult, Connections
from bounty_ops.monitoring.collectors.connections import connection_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.errors import BountyOpsError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


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
    limit = connection_limit("server", None, 100, used)
    connections = Connections(
        total=used,
        hidden=0,
        usable=limit,
        limits=(limit,),
        by_state={"idle": used},
        by_user={"app": used},
        by_application={"web": used},
        by_database={"bounty": used},
    )
    taken_at = NOW - timedelta(minutes=minutes)
    return CollectionResult("production", taken_at, 0.1, {"connections": connections})


def situation(
    *,
    backups: Sequence[BackupSummary] | BountyOpsError | None = None,
    measured: CollectionResult | BountyOpsError | None = None,
    policy: Policy | None = None,
) -> Situation:
    """A healthy situation, but for what is given."""
    return Situation(
        environment="production",
        policy=policy or Policy(),
        backups=_NIGHTS if backups is None else backups,
        collection=measured or collection(),
        now=NOW,
    )


def finding(
    rule: Rule = Rule.BACKUP_OVERDUE,
    *,
    severity: Severity = Severity.CRITICAL,
    subject: str = "backups",
    title: str = "[production] there is no backup",
) -> Finding:
    return Finding(rule, subject, severity, title, f"{title}.\nDo: make one.", {"hours": 26})
