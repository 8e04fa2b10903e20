"""What a message says besides what the rule said. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.telling import Change
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bounty_ops.alerting.steps import Step

_BEFORE_TITLE: Final[Mapping[Change, str]] = {
    Change.FIRING: "",
    Change.GRAVER: "",
    Change.REMINDER: "Still: ",
    Change.FLAPPING: "Comes and goes: ",
    Change.STEADY: "Stays now: ",
    Change.RESOLVED: "Resolved: ",
}


def title_of(change: Change, step: Step) -> str:
    """The title of a message."""
    return f"{_BEFORE_TITLE[change]}{step.title}"


def body_of(
    change: Change,
    step: Step,
    identity: int,
    symptoms: Sequence[str],
    now: datetime,
    *,
    runbook: str = "",
) -> str:
    """The body of a message: what the rule said, and what is to be known about the incident.

    `runbook` is the address of the pages on what to do, with `{rule}` in it; empty: none is named.
    """
    course = step.course
    opened_at = now if course is None else course.opened_at
    lasted = duration(max(0.0, (now - opened_at).total_seconds()))
    if change is Change.RESOLVED:
        return f"It lasted {lasted}, from {opened_at:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC."
    parts = [step.body]
    if step.finding is None:
        parts.append("At present it cannot be seen, so nobody knows whether it is over.")
    if symptoms:
        parts.append(f"Because of it, not told apart: {', '.join(symptoms)}.")
    if change is Change.REMINDER:
        parts.append(
            f"It has lasted {lasted}. bounty-ops alerts ack {identity} stops these reminders."
        )
    if change is Change.FLAPPING and course is not None:
        parts.append(
            f"It began or ended {len(course.flips)} times lately. Nothing more is told until it "
            "stays one way or the other."
        )
    if runbook:
        parts.append(f"At length: {runbook.replace('{rule}', step.key[0].value)}")
    return "\n".join(parts)
