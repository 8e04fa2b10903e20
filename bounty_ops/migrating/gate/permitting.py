"""From open gates to the permit that a migration is carried out with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.evidence import Override
from bounty_ops.migrating.errors import GateRefusedError
from bounty_ops.migrating.gate.rules import acknowledgements, gate, same_person
from bounty_ops.migrating.gate.values import Records
from bounty_ops.migrating.permit import Permit

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bounty_ops.migrating.gate.values import Gate, GateFacts


def permit(facts: GateFacts, reason: str = "") -> Permit:
    """Return what the migration may rest on, for its record.

    Raises GateRefusedError, which carries all answers, when a gate refuses.
    """
    gates = gate(facts)
    shut = refused(gates)
    if shut:
        raise GateRefusedError(
            f"{facts.plan.environment} was not migrated: "
            + "; ".join(f"{one.name}: {one.reason}" for one in shut),
            hint=" ".join(f"{one.name}: {one.remedy}" for one in shut if one.remedy),
            gates=gates,
        )
    overridden = tuple(one.name for one in gates if one.state == "overridden")
    rests_on = {one.name: one.rests_on for one in gates}
    records = Records() if isinstance(facts.records, BountyOpsError) else facts.records
    predicted = [
        one.predicted_seconds for one in records.rehearsals if one.id == rests_on["rehearsal"]
    ]
    return Permit(
        reason=reason,
        backup_id=rests_on["backup"],
        rehearsal_id=rests_on["rehearsal"],
        approvals=_approved_by(facts, records),
        acknowledged=acknowledgements(facts),
        override=Override(reason=facts.override.strip(), gates=overridden) if overridden else None,
        predicted_seconds=predicted[0] if predicted else None,
    )


def refused(gates: Sequence[Gate], *, but: Collection[str] = ()) -> tuple[Gate, ...]:
    """Return the gates that stand in the way, without those named."""
    return tuple(one for one in gates if not one.open and one.name not in but)


def _approved_by(facts: GateFacts, records: Records) -> tuple[str, ...]:
    """Who approved, whether the policy asks for it or not; each once."""
    return tuple(
        sorted(
            {
                one.approved_by
                for one in records.approvals
                if one.digest == facts.plan.digest
                and one.environment == facts.plan.environment
                and not same_person(one.approved_by, facts.operator)
            }
        )
    )
