"""Whether people hear of an incident now, and what. Pure.

It goes by what they heard last, not by what just changed: what a silence held back is told when
the silence ends, if it is still so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bounty_ops.alerting.course import State
from bounty_ops.alerting.situation import Severity

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bounty_ops.alerting.course import Course
    from bounty_ops.environments.alerts import AlertSettings, RuleSettings


class Change(StrEnum):
    """What a message says of its incident."""

    FIRING = "firing"
    GRAVER = "graver"
    REMINDER = "reminder"
    FLAPPING = "flapping"
    """It comes and goes; nothing more is told until it does not."""
    STEADY = "steady"
    """It came and went, and now it stays."""
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Told:
    """What people heard of an incident."""

    change: Change | None = None
    at: datetime | None = None
    severity: Severity | None = None
    count: int = 0
    """How many messages there were."""


def next_message(
    course: Course,
    told: Told,
    *,
    settings: AlertSettings,
    rule: RuleSettings,
    withheld: bool,
    acknowledged: bool,
    now: datetime,
) -> Change | None:
    """What is to be told now; None: nothing.

    Args:
        course: of the incident.
        told: what people heard so far.
        settings: of the environment.
        rule: settings of the rule.
        withheld: whether a silence, maintenance or a cause keeps it quiet. The end of what was
            told is told all the same.
        acknowledged: whether somebody is at it; then it is not repeated.
        now: the time of the look.
    """
    if course.state is State.PENDING:
        return None
    if course.state is State.RESOLVED:
        return None if told.change in {None, Change.RESOLVED} else Change.RESOLVED
    if withheld or not _worth_telling(course.severity, settings):
        return None
    graver = told.severity is not None and course.severity.rank > told.severity.rank
    return _news(course, told, graver=graver) or _reminder(
        course, told, settings=settings, rule=rule, acknowledged=acknowledged, now=now
    )


def _news(course: Course, told: Told, *, graver: bool) -> Change | None:
    """What people do not know yet of an incident that fires."""
    if course.flapping_since is not None and told.change is not Change.FLAPPING:
        return Change.FLAPPING
    if told.change is None:
        return Change.FIRING
    if course.flapping_since is None and told.change is Change.FLAPPING:
        return Change.STEADY
    return Change.GRAVER if graver else None


def _reminder(
    course: Course,
    told: Told,
    *,
    settings: AlertSettings,
    rule: RuleSettings,
    acknowledged: bool,
    now: datetime,
) -> Change | None:
    if acknowledged or told.at is None or course.flapping_since is not None:
        return None
    repeat = _repeat(course.severity, settings, rule)
    return Change.REMINDER if repeat and now - told.at >= repeat else None


def heard(told: Told, change: Change, course: Course, now: datetime) -> Told:
    """What people have heard after a message."""
    # Of something that flaps they go on knowing that, whatever else they hear.
    flaps = change is Change.GRAVER and course.flapping_since is not None
    return Told(Change.FLAPPING if flaps else change, now, course.severity, told.count + 1)


def _worth_telling(severity: Severity, settings: AlertSettings) -> bool:
    if settings.tell == "nothing":
        return False
    return severity.rank >= Severity(settings.tell).rank


def _repeat(severity: Severity, settings: AlertSettings, rule: RuleSettings) -> timedelta:
    if rule.repeat is not None:
        return rule.repeat
    critical = severity is Severity.CRITICAL
    return settings.repeat_critical if critical else settings.repeat_warning
