"""What the jobs `restore` and `refresh_staging` show: their plan, and what was done."""

from collections.abc import Mapping

import dagster as dg

from bounty_ops.defs.names import DATABASE_BACKUP, Names
from bounty_ops.defs.presentation import UNKNOWN, moment, size, table
from bounty_ops.errors import RestoreError
from bounty_ops.restore.outcome import Restored
from bounty_ops.restore.plan import RestorePlan


def plan_metadata(plan: RestorePlan) -> dict[str, dg.MetadataValue]:
    """The plan as a person reads it before carrying it out."""
    there = plan.state
    return {
        "next_step": dg.MetadataValue.md(next_step(plan)),
        "digest": dg.MetadataValue.text(plan.digest),
        "backup_id": dg.MetadataValue.text(plan.backup_id),
        "backup_of": dg.MetadataValue.text(plan.source),
        "taken_at": moment(plan.taken_at),
        "verdict": dg.MetadataValue.text(plan.verdict.value),
        "size_bytes": dg.MetadataValue.int(plan.size_bytes),
        "expected_seconds": dg.MetadataValue.float(plan.expectation.seconds)
        if plan.expectation
        else dg.MetadataValue.text(UNKNOWN),
        "target": dg.MetadataValue.text(f"{plan.target} ({plan.address})"),
        "protected": dg.MetadataValue.bool(plan.protected),
        "way": dg.MetadataValue.text(plan.way),
        "tables_there": dg.MetadataValue.int(len(there.tables)),
        "rows_there": dg.MetadataValue.int(there.rows),
        "there": dg.MetadataValue.md(
            table(
                ["table", "rows", "size"],
                [(one.label, one.rows, size(one.size_bytes)) for one in there.tables],
                empty="nothing",
            )
        ),
        "connected": dg.MetadataValue.md(
            table(
                ["role", "application", "state", "sessions"],
                [(one.user, one.application, one.state, one.count) for one in there.sessions],
                empty="nobody",
            )
        ),
        "missing_roles": dg.MetadataValue.text(", ".join(plan.missing_roles) or "none"),
        "notes": dg.MetadataValue.md("\n".join(f"* {one}" for one in plan.notes) or "none"),
    }


def next_step(plan: RestorePlan) -> str:
    """What to do with the plan, in one line of Markdown."""
    operator = ", and your name in `operator`" if plan.protected else ""
    roles = ", and `create` or `none` in `roles`" if plan.missing_roles else ""
    return f"To carry it out, launch the job again with `apply: {plan.digest}`{roles}{operator}."


def show_plan(
    context: dg.OpExecutionContext,
    names: Names,
    plan: RestorePlan,
    metadata: Mapping[str, dg.MetadataValue],
) -> None:
    """The plan, as an observation of the asset and in the log."""
    context.log_event(
        dg.AssetObservation(
            names.asset(DATABASE_BACKUP),
            description=f"plan {plan.digest}: restore {plan.backup_id} into {plan.target}",
            metadata=metadata,
        )
    )
    context.add_output_metadata(metadata)
    context.log.info("digest %s. %s", plan.digest, next_step(plan))


def show_done(
    context: dg.OpExecutionContext, names: Names, done: Restored, *, operator: str
) -> None:
    """What a restore did, as an observation of the asset.

    Raises:
        RestoreError: the copy differs from its manifest.
    """
    differences = table(
        ["kind", "object", "expected", "found"],
        [(one.kind, one.object, one.expected, one.found) for one in done.differences],
    )
    context.log_event(
        dg.AssetObservation(
            names.asset(DATABASE_BACKUP),
            description=f"restored {done.backup_id} into {done.address}"
            if done.done
            else f"{done.backup_id} was not put into {done.address}: the copy differs",
            metadata={
                "restored": done.done,
                "backup_id": done.backup_id,
                "address": done.address,
                "operator": operator,
                "seconds": done.seconds,
                "tables_compared": done.tables_compared,
                "rows_compared": done.rows_compared,
                "differences": dg.MetadataValue.md(differences),
                "old_database": done.old_database or "none",
                "remove_old_database": done.removal or "nothing to remove",
                "notes": dg.MetadataValue.md("\n".join(f"* {one}" for one in done.notes) or "none"),
            },
        )
    )
    if not done.done:
        raise RestoreError(
            f"the restored copy of {done.backup_id} differs from its manifest in "
            f"{len(done.differences)} places; {done.address} was not touched",
            hint="The differences stand in the run's observation. Verify the backup, or take "
            "another one.",
        )
    context.log.info("restored %s into %s", done.backup_id, done.address)
