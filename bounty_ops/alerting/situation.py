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
from bounty_ops.environments.alert_rules import Rule
from bounty_ops.environments.alerts import AlertSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bounty_ops.alerting.facts import DagsterFacts, Drift, Outbox, Revision
    from bounty_ops.environments import Policy
    from bounty_ops.errors import BountyOpsError, ConfigurationError
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.monitoring import CollectionResult
    from bounty_ops.monitoring.outlooks import Outlook
    from bounty_ops.monitoring.regression import Regression

__all__ = [
    "Answer",
    "Evaluation",
    "Finding",
    "Rule",
    "Severity",
    "Situation",
    "Undecided",
]


class Severity(StrEnum):
    """How soon somebody must act."""

    INFO = "info"
    """Recorded and shown, never told."""
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """For comparing: a graver one has a larger one."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Finding:
    """A rule that fires about a subject; both together are what an incident is known by."""

    rule: Rule
    subject: str
    severity: Severity
    title: str
    body: str
    evidence: dict[str, Any] = field(default_factory=dict)
    held: bool = False
    """Not bad enough to begin, and not good enough to be over: an open incident stays open."""
    hides: frozenset[Rule] = frozenset()
    """Rules that fire because of this one, besides those that always do (`grouping`)."""


@dataclass(frozen=True)
class Undecided:
    """A rule that could not tell, or not of everything."""

    reason: str
    subjects: frozenset[str] | None = None
    """Of whom it could not tell; None: of all that are not in `findings`."""
    findings: tuple[Finding, ...] = ()
    """What it could tell all the same."""
    waits: bool = False
    """Nothing new was measured since it was decided; that is no blind spot."""

    def covers(self, subject: str) -> bool:
        """Whether nothing is known about this subject."""
        return self.subjects is None or subject in self.subjects


#: What a rule answers.
Answer = list[Finding] | Undecided


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
    stored: Sequence[CollectionResult] = ()
    """Collections that were stored, in any order: the newest of each family and earlier ones."""
    regressions: Sequence[Regression] | Undecided | None = None
    """Statements that became slower. Here and below, None: nobody looked."""
    outlooks: Sequence[Outlook] | Undecided | None = None
    """When what grows reaches its limit."""
    revision: Revision | BountyOpsError | None = None
    """Which migrations are pending."""
    drift: Drift | BountyOpsError | None = None
    """How the schema differs from its revision."""
    dagster: DagsterFacts | None = None
    """How the jobs, schedules and sensors are doing."""
    outbox: Outbox | None = None
    """What became of the messages."""
    operations: BountyOpsError | None = None
    """Why the operations database cannot be used; None: it can."""
    alerts_problem: ConfigurationError | None = None
    """Why the default settings are in force."""
    alerts: AlertSettings | None = None
    """What the rules go by; None: the defaults of the environment."""

    @property
    def settings(self) -> AlertSettings:
        """What the rules go by."""
        return self.alerts or AlertSettings.of(self.environment, self.policy)


@dataclass(frozen=True)
class Evaluation:
    """What the rules said."""

    findings: tuple[Finding, ...]
    unknown: Mapping[Rule, Undecided] = field(default_factory=dict)

    @property
    def undecided(self) -> frozenset[Rule]:
        """The rules that could not tell."""
        return frozenset(self.unknown)

    @property
    def firing(self) -> tuple[Finding, ...]:
        """The findings that are bad enough to begin an incident."""
        return tuple(finding for finding in self.findings if not finding.held)
