"""What rules look at and what they say, as values; the rules themselves stand beside.

A rule that cannot be decided, because what it needs could not be seen, is neither healthy nor
firing: it is listed as undecided, so that an open incident stays open, and whatever hides the
view is a finding of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bounty_ops.alerting.keeping import Keeping

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bounty_ops.environments import Policy
    from bounty_ops.errors import BountyOpsError
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.monitoring import CollectionResult


class Rule(StrEnum):
    """Every rule there is; incidents are known by these names."""

    BACKUP_OVERDUE = "backup_overdue"
    PROOF_OVERDUE = "proof_overdue"
    BACKUP_REFUTED = "backup_refuted"
    BUCKET_UNREACHABLE = "bucket_unreachable"
    CONNECTIONS_NEAR_LIMIT = "connections_near_limit"
    SERVER_UNREACHABLE = "server_unreachable"
    MONITORING_BLIND = "monitoring_blind"
    BACKUP_SIZE_ANOMALY = "backup_size_anomaly"
    RESTORE_TOO_SLOW = "restore_too_slow"
    MIGRATION_OVERRIDE = "migration_override"
    COPY_OVERDUE = "copy_overdue"
    PRUNE_REFUSED = "prune_refused"
    BACKUP_NOT_LOCKED = "backup_not_locked"


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
    keeping: Keeping = field(default_factory=Keeping)
    """What protects the backups; by default nothing more is wanted."""
    migrations: Sequence[MigrationEvidence] | BountyOpsError = ()
    """The latest migrations that the bucket has records of, or why it could not be asked."""


@dataclass(frozen=True)
class Evaluation:
    """What the rules said."""

    findings: tuple[Finding, ...]
    undecided: frozenset[Rule]


#: What a rule answers: findings, or None when it cannot tell.
Answer = list[Finding] | None
