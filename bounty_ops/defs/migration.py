"""The job `migrate`: shows the plan of a migration, and applies it when its digest is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import dagster as dg

from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import code, table
from bounty_ops.defs.schema_revision import (
    AT_HEAD,
    position,
    revision_metadata,
    version_tags,
)
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.environments import Environment
from bounty_ops.errors import JournalError, MigrationError, ObjectStoreError, UsageError
from bounty_ops.journal.catalogue import index_migration
from bounty_ops.journal.records import MigrationEvidence
from bounty_ops.migrating import (
    MigrationPlan,
    apply_migration,
    current_revision,
    plan_migration,
)

#: Applies whatever is pending, without a look at it; for unprotected environments only.
HEAD: Final = "head"


#: What an operator fills in; launched as it stands, the job only shows the plan. Plain texts:
#: those of `dagster.Config` also take `{env: NAME}`, with which a form could fetch any variable of
#: the process, keys and passwords included, into a record.
FIELDS: Final = {
    "apply": dg.Field(
        str,
        default_value="",
        description="Empty: show the plan and change nothing. To apply it, paste the digest that "
        f"the plan showed. `{HEAD}` applies whatever is pending; a protected environment "
        "refuses that.",
    ),
    "operator": dg.Field(
        str,
        default_value="",
        description="Who applies it; stands in the record of the migration. A protected "
        "environment asks for it.",
    ),
    "reason": dg.Field(
        str,
        default_value="",
        description="Why, such as a ticket; stands in the record of the migration.",
    ),
}


@dataclass(frozen=True)
class MigrationForm:
    """The form as it was launched, without the blanks that a paste leaves around a value."""

    apply: str = ""
    operator: str = ""
    reason: str = ""

    @classmethod
    def of(cls, config: Mapping[str, str]) -> "MigrationForm":
        """Read the configuration that Dagster has validated against `FIELDS`."""
        return cls(**{name: value.strip() for name, value in config.items()})


def migrate_job(names: Names) -> dg.JobDefinition:
    """The job, whose whole form is the three fields of `MigrationForm`."""
    op_name = f"{names.migrate}_database"

    @dg.op(
        name=op_name,
        pool=names.pool,
        tags=names.tags,
        config_schema=FIELDS,
        out=dg.Out(dg.Nothing),
    )
    def migrate_database(context: dg.OpExecutionContext) -> None:
        form = MigrationForm.of(context.op_config)
        # The bucket is needed for the record of what was done; to look at a plan, it is not.
        applying = bool(form.apply)
        with workplace(names.environment, ops=applying, bucket=applying) as place:
            plan = plan_migration(place.environment)
            _show(context, names, place, plan)
            if applying:
                check_permission(plan, place.environment, form)
                _apply(context, names, place, plan, form)

    # Without the mapping a person would have to find the fields below ops > NAME > config.
    @dg.config_mapping(config_schema=FIELDS)
    def flat(fields: Mapping[str, str]) -> dict[str, object]:
        return {"ops": {op_name: {"config": fields}}}

    @dg.job(
        name=names.migrate,
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=(
            f"Shows the pending migrations of `{names.environment}` with their SQL and a digest. "
            "Launched as it stands it changes nothing; with the digest in `apply` it carries out "
            "exactly that plan, or refuses when the plan has changed since."
        ),
    )
    def migrate() -> None:
        migrate_database()

    return migrate


def check_permission(plan: MigrationPlan, environment: Environment, form: MigrationForm) -> None:
    """Whether this form may apply this plan.

    Raises:
        UsageError: `head`, or no operator, for a protected environment.
        MigrationError: the digest is that of another plan.
    """
    protected = environment.policy.protected
    if protected and form.apply == HEAD:
        raise UsageError(
            f"{environment.name} is protected: it takes the digest of a plan, not {HEAD!r}",
            hint="Launch the job as it stands, read the plan, and paste its digest into `apply`.",
        )
    if protected and not form.operator:
        raise UsageError(
            f"{environment.name} is protected: the record of a migration has to name a person",
            hint="Write your name into `operator`.",
        )
    if form.apply not in {HEAD, plan.digest}:
        raise MigrationError(
            "the digest is not that of the present plan; nothing was changed",
            hint="Something was migrated or deployed since. Launch the job as it stands, read the "
            "plan again, and paste its digest into `apply`.",
        )


def plan_metadata(plan: MigrationPlan, environment: Environment) -> dict[str, dg.MetadataValue]:
    """The plan as a person reads it before applying it."""
    sql = "\n\n".join(f"-- {each.revision}: {each.message}\n{each.sql}" for each in plan.pending)
    return {
        "next_step": dg.MetadataValue.md(next_step(plan, environment)),
        "digest": dg.MetadataValue.text(plan.digest),
        "database": dg.MetadataValue.text(plan.target),
        "current": dg.MetadataValue.text(plan.current or "none: not under migration yet"),
        "head": dg.MetadataValue.text(plan.head),
        "protected": dg.MetadataValue.bool(environment.policy.protected),
        "pending_revisions": dg.MetadataValue.int(len(plan.pending)),
        "pending": dg.MetadataValue.md(
            table(["revision", "message"], [(each.revision, each.message) for each in plan.pending])
        ),
        "sql": dg.MetadataValue.md(code(sql) if sql else "none"),
    }


def next_step(plan: MigrationPlan, environment: Environment) -> str:
    """What to do with the plan, in one line of Markdown."""
    if not plan.pending:
        return "Nothing is pending."
    operator = ", and your name in `operator`" if environment.policy.protected else ""
    return f"To apply it, launch the job again with `apply: {plan.digest}`{operator}."


def _show(
    context: dg.OpExecutionContext, names: Names, place: Workplace, plan: MigrationPlan
) -> None:
    metadata = plan_metadata(plan, place.environment)
    context.log_event(
        dg.AssetObservation(
            names.asset(SCHEMA_REVISION),
            description=f"plan {plan.digest}: {len(plan.pending)} pending",
            metadata=metadata,
        )
    )
    context.add_output_metadata(metadata)
    context.log.info(
        "%d pending, digest %s. %s",
        len(plan.pending),
        plan.digest,
        next_step(plan, place.environment),
    )


def _apply(
    context: dg.OpExecutionContext,
    names: Names,
    place: Workplace,
    plan: MigrationPlan,
    form: MigrationForm,
) -> None:
    place.store().check()  # no record could be written: better to know before than after
    operator = place.secrets.hide(form.operator) or f"dagster run {context.run_id}"
    reason = place.secrets.hide(form.reason)
    catalogue = "not indexed"

    def record(evidence: MigrationEvidence) -> None:
        nonlocal catalogue
        detail = {**evidence.detail, "reason": reason, "run_id": context.run_id}
        evidence = evidence.model_copy(update={"detail": detail})
        _write(place, evidence)
        catalogue = catalogued(context.log, place, lambda engine: index_migration(engine, evidence))

    evidence = apply_migration(plan, place.environment, operator=operator, record=record)
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
    seconds = (evidence.finished_at - evidence.started_at).total_seconds()
    context.log_event(
        dg.AssetMaterialization(
            key,
            description=f"migration {evidence.id}: {evidence.outcome}",
            metadata={
                **revision_metadata(current),
                "outcome": evidence.outcome,
                "record_id": evidence.id,
                "operator": evidence.operator,
                "digest": evidence.digest,
                "seconds": seconds,
                "applied": dg.MetadataValue.md(
                    table(["applied revision"], [[each] for each in evidence.revisions])
                ),
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
