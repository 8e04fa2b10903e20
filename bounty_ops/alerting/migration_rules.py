"""A rule about migrations that were carried out although gates refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation
from bounty_ops.errors import BountyOpsError

#: For how long an override is told; it cannot be mended, only looked at.
TOLD_FOR: Final = timedelta(hours=24)


def migration_override(situation: Situation) -> Answer:
    """Gates of a protected environment were passed in an emergency.

    Each such migration is an incident of its own, so that the second one is told, too.
    """
    if isinstance(situation.migrations, BountyOpsError):
        return None
    return [
        Finding(
            rule=Rule.MIGRATION_OVERRIDE,
            subject=f"migration {record.id}",
            severity=Severity.CRITICAL,
            title=f"[{situation.environment}] {record.operator} overrode the gates of a migration: "
            + ", ".join(record.override.gates),
            body=f"The migration {record.id} to {record.to_revision or 'no revision'} "
            f"({record.outcome}) was begun although gates refused: "
            f"{', '.join(record.override.gates)}. The reason given: {record.override.reason}\n"
            f"Do: bounty-ops db history {record.id} -e {situation.environment}, and make up for "
            "what was passed over (a proved backup, a rehearsal, the other environment).",
            evidence={
                "id": record.id,
                "operator": record.operator,
                "gates": list(record.override.gates),
                "reason": record.override.reason,
            },
        )
        for record in situation.migrations
        if record.override is not None and situation.now - record.finished_at <= TOLD_FOR
    ]
