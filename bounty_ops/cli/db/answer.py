"""What `db plan` and `db migrate` answer, as documents: the plan, or what was applied."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounty_ops.journal.evidence import Acknowledgement, Override
    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating import PendingRevision
    from bounty_ops.migrating.gate import Assessment, Briefing, Gate
    from bounty_ops.migrating.live import LiveTable

Document = dict[str, object]


def plan_document(briefing: Briefing) -> Document:
    """A plan with everything that is known of it."""
    plan = briefing.plan
    return {
        "environment": plan.environment,
        "target": plan.target,
        "protected": briefing.facts.policy.protected,
        "server_version": briefing.facts.live.server_version,
        "from_revision": plan.current,
        "head": plan.head,
        "schema_fingerprint": plan.fingerprint,
        "pending": _pending(briefing),
        "predicted_seconds": briefing.predicted_seconds,
        "gates": gates_document(briefing.gates),
        "ready": briefing.ready,
        "digest": plan.digest,
    }


def migrate_document(
    briefing: Briefing, outcome: str, evidence: MigrationEvidence | None = None
) -> Document:
    """A plan that was only shown or refused, or what was applied."""
    plan = briefing.plan
    applied = evidence is not None and evidence.outcome == "applied"
    return {
        "environment": plan.environment,
        "from_revision": plan.current if evidence is None else evidence.from_revision,
        "to_revision": plan.current if evidence is None else evidence.to_revision,
        "head": plan.head,
        "applied": [] if evidence is None else list(evidence.revisions),
        "pending": [] if applied else _pending(briefing),
        "gates": gates_document(briefing.gates),
        "digest": plan.digest,
        "outcome": outcome,
        "id": None if evidence is None else evidence.id,
        "operator": None if evidence is None else evidence.operator,
        "reason": None if evidence is None else evidence.reason,
        "backup_id": None if evidence is None else evidence.backup_id,
        "rehearsal_id": None if evidence is None else evidence.rehearsal_id,
        "approvals": [] if evidence is None else list(evidence.approvals),
        "acknowledged": [] if evidence is None else acknowledged(evidence.acknowledged),
        "override": None if evidence is None else override(evidence.override),
        "predicted_seconds": briefing.predicted_seconds,
        "seconds": None if evidence is None else seconds(evidence),
    }


def gates_document(gates: tuple[Gate, ...]) -> list[Document]:
    """Every gate's answer."""
    return [
        {"name": one.name, "state": one.state, "reason": one.reason, "remedy": one.remedy}
        for one in gates
    ]


def acknowledged(given: tuple[Acknowledgement, ...]) -> list[Document]:
    """The findings that were acknowledged."""
    return [{"rule": one.rule, "reason": one.reason} for one in given]


def override(given: Override | None) -> Document | None:
    """The gates that were passed in an emergency."""
    return None if given is None else {"reason": given.reason, "gates": list(given.gates)}


def seconds(evidence: MigrationEvidence) -> float:
    """How long a migration took."""
    return (evidence.finished_at - evidence.started_at).total_seconds()


def _pending(briefing: Briefing) -> list[Document]:
    return [_revision(step, known) for step, known in briefing.revisions]


def _revision(step: PendingRevision, known: Assessment) -> Document:
    return {
        "revision": step.revision,
        "message": step.message,
        "sha256": step.sha256,
        "sql": step.sql,
        "findings": [
            {
                "rule": one.rule,
                "level": one.level,
                "line": one.line,
                "message": one.message,
                "lock": one.lock,
                "remedy": one.remedy,
                "relation": one.relation,
                "statement": one.statement,
            }
            for one in known.findings
        ],
        "tables": [_table(one) for one in known.tables],
        "predicted": asdict(known.prediction),
    }


def _table(table: LiveTable) -> Document:
    return {"name": table.label, "size_bytes": table.size_bytes, "rows": table.rows}
