"""What gates look at and what they answer, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bounty_ops.environments import Policy
    from bounty_ops.errors import BountyOpsError
    from bounty_ops.journal.evidence import (
        Acknowledgement,
        Approval,
        MigrationEvidence,
        Rehearsal,
    )
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.live import LiveDatabase
    from bounty_ops.migrating.plan import MigrationPlan, PendingRevision

Name = Literal["lint", "backup", "staging", "rehearsal", "second_person", "digest"]
State = Literal["passed", "refused", "not_required", "overridden"]


@dataclass(frozen=True)
class Gate:
    """One condition of a migration, whether it holds, and why."""

    name: Name
    state: State
    reason: str
    remedy: str | None = None
    """What to do; None where there is nothing to do."""
    rests_on: str | None = None
    """The id of the record that it passed by."""

    @property
    def open(self) -> bool:
        """Whether it lets the migration through."""
        return self.state != "refused"


@dataclass(frozen=True)
class FirstNow:
    """Where the environment that migrates first stands at this moment, as it says itself."""

    revision: str | None
    known: bool
    """Whether its revision is one of ours; else it is ahead of this version."""
    fingerprint: str


@dataclass(frozen=True)
class Records:
    """What the bucket says: the truth about backups, migrations, rehearsals and approvals."""

    backups: tuple[BackupSummary, ...] = ()
    """All of this environment."""
    revisions: Mapping[str, str | None] = field(default_factory=dict)
    """Backup id to the revision that it was taken at, of those whose manifest was read."""
    migrations: tuple[MigrationEvidence, ...] = ()
    """Of this environment."""
    first: tuple[MigrationEvidence, ...] = ()
    """Of the environment that migrates before this one."""
    rehearsals: tuple[Rehearsal, ...] = ()
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class GateFacts:
    """Everything that gates look at."""

    plan: MigrationPlan
    policy: Policy
    now: datetime
    operator: str
    live: LiveDatabase
    findings: Mapping[str, tuple[Finding, ...]] | BountyOpsError
    """Of the linter, by revision; or why there are none."""
    records: Records | BountyOpsError
    """What the bucket says, or why it could not be asked."""
    first_now: FirstNow | None = None
    """None: it cannot be asked from here, or need not be."""
    behind: tuple[PendingRevision, ...] = ()
    """The last revisions before the pending ones, as the database says that they were applied."""
    interrupted: bool = False
    """Whether a runner was stopped in the middle of the first pending revision."""
    given_digest: str | None = None
    acknowledged: tuple[Acknowledgement, ...] = ()
    override: str = ""
    """Why gates are to be passed although they refuse; blank: they are not."""
