"""What `db migrate` answers: the plan, or what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.cli.console import shown, span, table

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating import MigrationPlan

Document = dict[str, object]


def plan_document(plan: MigrationPlan, outcome: str) -> Document:
    """A plan that was only shown."""
    return {
        "environment": plan.environment,
        "from_revision": plan.current,
        "to_revision": plan.current,
        "head": plan.head,
        "applied": [],
        "pending": [
            {"revision": p.revision, "message": p.message, "sql": p.sql} for p in plan.pending
        ],
        "digest": plan.digest,
        "outcome": outcome,
        "id": None,
        "seconds": None,
    }


def draw_plan(console: Console, plan: MigrationPlan) -> None:
    """A plan with its SQL."""
    if not plan.pending:
        console.print(f"{plan.environment} is at {plan.current}: nothing to do")
        return
    console.print(f"{plan.environment}: from {shown(plan.current)} to {plan.head}")
    for pending in plan.pending:
        console.print(f"\n-- {pending.revision}: {shown(pending.message)}")
        console.print(pending.sql)
    console.print(f"\ndigest {plan.digest}")


def evidence_document(plan: MigrationPlan, evidence: MigrationEvidence) -> Document:
    """A plan that was applied."""
    return {
        "environment": evidence.environment,
        "from_revision": evidence.from_revision,
        "to_revision": evidence.to_revision,
        "head": plan.head,
        "applied": list(evidence.revisions),
        "pending": [],
        "digest": evidence.digest,
        "outcome": evidence.outcome,
        "id": evidence.id,
        "seconds": _seconds(evidence),
    }


def draw_evidence(console: Console, plan: MigrationPlan, evidence: MigrationEvidence) -> None:
    """What was applied, revision by revision."""
    console.print(
        f"Migrated {evidence.environment} from {shown(evidence.from_revision)} "
        f"to {evidence.to_revision} in {span(_seconds(evidence))}"
    )
    rows = [(pending.revision, pending.message) for pending in plan.pending]
    console.print(table(("REVISION", "WHAT"), rows))
    console.print(f"digest {evidence.digest}")


def _seconds(evidence: MigrationEvidence) -> float:
    return (evidence.finished_at - evidence.started_at).total_seconds()
