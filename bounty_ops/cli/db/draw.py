"""How a plan, its gates, and what was applied look to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bounty_ops.cli.console import shown, size, span, table
from bounty_ops.cli.db.answer import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating import PendingRevision
    from bounty_ops.migrating.gate import Assessment, Briefing, Gate, Prediction

_COLOURS = {"passed": "green", "refused": "red", "overridden": "yellow"}
_LEVELS = {"error": "red", "warning": "yellow"}


def draw_plan(console: Console, briefing: Briefing) -> None:
    """Revision by revision, then the gates, then the digest."""
    plan = briefing.plan
    if not plan.pending:
        console.print(f"{plan.environment} is at {plan.current}: nothing to do")
        return
    console.print(
        f"{plan.environment} ({plan.target}, PostgreSQL {briefing.facts.live.server_version}): "
        f"from {shown(plan.current)} to {plan.head}"
    )
    for step, known in briefing.revisions:
        _draw_revision(console, step, known)
    if briefing.predicted_seconds is not None:
        console.print(f"\npredicted for the whole: {span(briefing.predicted_seconds)}")
    draw_gates(console, briefing.gates)
    console.print(f"\ndigest {plan.digest}")


def draw_gates(console: Console, gates: Sequence[Gate]) -> None:
    """Each gate with its reason, and below it what to do."""
    rows = [
        (one.name, Text(one.state.replace("_", " "), style=_COLOURS.get(one.state, "")), one.reason)
        for one in gates
    ]
    console.print()
    console.print(table(("GATE", "STATE", "WHY"), rows))
    for one in gates:
        if one.remedy and not one.open:
            console.print(f"    {one.name}: {shown(one.remedy)}")


def draw_evidence(console: Console, briefing: Briefing, evidence: MigrationEvidence) -> None:
    """What was applied, revision by revision."""
    console.print(
        f"Migrated {evidence.environment} from {shown(evidence.from_revision)} "
        f"to {evidence.to_revision} in {span(seconds(evidence))}"
        + _predicted(evidence.predicted_seconds)
    )
    rows = [(pending.revision, pending.message) for pending in briefing.plan.pending]
    console.print(table(("REVISION", "WHAT"), rows))
    if evidence.override is not None:
        console.print(
            f"OVERRIDDEN: {', '.join(evidence.override.gates)}, "
            f"because {shown(evidence.override.reason)}"
        )
    console.print(f"record {evidence.id}\ndigest {evidence.digest}")


def _predicted(predicted: float | None) -> str:
    return "" if predicted is None else f" ({span(predicted)} were predicted)"


def _draw_revision(console: Console, step: PendingRevision, known: Assessment) -> None:
    console.print(f"\n-- {step.revision}: {shown(step.message)}")
    console.print(step.sql)
    console.print(f"    {_told(known.prediction)}")
    for one in known.tables:
        rows = "rows unknown" if one.rows is None else f"about {one.rows:,} rows"
        console.print(f"    touches {one.label}: {size(one.size_bytes)}, {rows}")
    for finding in known.findings:
        where = f"line {finding.line}" + (f", {finding.relation}" if finding.relation else "")
        console.print(
            Text(f"    {finding.level}: {finding.rule} ({where}): {shown(finding.message)}",
                 style=_LEVELS.get(finding.level, ""))
        )  # fmt: skip
        console.print(f"        do: {shown(finding.remedy)}")


def _told(prediction: Prediction) -> str:
    """What it will probably do to others."""
    lock = f"strongest lock {prediction.lock}" if prediction.lock else "no lock is known"
    if prediction.source != "rehearsal":
        return f"{lock}; its duration is unknown: it was not rehearsed"
    return (
        f"{lock}; predicted {span(prediction.seconds)}; in the rehearsal a read waited "
        f"{span(prediction.longest_read_seconds)}, a write "
        f"{span(prediction.longest_write_seconds)}"
    )
