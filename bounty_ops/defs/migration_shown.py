"""A plan with its findings and gates, as metadata that a person reads before applying it."""

import dagster as dg

from bounty_ops.defs.presentation import UNKNOWN, code, size, table
from bounty_ops.migrating import PendingRevision
from bounty_ops.migrating.gate import Assessment, Briefing, Gate


def plan_metadata(briefing: Briefing) -> dict[str, dg.MetadataValue]:
    """The plan as a person reads it before applying it."""
    plan, facts = briefing.plan, briefing.facts
    sql = "\n\n".join(f"-- {each.revision}: {each.message}\n{each.sql}" for each in plan.pending)
    seconds = briefing.predicted_seconds
    return {
        "next_step": dg.MetadataValue.md(next_step(briefing)),
        "digest": dg.MetadataValue.text(plan.digest),
        "gates": dg.MetadataValue.md(gates_table(briefing.gates)),
        "ready": dg.MetadataValue.bool(briefing.ready),
        "database": dg.MetadataValue.text(plan.target),
        "server_version": dg.MetadataValue.text(facts.live.server_version),
        "current": dg.MetadataValue.text(plan.current or "none: not under migration yet"),
        "head": dg.MetadataValue.text(plan.head),
        "protected": dg.MetadataValue.bool(facts.policy.protected),
        "pending_revisions": dg.MetadataValue.int(len(plan.pending)),
        "pending": dg.MetadataValue.md(
            table(
                ["revision", "message", "strongest lock", "seconds predicted", "known from"],
                [_row(step, known) for step, known in briefing.revisions],
            )
        ),
        "predicted_seconds": dg.MetadataValue.text(UNKNOWN)
        if seconds is None
        else dg.MetadataValue.float(seconds),
        "findings": dg.MetadataValue.md(_findings(briefing)),
        "tables": dg.MetadataValue.md(_tables(briefing)),
        "sql": dg.MetadataValue.md(code(sql) if sql else "none"),
    }


def next_step(briefing: Briefing) -> str:
    """What to do with the plan, in a few lines of Markdown."""
    plan = briefing.plan
    if not plan.pending:
        return "Nothing is pending."
    protected = briefing.facts.policy.protected
    operator = ", and your name in `operator`" if protected else ""
    apply = f"To apply it, launch the job again with `apply: {plan.digest}`{operator}."
    shut = [one for one in briefing.gates if not one.open and one.name != "digest"]
    if not shut:
        return apply
    first = "\n".join(f"* **{one.name}**: {one.reason}. {one.remedy or ''}" for one in shut)
    return f"Gates refuse:\n\n{first}\n\n{apply.replace('To apply it,', 'Then')}"


def gates_table(gates: tuple[Gate, ...]) -> str:
    """Every gate with its answer, in Markdown."""
    return table(
        ["gate", "state", "why", "what to do"],
        [
            (
                one.name,
                one.state.replace("_", " ") if one.open else "**refused**",
                one.reason,
                one.remedy or "nothing",
            )
            for one in gates
        ],
    )


def _row(step: PendingRevision, known: Assessment) -> tuple[object, ...]:
    prediction = known.prediction
    return (
        step.revision,
        step.message,
        prediction.lock or UNKNOWN,
        UNKNOWN if prediction.seconds is None else prediction.seconds,
        prediction.source,
    )


def _findings(briefing: Briefing) -> str:
    return table(
        ["revision", "level", "rule", "line", "what", "what to do"],
        [
            (step.revision, one.level, one.rule, one.line, one.message, one.remedy)
            for step, known in briefing.revisions
            for one in known.findings
        ],
    )


def _tables(briefing: Briefing) -> str:
    return table(
        ["revision", "table", "size", "rows, about"],
        [
            (step.revision, one.label, size(one.size_bytes), one.rows)
            for step, known in briefing.revisions
            for one in known.tables
        ],
    )
