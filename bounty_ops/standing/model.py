"""Where one environment stands, composed from what was seen of it. Pure.

A value that is not known is None, and `unknown` says why, field by field: what somebody cannot see
must not look like what is not there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting import Rule, recovery
from bounty_ops.alerting.course import State
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupState, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bounty_ops.alerting.register import IncidentShown, Looked
    from bounty_ops.environments import Policy
    from bounty_ops.journal.records import BackupSummary

#: The watcher looks every minute; whoever is later than that does not look.
LATE: Final = timedelta(minutes=10)
_NOT_LOOKED: Final = "the watcher has not looked at it yet"


@dataclass(frozen=True)
class LastBackup:
    """The newest backup there is."""

    id: str
    taken_at: datetime
    state: str
    size_bytes: int | None
    verdict: str


@dataclass(frozen=True)
class LastProof:
    """The newest backup that a restore proved."""

    backup_id: str
    taken_at: datetime
    verified_at: datetime | None


@dataclass(frozen=True)
class DriftSeen:
    """How the schema differed from its revision, as the watcher saw it last."""

    objects: int | None
    """How many objects differ; 0: none. None: some do, and how many is not recorded."""
    seen_at: datetime


@dataclass(frozen=True)
class OpenIncidents:
    """What is wrong, as the watcher saw it last."""

    critical: int
    warning: int
    info: int
    pending: int
    """Seen, but not for long enough to be told."""
    looked_at: datetime


@dataclass(frozen=True)
class Standing:
    """Where one environment stands; None is "not known", and `unknown` says why."""

    environment: str
    configured: bool
    protected: bool
    address: str | None = None
    reachable: bool = False
    problem: str | None = None
    hint: str | None = None
    server_version: str | None = None
    size_bytes: int | None = None
    revision: str | None = None
    head: str | None = None
    pending: tuple[str, ...] | None = None
    drift: DriftSeen | None = None
    last_backup: LastBackup | None = None
    last_proof: LastProof | None = None
    rpo_seconds: float | None = None
    rpo_objective_seconds: float | None = None
    rto_seconds: float | None = None
    rto_measured_seconds: float | None = None
    rto_objective_seconds: float | None = None
    open_incidents: OpenIncidents | None = None
    bucket_problem: str | None = None
    second_bucket: str | None = None
    last_copy: LastProof | None = None
    second_bucket_problem: str | None = None
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Fields that are None because nobody could see, and why."""


@dataclass(frozen=True)
class Watched:
    """What the operations database tells of all environments."""

    incidents: Sequence[IncidentShown]
    looks: Sequence[Looked]


def with_problem(standing: Standing, error: BountyOpsError) -> Standing:
    """The database could not be asked, or not about everything."""
    told = replace(standing, problem=str(error), hint=error.hint)
    fields = ("server_version", "size_bytes", "revision", "head", "pending")
    return _unknown(told, str(error), *(one for one in fields if getattr(told, one) is None))


def with_backups(
    standing: Standing,
    policy: Policy,
    backups: Sequence[BackupSummary] | BountyOpsError,
    now: datetime,
) -> Standing:
    """What the bucket lists; without it nothing is known about backups."""
    if isinstance(backups, BountyOpsError):
        told = replace(standing, bucket_problem=str(backups))
        fields = ("last_backup", "last_proof", "rpo_seconds", "rto_seconds")
        return _with_objectives(_unknown(told, str(backups), *fields), policy, now)
    own = [each for each in backups if each.environment == standing.environment]
    told = _with_objectives(standing, policy, now, own)
    told = replace(told, last_backup=_last_backup(own), last_proof=last_proof(own))
    if told.last_proof is None:
        told = _unknown(told, "no backup was ever proved", "rpo_seconds", "rto_seconds")
    return told


def _with_objectives(
    standing: Standing, policy: Policy, now: datetime, own: Sequence[BackupSummary] = ()
) -> Standing:
    found = recovery(own, policy, now, database_bytes=standing.size_bytes)
    return replace(
        standing,
        rpo_seconds=found.rpo_seconds,
        rpo_objective_seconds=found.rpo_objective_seconds,
        rto_seconds=found.rto_seconds,
        rto_measured_seconds=found.rto_measured_seconds,
        rto_objective_seconds=found.rto_objective_seconds,
    )


def with_watched(standing: Standing, watched: Watched | BountyOpsError, now: datetime) -> Standing:
    """Drift and incidents, unless nobody looks."""
    if isinstance(watched, BountyOpsError):
        return _unknown(standing, str(watched), "drift", "open_incidents")
    look = next((one for one in watched.looks if one.environment == standing.environment), None)
    if look is None:
        return _unknown(standing, _NOT_LOOKED, "drift", "open_incidents")
    own = [each for each in watched.incidents if each.environment == standing.environment]
    told = replace(standing, open_incidents=_counted(own, look))
    if now - look.evaluated_at > LATE:
        stale = f"the watcher looked last at {look.evaluated_at:%Y-%m-%d %H:%M} UTC"
        # What was open then is worth knowing; that nothing was says nothing about now.
        if not own:
            told = _unknown(replace(told, open_incidents=None), stale, "open_incidents")
        return _with_drift(told, own, look, stale)
    undecided = [one["reason"] for one in look.unknown if one["rule"] == Rule.SCHEMA_DRIFT]
    return _with_drift(told, own, look, str(undecided[0]) if undecided else None)


def _with_drift(
    standing: Standing, own: Sequence[IncidentShown], look: Looked, reason: str | None
) -> Standing:
    found = next((each for each in own if each.rule == Rule.SCHEMA_DRIFT), None)
    if found is not None:
        count = found.evidence.get("count")
        objects = count if isinstance(count, int) else None
        return replace(standing, drift=DriftSeen(objects, found.last_seen_at))
    if reason is not None:
        return _unknown(standing, reason, "drift")
    return replace(standing, drift=DriftSeen(0, look.evaluated_at))


def _counted(own: Sequence[IncidentShown], look: Looked) -> OpenIncidents:
    firing = [each.severity for each in own if each.state == State.FIRING]
    return OpenIncidents(
        critical=firing.count("critical"),
        warning=firing.count("warning"),
        info=firing.count("info"),
        pending=sum(each.state == State.PENDING for each in own),
        looked_at=look.evaluated_at,
    )


def with_copies(
    standing: Standing, bucket: str | None, copies: Sequence[BackupSummary] | BountyOpsError
) -> Standing:
    """What the second bucket holds; without one, nothing is wrong."""
    told = replace(standing, second_bucket=bucket)
    if isinstance(copies, BountyOpsError):
        why = f"{copies}. {copies.hint}"
        return _unknown(replace(told, second_bucket_problem=why), str(copies), "last_copy")
    own = [each for each in copies if each.environment == standing.environment]
    return replace(told, last_copy=last_proof(own))


def _unknown(standing: Standing, reason: str, *fields: str) -> Standing:
    return replace(standing, unknown={**standing.unknown, **dict.fromkeys(fields, reason)})


def _last_backup(summaries: Sequence[BackupSummary]) -> LastBackup | None:
    newest = max(summaries, key=lambda summary: summary.taken_at, default=None)
    if newest is None:
        return None
    return LastBackup(newest.id, newest.taken_at, newest.state, newest.size_bytes, newest.verdict)


def last_proof(summaries: Sequence[BackupSummary]) -> LastProof | None:
    """The newest whole backup that a restore proved."""
    proved = [
        s for s in summaries if s.verdict is Verdict.PROVED and s.state is BackupState.COMPLETE
    ]
    newest = max(proved, key=lambda summary: summary.taken_at, default=None)
    if newest is None:
        return None
    return LastProof(newest.id, newest.taken_at, newest.verified_at)
