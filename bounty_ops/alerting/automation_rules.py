"""Rules about what should run by itself: jobs, schedules and sensors. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.seeing import Level, level
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from bounty_ops.alerting.facts import Automation
    from bounty_ops.environments.alerts import RuleSettings

_UNKNOWN: Final = "nobody asked Dagster"


def run_failed(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The latest run of a job failed; the next one that does not makes it good."""
    if situation.dagster is None:
        return Undecided(_UNKNOWN)
    return [
        Finding(
            rule=Rule.RUN_FAILED,
            subject=run.job,
            severity=Severity.WARNING,
            title=f"[{situation.environment}] the job {run.job} failed",
            body=f"Run {run.run_id} of {run.job} ended at {run.ended_at:%Y-%m-%d %H:%M} UTC "
            "without success" + (f": {run.reason}" if run.reason else "") + f".\nDo: look at run "
            f"{run.run_id} in Dagster, and launch the job again once its cause is gone.",
            evidence={"run_id": run.run_id, "ended_at": run.ended_at.isoformat()},
        )
        for run in situation.dagster.runs
        if run.failed
    ]


def automation_dead(situation: Situation, settings: RuleSettings) -> Answer:
    """A schedule or sensor fails at every tick, or does not tick any more."""
    if situation.dagster is None:
        return Undecided(_UNKNOWN)
    return [
        found
        for automation in situation.dagster.automations
        if (found := _dead(situation, settings, automation)) is not None
    ]


def _dead(situation: Situation, settings: RuleSettings, each: Automation) -> Finding | None:
    failing = level(each.failures_in_a_row, settings)
    late, since = _late(situation, settings, each)
    bad = failing or late
    if bad is None:
        return None
    if failing is not None:
        how = f"failed {each.failures_in_a_row} times in a row"
        why = f"The last error: {each.error}" if each.error else "It left no error."
    else:
        how = f"has not ticked for {duration(since)}"
        why = f"It should tick every {duration(each.interval_seconds or 0.0)}."
    return Finding(
        rule=Rule.AUTOMATION_DEAD,
        subject=each.name,
        severity=bad.severity,
        title=f"[{situation.environment}] the {each.kind} {each.name} {how}",
        body=f"The {each.kind} {each.name} {how}. {why}\nDo: look at its ticks in Dagster "
        "(Automation); if none ticks, the daemon is not running.",
        evidence={"kind": each.kind, "failures_in_a_row": each.failures_in_a_row},
    )


def _late(
    situation: Situation, settings: RuleSettings, each: Automation
) -> tuple[Level | None, float]:
    moments = [moment for moment in (each.last_tick_at, each.running_since) if moment is not None]
    if each.interval_seconds is None or not moments:
        return None, 0.0
    since = (situation.now - max(moments)).total_seconds()
    # A minute more: ticks of a busy daemon come late without being dead.
    return level(max(0.0, since - 60) / each.interval_seconds, settings), since
