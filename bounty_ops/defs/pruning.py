"""The job `prune_backups`: shows what the rules let go, and deletes it when its digest is given."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from bounty_ops.backup.prune import Pruned, PrunePlan, carry_out_prune, plan_prune, require_digest
from bounty_ops.backup.retention import has_rules
from bounty_ops.defs.backup_copies import copy_journal, require_policy
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.kept_backups import prune_metadata
from bounty_ops.defs.names import KEPT_BACKUPS, Names
from bounty_ops.defs.protection import described, form
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import forget_backups
from bounty_ops.journal.pins import is_pinned

FIELDS: Final = {
    "apply": dg.Field(
        str,
        default_value="",
        description="Empty: show the plan and delete nothing. To carry it out, paste the digest "
        "that the plan showed.",
    ),
    "copies": dg.Field(
        bool,
        default_value=False,
        description="Prune the second bucket instead of the first, by the same rules.",
    ),
    "most_share": dg.Field(
        float,
        default_value=0.0,
        description="The share of all backups that may go at once, this time: above 0, up to 1. "
        "0: what `prune_most_share` says.",
    ),
}


def prune_job(names: Names) -> dg.JobDefinition:
    """The job, whose whole form is the three fields of `FIELDS`."""
    op_name = f"{names.prune}_by_rules"

    @dg.op(name=op_name, tags=names.tags, config_schema=form(names, FIELDS), out=dg.Out(dg.Nothing))
    def prune_by_rules(context: dg.OpExecutionContext) -> None:
        _run(context, names, context.op_config)

    # Without the mapping a person would have to find the fields below ops > NAME > config.
    @dg.config_mapping(config_schema=form(names, FIELDS))
    def flat(fields: Mapping[str, Any]) -> dict[str, object]:
        return {"ops": {op_name: {"config": fields}}}

    @dg.job(
        name=names.prune,
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=described(
            names,
            f"Shows which backups of `{names.environment}` the keep_* rules let go, with a digest. "
            "Launched as it stands it deletes nothing; with the digest in `apply` it carries out "
            "exactly that plan, or refuses when the plan has changed since.",
        ),
    )
    def prune() -> None:
        prune_by_rules()

    return prune


def _run(context: dg.OpExecutionContext, names: Names, form: Mapping[str, Any]) -> None:
    digest, copies = form["apply"].strip(), form["copies"]
    with workplace(names.environment, database=False, ops=bool(digest)) as place:
        require_policy(place)
        first = place.store()
        first.check()
        journal = copy_journal(place) if copies else Journal(first)

        def pinned_elsewhere(backup_id: str) -> bool:
            return copies and is_pinned(first, names.environment, backup_id)

        now, pruned = datetime.now(UTC), Pruned()
        plan = plan_prune(
            place.environment,
            journal,
            now=now,
            most_share=_share(form["most_share"]),
            pinned_elsewhere=pinned_elsewhere,
        )
        try:
            if digest:
                require_digest(plan, digest)
                carry_out_prune(
                    plan,
                    journal,
                    by=f"dagster run {context.run_id}",
                    now=now,
                    pinned_elsewhere=pinned_elsewhere,
                    result=pruned,
                )
        finally:
            _show(context, names, place, plan, pruned)
            if pruned.deleted and not copies:
                catalogued(context.log, place, lambda ops: forget_backups(ops, pruned.deleted))


def _share(value: float) -> float | None:
    """None for what the policy says; the share itself is kept within sense."""
    return None if value <= 0 else min(value, 1.0)


def _show(
    context: dg.OpExecutionContext, names: Names, place: Workplace, plan: PrunePlan, pruned: Pruned
) -> None:
    step = next_step(plan, pruned, rules=has_rules(place.environment.policy))
    metadata = {"next_step": dg.MetadataValue.md(step), **prune_metadata(plan, pruned)}
    context.log_event(
        dg.AssetObservation(
            names.asset(KEPT_BACKUPS),
            description=f"plan {plan.digest}: {len(plan.retention.delete)} to delete",
            metadata=metadata,
        )
    )
    context.add_output_metadata(metadata)
    context.log.info("%d to delete, digest %s. %s", len(plan.retention.delete), plan.digest, step)


def next_step(plan: PrunePlan, pruned: Pruned, *, rules: bool) -> str:
    """What to do with the plan, in one line of Markdown."""
    if pruned.deleted:
        return f"{len(pruned.deleted)} backups were deleted."
    if not rules:
        return "No keep_* rule is set in bounty_ops.toml, so every backup stays."
    if not plan.retention.delete:
        return "Nothing is to be deleted."
    if plan.retention.refused is not None:
        return f"Refused: {plan.retention.refused}. `most_share` in the form allows more, once."
    return f"To carry it out, launch the job again with `apply: {plan.digest}`."
