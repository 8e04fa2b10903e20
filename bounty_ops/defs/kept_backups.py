"""The asset `kept_backups`: what the bucket holds after the night has pruned it by the rules."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.backup.prune import Pruned, PrunePlan, carry_out_prune, plan_prune
from bounty_ops.backup.retention import has_rules
from bounty_ops.defs.backup_copies import copy_journal, require_policy, wants_copies
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.names import BACKUP_COPIES, KEPT_BACKUPS, RESTORE_VERIFICATION, Names
from bounty_ops.defs.presentation import size, table
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import forget_backups
from bounty_ops.journal.pins import is_pinned
from bounty_ops.journal.records import BackupState, Verdict

PRUNED: Final = "pruned"


def kept_backups_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `pruned`."""
    key = names.asset(KEPT_BACKUPS)

    @dg.asset(
        key=key,
        deps=[names.asset(RESTORE_VERIFICATION), names.asset(BACKUP_COPIES)],
        group_name=names.group,
        kinds={"s3"},
        tags=names.tags,
        description=(
            "The backups that the keep_* rules keep. Others are deleted, from the second bucket "
            "too, but only when the newest backup is proved (docs/reference/retention.md); "
            f"`{names.prune}` shows the plan. Without a rule every backup stays."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                PRUNED,
                asset=key,
                description="Nothing is left that the rules let go, or the newest backup is not "
                "proved yet, so that nothing may go.",
            )
        ],
    )
    def kept_backups(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows the bare class only
        with workplace(names.environment, database=False) as place:
            require_policy(place)
            journal = place.journal()
            plan, pruned, problem = prune_bucket(
                place, journal, f"dagster run {context.run.run_id}"
            )
            problems = [problem] if problem else []
            if pruned.deleted and wants_copies(place):
                problems += _prune_copies(place, f"dagster run {context.run.run_id}")
            if pruned.deleted:
                catalogued(context.log, place, lambda ops: forget_backups(ops, pruned.deleted))
            why_not = _why_not(place, journal)
        for told in problems:
            context.log.warning("not pruned: %s", told)
        return dg.MaterializeResult(
            metadata=prune_metadata(plan, pruned),
            check_results=[
                dg.AssetCheckResult(
                    check_name=PRUNED,
                    passed=not problems,
                    severity=dg.AssetCheckSeverity.WARN,
                    description="; ".join(problems) or why_not or _said(pruned),
                )
            ],
        )

    return kept_backups


def prune_bucket(
    place: Workplace, journal: Journal, by: str, *, copies: bool = False
) -> tuple[PrunePlan, Pruned, str | None]:
    """Prune one of the two buckets by the rules, when the night may; what came of it.

    The last value is a problem: a refused plan, or a bucket that said no half-way.
    """
    environment, first = place.environment, place.store()
    now, pruned, problem = datetime.now(UTC), Pruned(), None

    def pinned_elsewhere(backup_id: str) -> bool:
        return copies and is_pinned(first, environment.name, backup_id)

    plan = plan_prune(environment, journal, now=now, pinned_elsewhere=pinned_elsewhere)
    if _why_not(place, journal) is None:
        try:
            carry_out_prune(
                plan, journal, by=by, now=now, pinned_elsewhere=pinned_elsewhere, result=pruned
            )
        except BountyOpsError as error:
            problem = place.secrets.hide(f"{error}. {error.hint}")
    return plan, pruned, problem


def prune_metadata(plan: PrunePlan, pruned: Pruned) -> dict[str, dg.MetadataValue]:
    """What the asset page shows; numbers are plain, so that they plot."""
    keep = [
        (
            one.backup.id,
            str(one.backup.standing),
            size(one.backup.size_bytes),
            "; ".join(one.reasons),
        )
        for one in plan.retention.keep
    ]
    go = [
        (
            one.backup.id,
            str(one.backup.standing),
            size(one.backup.size_bytes),
            "; ".join(one.reasons),
        )
        for one in plan.retention.delete
    ]
    headers = ["backup", "standing", "size", "why"]
    return {
        "bucket": dg.MetadataValue.text(plan.bucket),
        "digest": dg.MetadataValue.text(plan.digest),
        "kept": dg.MetadataValue.int(len(keep)),
        "to_delete": dg.MetadataValue.int(len(go)),
        "deleted": dg.MetadataValue.int(len(pruned.deleted)),
        "freed_bytes": dg.MetadataValue.int(pruned.freed_bytes),
        "refused": dg.MetadataValue.text(plan.retention.refused or "no"),
        "stayed": dg.MetadataValue.md(table(["backup", "why"], list(pruned.spared.items()))),
        "keep": dg.MetadataValue.md(table(headers, keep)),
        "delete": dg.MetadataValue.md(table(headers, go)),
    }


def _prune_copies(place: Workplace, by: str) -> list[str]:
    """Prune the second bucket; what went wrong there."""
    try:
        _, _, problem = prune_bucket(place, copy_journal(place), by, copies=True)
    except BountyOpsError as error:
        problem = place.secrets.hide(f"{error}. {error.hint}")
    return [f"second bucket: {problem}"] if problem else []


def _why_not(place: Workplace, journal: Journal) -> str | None:
    """Why the night deletes nothing, which is no problem."""
    policy = place.environment.policy
    if not policy.prune_nightly:
        return "prune_nightly is false"
    if not has_rules(policy):
        return "no keep_* rule is set, so every backup stays"
    summaries = journal.summaries(place.environment.name)
    newest = next((one for one in summaries if not one.imported), None)
    if newest is None:
        return "there is no backup"
    if newest.state is not BackupState.COMPLETE or newest.verdict is not Verdict.PROVED:
        return f"the newest backup is {newest.state} and {newest.verdict}: nothing may go"
    return None


def _said(pruned: Pruned) -> str:
    return f"{len(pruned.deleted)} deleted, {size(pruned.freed_bytes)} freed"
