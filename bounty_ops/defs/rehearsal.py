"""The job `rehearse_migration`: applies what is pending to a restored backup, and measures it."""

from collections.abc import Mapping
from typing import Final

import dagster as dg

from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import UNKNOWN, moment, size, table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import MigrationError
from bounty_ops.journal.evidence import RehearsedStatement
from bounty_ops.journal.records import Rehearsal
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.rehearse import rehearse, worst_first

#: As it stands, on the last proved backup.
FIELDS: Final = {
    "backup_id": dg.Field(
        str,
        default_value="",
        description="The id of the backup to restore, which has to be proved. Empty: the last one "
        "that is.",
    ),
    "operator": dg.Field(
        str, default_value="", description="Who wants to know; stands in the certificate."
    ),
}


def rehearse_job(names: Names) -> dg.JobDefinition:
    """The job, whose whole form is the backup and the operator."""
    op_name = f"{names.rehearse}_in_a_copy"

    @dg.op(name=op_name, tags=names.tags, config_schema=FIELDS, out=dg.Out(dg.Nothing))
    def rehearse_migration(context: dg.OpExecutionContext) -> None:
        form = {name: value.strip() for name, value in context.op_config.items()}
        with workplace(names.environment, ops=False) as place:
            _carry_out(context, names, place, form)

    # Without the mapping a person would have to find the fields below ops > NAME > config.
    @dg.config_mapping(config_schema=FIELDS)
    def flat(fields: Mapping[str, str]) -> dict[str, object]:
        return {"ops": {op_name: {"config": fields}}}

    @dg.job(
        name=names.rehearse,
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=(
            f"Restores the last proved backup of `{names.environment}` into a throw-away server, "
            "applies the pending migrations with a reader and a writer at their tables, takes "
            "them back and applies them again. The certificate goes into the bucket. The database "
            "itself is only looked at."
        ),
    )
    def job() -> None:
        rehearse_migration()

    return job


def _carry_out(
    context: dg.OpExecutionContext, names: Names, place: Workplace, form: Mapping[str, str]
) -> None:
    plan = plan_migration(place.environment)
    if not plan.pending:
        context.log.info("nothing is pending, so there is nothing to rehearse")
        return
    rehearsal = rehearse(
        place.environment,
        place.journal(),
        plan,
        operator=place.secrets.hide(form["operator"]) or f"dagster run {context.run_id}",
        work_dir=place.settings.state_dir / "work",
        identities=place.settings.identities,
        server=place.settings.drill_server(),
        backup_id=form["backup_id"] or None,
        progress=byte_progress(context.log, "restored"),
    )
    metadata = rehearsal_metadata(rehearsal, plan.digest)
    context.log_event(
        dg.AssetObservation(
            names.asset(SCHEMA_REVISION),
            description=f"rehearsal {rehearsal.id}: {rehearsal.outcome}",
            metadata=metadata,
        )
    )
    context.add_output_metadata(metadata)
    if rehearsal.outcome != "passed":
        raise MigrationError(
            f"the rehearsal {rehearsal.id} is {rehearsal.outcome}: {rehearsal.reason}",
            hint="Its certificate is in the bucket. Mend what it names, then rehearse again.",
        )


def rehearsal_metadata(rehearsal: Rehearsal, digest: str) -> dict[str, dg.MetadataValue]:
    """What a person reads; numbers are plain, so that they plot."""
    return {
        "outcome": dg.MetadataValue.md(f"**{rehearsal.outcome}**"),
        "reason": dg.MetadataValue.text(rehearsal.reason or "none"),
        "certificate": dg.MetadataValue.text(rehearsal.id),
        "digest": dg.MetadataValue.text(digest),
        "backup_id": dg.MetadataValue.text(rehearsal.backup_id or UNKNOWN),
        "server_version": dg.MetadataValue.text(rehearsal.server_version),
        "statements": dg.MetadataValue.md(_statements(rehearsal.statements)),
        "longest_read_seconds": _timed(rehearsal.longest_read_seconds),
        "longest_write_seconds": _timed(rehearsal.longest_write_seconds),
        "predicted_seconds": _timed(rehearsal.predicted_seconds),
        "round_trip": dg.MetadataValue.text(rehearsal.round_trip),
        "round_trip_detail": dg.MetadataValue.text(rehearsal.round_trip_detail or "none"),
        "finished_at": moment(rehearsal.finished_at),
    }


def _statements(statements: tuple[RehearsedStatement, ...]) -> str:
    return table(
        (
            "statement",
            "seconds",
            "reads waited",
            "writes waited",
            "predicted",
            "WAL",
            "disk",
            "rewritten",
            "locks",
        ),
        [
            (
                f"{one.revision}/{one.number} {one.sql}",
                one.seconds,
                one.longest_read_seconds,
                one.longest_write_seconds,
                UNKNOWN if one.predicted_seconds is None else one.predicted_seconds,
                size(one.wal_bytes),
                size(one.disk_bytes),
                ", ".join(one.rewritten) or "none",
                ", ".join(f"{lock.mode} on {lock.relation}" for lock in one.locks) or "none",
            )
            for one in worst_first(statements)
        ],
    )


def _timed(seconds: float | None) -> dg.MetadataValue:
    """A plain number, so that it plots; the word where it did not come to that."""
    if seconds is None:
        return dg.MetadataValue.text(UNKNOWN)
    return dg.MetadataValue.float(seconds)
