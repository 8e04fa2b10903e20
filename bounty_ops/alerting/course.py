"""The course of one incident: pending, firing, resolved. Pure.

What could not be seen changes nothing: not seeing a fire is not putting it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bounty_ops.alerting.situation import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.environments.alerts import Flapping, RuleSettings


class State(StrEnum):
    """Where an incident is."""

    PENDING = "pending"
    """It was seen, but has not lasted long enough."""
    FIRING = "firing"
    RESOLVED = "resolved"


class Sight(StrEnum):
    """What was seen of the subject of an incident."""

    FIRES = "fires"
    HELD = "held"
    """Behind the threshold, but not far enough to be over."""
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Course:
    """How one incident went so far."""

    state: State
    severity: Severity
    """While pending, the present one; once firing, the gravest that lasted long enough."""
    opened_at: datetime
    """When it was seen first."""
    last_seen_at: datetime
    critical_since: datetime | None = None
    fired_at: datetime | None = None
    healthy_since: datetime | None = None
    """Since when it is over, while that has not lasted long enough."""
    resolved_at: datetime | None = None
    flapping_since: datetime | None = None
    flips: tuple[datetime, ...] = ()
    """When it fired and when it was over lately, predecessors of the same subject included."""


@dataclass(frozen=True)
class Clockwork:
    """What the course of an incident goes by."""

    rule: RuleSettings
    flapping: Flapping


def proceed(
    course: Course | None,
    sight: Sight,
    severity: Severity,
    by: Clockwork,
    now: datetime,
    *,
    earlier: tuple[datetime, ...] = (),
) -> Course | None:
    """One look further.

    Args:
        course: so far; None: nothing is open.
        sight: what was seen.
        severity: how grave it is; counts where it fires.
        by: what it goes by.
        now: not before the look before.
        earlier: the flips of incidents of the same subject that are resolved.

    Returns:
        The course; None where nothing is open. A pending one that is over leaves no trace.
    """
    if course is None or course.state is State.RESOLVED:
        begun = Course(State.PENDING, severity, now, now, flips=earlier)
        return _wait(begun, severity, by, now) if sight is Sight.FIRES else None
    if sight is Sight.UNKNOWN:
        return course
    if course.state is State.PENDING:
        return _wait(course, severity, by, now) if sight is Sight.FIRES else None
    if sight is Sight.HEALTHY:
        return _subside(course, by, now)
    return _burn(course, sight, severity, by, now)


def _wait(course: Course, severity: Severity, by: Clockwork, now: datetime) -> Course:
    """Pending, until it has lasted."""
    return _ripen(_seen(replace(course, severity=severity), severity, now), by, now)


def _seen(course: Course, severity: Severity, now: datetime) -> Course:
    critical = severity is Severity.CRITICAL
    since = (course.critical_since or now) if critical else None
    return replace(course, last_seen_at=now, critical_since=since)


def _lasted(course: Course, by: Clockwork, now: datetime) -> Severity | None:
    """The gravest severity that lasted long enough."""
    critical_for = by.rule.for_ if by.rule.critical_for is None else by.rule.critical_for
    if course.critical_since is not None and now - course.critical_since >= critical_for:
        return Severity.CRITICAL
    if now - course.opened_at >= by.rule.for_:
        return min(course.severity, Severity.WARNING, key=lambda each: each.rank)
    return None


def _ripen(course: Course, by: Clockwork, now: datetime) -> Course:
    """From pending to firing, once it has lasted."""
    severity = _lasted(course, by, now)
    if severity is None:
        return course
    flips = (*_recent(course.flips, by.flapping, now), now)
    return replace(
        course,
        state=State.FIRING,
        severity=severity,
        fired_at=now,
        flips=flips,
        flapping_since=now if len(flips) >= by.flapping.changes else None,
    )


def _burn(course: Course, sight: Sight, severity: Severity, by: Clockwork, now: datetime) -> Course:
    """It goes on, or comes back before it was resolved."""
    flips = course.flips
    if course.flapping_since is not None and course.healthy_since is not None:
        flips = (*_recent(flips, by.flapping, now), now)
    seen = severity if sight is Sight.FIRES else Severity.INFO
    course = _seen(replace(course, healthy_since=None, flips=flips), seen, now)
    if _lasted(course, by, now) is Severity.CRITICAL:
        course = replace(course, severity=Severity.CRITICAL)
    quiet = bool(flips) and now - flips[-1] >= by.flapping.quiet
    if course.flapping_since is not None and quiet:
        course = replace(course, flapping_since=None)
    return course


def _subside(course: Course, by: Clockwork, now: datetime) -> Course:
    """It is over; once for long enough, it is resolved."""
    flips = course.flips
    if course.flapping_since is not None and course.healthy_since is None:
        flips = (*_recent(flips, by.flapping, now), now)
    since = course.healthy_since or now
    wanted = by.rule.keep_firing_for
    if course.flapping_since is not None:
        wanted = max(wanted, by.flapping.quiet)
    course = replace(course, healthy_since=since, critical_since=None, flips=flips)
    if now - since < wanted:
        return course
    flips = (*_recent(flips, by.flapping, now), now)
    return replace(course, state=State.RESOLVED, resolved_at=now, flips=flips)


def _recent(flips: tuple[datetime, ...], flapping: Flapping, now: datetime) -> tuple[datetime, ...]:
    return tuple(flip for flip in flips if now - flip < flapping.within)
