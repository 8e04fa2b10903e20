"""The job `migrate`: shows the plan of a migration, and applies it when its digest is given."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.migration_form import FIELDS, HEAD, MigrationForm, check_permission
from bounty_ops.defs.migration_shown import next_step, plan_metadata
from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import UNKNOWN, table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.protection import described, form
from bounty_ops.defs.schema_revision import (
    AT_HEAD,
    position,
    revision_metadata,
    version_tags,
)
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError, JournalError, ObjectStoreError
from bounty_ops.journal.catalogue import index_backup, index_migration, index_verification
from bounty_ops.journal.records import MigrationEvidence
from bounty_ops.migrating import (
    MigrationPlan,
    apply_migration,
    current_revision,
    plan_migration,
)
from bounty_ops.migrating.gate import Briefing, brief, permit, refused
from bounty_ops.migrating.running.telling import Telling
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import verify_backup


def migrate_job(names: Names) -> dg.JobDefinition:
    """The job, whose whole form is the fields of `MigrationForm`."""
    op_name = f"{names.migrate}_database"

    @dg.op(
        name=op_name,
        pool=names.pool,
        tags=names.tags,
        config_schema=form(names, FIELDS),
        out=dg.Out(dg.Nothing),
    )
    def migrate_database(context: dg.OpExecutionContext) -> None:
        form = MigrationForm.of(context.op_config)
        with workplace(names.environment, ops=bool(form.apply)) as place:
            _carry_out(context, names, place, form)

    # Without the mapping a person would have to find the fields below ops > NAME > config.
    @dg.config_mapping(config_schema=form(names, FIELDS))
    def flat(fields: Mapping[str, Any]) -> dict[str, object]:
        return {"ops": {op_name: {"config": fields}}}

    @dg.job(
        name=names.migrate,
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=described(
            names,
            f"Shows the pending migrations of `{names.environment}` with their SQL, findings, "
            "gates and a digest. Launched as it stands it changes nothing; with the digest in "
            "`apply` it carries out exactly that plan if the gates let it through, or refuses "
            "when the plan has changed since.",
        ),
    )
    def migrate() -> None:
        migrate_database()

    return migrate


def _carry_out(
    context: dg.OpExecutionContext, names: Names, place: Workplace, form: MigrationForm
) -> None:
    plan = plan_migration(place.environment)
    operator = place.secrets.hide(form.operator) or f"dagster run {context.run_id}"
    given = plan.digest if form.apply == HEAD else form.apply or None

    def asked(plan: MigrationPlan) -> Briefing:
        return brief(
            place.environment,
            place.settings,
            _store(place),
            operator=operator,
            given_digest=given,
            acknowledged=form.acknowledgements(place.secrets),
            override=place.secrets.hide(form.override),
            plan=plan,
        )

    briefing = asked(plan)
    _show(context, names, briefing)
    if not form.apply:
        return
    check_permission(briefing.plan, place.environment, form)
    place.store().check()  # no record could be written: better to know before than after
    if form.backup_first and not refused(briefing.gates, but={"backup"}):
        _back_up_and_prove(context, place)
        briefing = asked(plan_migration(place.environment))
        _show(context, names, briefing)
    _apply(context, names, place, briefing, place.secrets.hide(form.reason))


def _store(place: Workplace) -> ObjectStore | BountyOpsError:
    """The bucket, or why there is none: a gate tells."""
    try:
        return place.store()
    except BountyOpsError as error:
        return error


def _show(context: dg.OpExecutionContext, names: Names, briefing: Briefing) -> None:
    metadata, plan = plan_metadata(briefing), briefing.plan
    context.log_event(
        dg.AssetObservation(
            names.asset(SCHEMA_REVISION),
            description=f"plan {plan.digest}: {len(plan.pending)} pending",
            metadata=metadata,
        )
    )
    context.add_output_metadata(metadata)
    context.log.info(
        "%d pending, digest %s. %s", len(plan.pending), plan.digest, next_step(briefing)
    )


def _back_up_and_prove(context: dg.OpExecutionContext, place: Workplace) -> None:
    """Take a backup of this moment and prove it; whether that is enough, its gate says."""
    store, journal = place.store(), place.journal()
    taken = plan_backup(
        place.environment,
        store,
        now=datetime.now(UTC),
        taken_by=f"dagster run {context.run_id}",
    )
    manifest = take_backup(
        taken,
        place.environment.require_url(),
        journal,
        progress=byte_progress(context.log, "uploaded"),
    )
    catalogued(context.log, place, lambda engine: index_backup(engine, manifest, store.location))
    context.log.info("backup %s was taken; restoring it", manifest.id)
    proof = verify_backup(
        manifest,
        journal,
        work_dir=place.settings.state_dir / "work",
        identities=place.settings.identities(encrypted=manifest.encryption is not None),
        server=place.settings.drill_server(),
        progress=byte_progress(context.log, "restored"),
    )
    catalogued(context.log, place, lambda engine: index_verification(engine, proof))
    context.log.info("backup %s is %s", manifest.id, proof.verdict.value)


def _apply(
    context: dg.OpExecutionContext, names: Names, place: Workplace, briefing: Briefing, reason: str
) -> None:
    catalogue = "not indexed"

    def record(evidence: MigrationEvidence) -> None:
        nonlocal catalogue
        detail = {**evidence.detail, "reason": reason, "run_id": context.run_id}
        evidence = evidence.model_copy(update={"detail": detail})
        _write(place, evidence)
        catalogue = catalogued(context.log, place, lambda engine: index_migration(engine, evidence))

    permitted = permit(briefing.facts, reason)
    if permitted.override is not None:
        context.log.warning("gates are overridden: %s", ", ".join(permitted.override.gates))
    evidence = apply_migration(
        briefing.plan,
        place.environment,
        operator=briefing.facts.operator,
        permit=permitted,
        record=record,
        observer=Telling(context.log.info),
    )
    _show_applied(context, names, place, evidence, catalogue)


def _write(place: Workplace, evidence: MigrationEvidence) -> None:
    try:
        place.journal().write_migration(evidence)
    except (JournalError, ObjectStoreError) as error:
        raise JournalError(
            f"the outcome of the migration is {evidence.outcome!r}, but its record could not be "
            f"written: {error}",
            hint=f"{error.hint} Look at the revision before you apply anything again.",
        ) from None


def _show_applied(
    context: dg.OpExecutionContext,
    names: Names,
    place: Workplace,
    evidence: MigrationEvidence,
    catalogue: str,
) -> None:
    current = current_revision(place.environment)
    key = names.asset(SCHEMA_REVISION)
    context.log_event(
        dg.AssetMaterialization(
            key,
            description=f"migration {evidence.id}: {evidence.outcome}",
            metadata={
                **revision_metadata(current),
                **_evidence_metadata(evidence),
                "catalogue": catalogue,
            },
            tags=version_tags(current),
        )
    )
    context.log_event(
        dg.AssetCheckEvaluation(  # type: ignore[arg-type] # accepted, the annotation lags behind
            asset_key=key,
            check_name=AT_HEAD,
            passed=not current.pending,
            metadata={},
            severity=dg.AssetCheckSeverity.WARN,
            description=position(current),
        )
    )
    context.log.info("%s: %s (record %s)", evidence.outcome, position(current), evidence.id)


def _evidence_metadata(evidence: MigrationEvidence) -> dict[str, Any]:
    """The record, for people; `bounty-ops db history ID` has it statement by statement."""
    predicted, override = evidence.predicted_seconds, evidence.override
    return {
        "outcome": evidence.outcome,
        "record_id": evidence.id,
        "operator": evidence.operator,
        "digest": evidence.digest,
        "seconds": (evidence.finished_at - evidence.started_at).total_seconds(),
        "predicted_seconds": UNKNOWN if predicted is None else predicted,
        "backup_id": evidence.backup_id or "none",
        "rehearsal_id": evidence.rehearsal_id or "none",
        "approvals": ", ".join(evidence.approvals) or "none",
        "acknowledged": dg.MetadataValue.md(
            table(["rule", "reason"], [(one.rule, one.reason) for one in evidence.acknowledged])
        ),
        "override": "none"
        if override is None
        else f"{', '.join(override.gates)}: {override.reason}",
        "applied": dg.MetadataValue.md(
            table(["applied revision"], [[each] for each in evidence.revisions])
        ),
    }
