"""Rules about migrations: overridden gates, failures, what waits, and what nobody's revision made.

Pure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.backup_rules import bucket_unknown
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings

#: For how long an override is told; it cannot be mended, only looked at.
TOLD_FOR: Final = timedelta(hours=24)
#: A comparison that is older says nothing about now: it is made every night.
DRIFT_MAX_AGE: Final = timedelta(hours=36)
_SHOWN: Final = 5


def migration_override(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """Gates of a protected environment were passed in an emergency.

    Each such migration is an incident of its own, so that the second one is told, too.
    """
    if isinstance(situation.migrations, BountyOpsError):
        return bucket_unknown(situation.migrations)
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


def migration_failed(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The last migration failed; the next one that does not makes it good."""
    if isinstance(situation.migrations, BountyOpsError):
        return bucket_unknown(situation.migrations)
    last = max(situation.migrations, key=lambda record: record.finished_at, default=None)
    if last is None or last.outcome != "failed":
        return []
    done = f"{len(last.revisions)} of its revisions were applied" if last.revisions else ""
    return [
        Finding(
            rule=Rule.MIGRATION_FAILED,
            subject="migrations",
            severity=Severity.CRITICAL,
            title=f"[{situation.environment}] the migration to "
            f"{last.to_revision or 'no revision'} failed",
            body=f"{last.operator} ran {last.id}, which ended at "
            f"{last.finished_at:%Y-%m-%d %H:%M} UTC without success"
            f"{f'; {done}' if done else ''}.\n"
            f"Do: bounty-ops db history {last.id} -e {situation.environment} shows what happened, "
            f"bounty-ops db plan -e {situation.environment} what is left to do.",
            evidence={"id": last.id, "operator": last.operator, "revisions": list(last.revisions)},
        )
    ]


def migration_pending(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """Revisions wait to be applied; for how long they may is the rule's `for`."""
    revision = situation.revision
    if revision is None:
        return Undecided("nobody looked at the revision of the database")
    if isinstance(revision, BountyOpsError):
        return Undecided(f"the revision of the database is not known: {revision}")
    if not revision.pending:
        return []
    count = len(revision.pending)
    what = "1 migration waits" if count == 1 else f"{count} migrations wait"
    return [
        Finding(
            rule=Rule.MIGRATION_PENDING,
            subject="migrations",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] {what} to be applied",
            body=f"The database is at {revision.current or 'no revision'}, the head is "
            f"{revision.head}. Waiting: {', '.join(revision.pending[:_SHOWN])}"
            f"{' ...' if count > _SHOWN else ''}.\n"
            f"Do: bounty-ops db plan -e {situation.environment}, then bounty-ops db migrate.",
            evidence={"current": revision.current, "pending": list(revision.pending)},
        )
    ]


def schema_drift(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """Somebody changed the schema past the migrations."""
    drift = situation.drift
    if drift is None:
        return Undecided("nobody compared the schema with its revision")
    if isinstance(drift, BountyOpsError):
        return Undecided(f"the schema could not be compared: {drift}")
    if situation.now - drift.at > DRIFT_MAX_AGE:
        return Undecided(f"the schema was compared last at {drift.at:%Y-%m-%d %H:%M} UTC")
    if not drift.differences:
        return []
    count = len(drift.differences)
    return [
        Finding(
            rule=Rule.SCHEMA_DRIFT,
            subject="schema",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] the schema differs from its revision in "
            f"{count} {'object' if count == 1 else 'objects'}",
            body="\n".join(drift.differences[:_SHOWN])
            + ("\n..." if count > _SHOWN else "")
            + f"\nDo: bounty-ops db drift -e {situation.environment} shows all of it, and the "
            "statements that undo it; or write a revision that makes it so everywhere.",
            evidence={"differences": list(drift.differences[:50]), "count": count},
        )
    ]
