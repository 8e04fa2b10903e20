"""The asset `backup_copies`: what is proved, copied into the second bucket and checked there."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.backup.copies import CopyRound, copy_each, missing_copies
from bounty_ops.defs.names import BACKUP_COPIES, RESTORE_VERIFICATION, Names
from bounty_ops.defs.presentation import size, table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops.object_store import ObjectStore

COPIED: Final = "copied"


def backup_copies_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `copied`."""
    key = names.asset(BACKUP_COPIES)

    @dg.asset(
        key=key,
        deps=[names.asset(RESTORE_VERIFICATION)],
        group_name=names.group,
        kinds={"s3"},
        tags=names.tags,
        description=(
            "The second bucket (BACKUP_COPY_BUCKET): every proved backup that the rules keep is "
            "copied there, read back and compared by SHA-256. A second bucket that is away fails "
            "no run; the check tells of it, and the next night catches up."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                COPIED,
                asset=key,
                description="The second bucket, where one is set, lacks no proved backup that the "
                "rules keep.",
            )
        ],
    )
    def backup_copies(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows the bare class only
        with workplace(names.environment, database=False, ops=False) as place:
            require_policy(place)
            place.store().check()  # that one missing is a failure; the second one is not
            result = CopyRound()
            problem = None
            there: list[BackupSummary] = []
            try:
                there = _copy(context, place, result)
            except BountyOpsError as error:
                problem = place.secrets.hide(f"{error}. {error.hint}")
                context.log.warning("copies are missing: %s", problem)
            said = _said(place, result, there, problem)
        return dg.MaterializeResult(
            metadata=_metadata(place, result, there, said),
            check_results=[
                dg.AssetCheckResult(
                    check_name=COPIED,
                    passed=problem is None and not result.failed,
                    severity=dg.AssetCheckSeverity.ERROR,
                    description=said,
                )
            ],
        )

    return backup_copies


def require_policy(place: Workplace) -> None:
    """Raise ConfigurationError when the environment's rules could not be read."""
    if place.environment.problem is not None:
        place.environment.require_url()


def wants_copies(place: Workplace) -> bool:
    """Whether a second bucket is set (rightly or wrongly) and the night copies into it."""
    settings = place.settings
    is_set = settings.copy_object_store is not None or settings.copy_object_store_problem
    return bool(is_set) and place.environment.policy.copy_after_proof


def copy_journal(place: Workplace) -> Journal:
    """The records in the second bucket.

    Raises ConfigurationError when it is missing or cannot be used.
    """
    return Journal(ObjectStore(place.settings.require_copy_object_store()))


def _copy(
    context: dg.AssetExecutionContext, place: Workplace, result: CopyRound
) -> list[BackupSummary]:
    if not wants_copies(place):
        return []
    source, target = place.journal(), copy_journal(place)
    missing = missing_copies(place.environment, source, target, now=datetime.now(UTC))
    context.log.info("%d backups to copy to %s", len(missing), target.store.location.uri())
    copy_each(
        missing,
        place.environment.name,
        source,
        target,
        result=result,
        progress=byte_progress(context.log, "sent and read back"),
    )
    return target.summaries(place.environment.name)


def _said(
    place: Workplace, result: CopyRound, there: list[BackupSummary], problem: str | None
) -> str:
    """One line for the check."""
    if problem is not None:
        return f"copies are missing: {problem}"
    if not wants_copies(place):
        if place.environment.policy.copy_after_proof:
            return "no second bucket is set (BACKUP_COPY_BUCKET)"
        return "copy_after_proof is false"
    if result.failed:
        return f"{len(result.failed)} backups could not be copied"
    return f"{len(result.copied)} copied now, the second bucket holds {len(there)}"


def _metadata(
    place: Workplace, result: CopyRound, there: list[BackupSummary], said: str
) -> dict[str, dg.MetadataValue]:
    sent = sum(one.sent_bytes for one in result.copied)
    checked = sum(one.checked_bytes for one in result.copied)
    second = place.settings.copy_object_store
    proved = [
        one for one in there if one.state is BackupState.COMPLETE and one.verdict is Verdict.PROVED
    ]
    failed = [(one, place.secrets.hide(why)) for one, why in result.failed.items()]
    return {
        "summary": dg.MetadataValue.md(said),
        "bucket": dg.MetadataValue.text("none" if second is None else second.location.uri()),
        "copied": dg.MetadataValue.int(len(result.copied)),
        "sent_bytes": dg.MetadataValue.int(sent),
        "read_back_bytes": dg.MetadataValue.int(checked),
        "copies": dg.MetadataValue.int(len(there)),
        "newest_proved_copy": dg.MetadataValue.text(proved[0].id if proved else "none"),
        "failed": dg.MetadataValue.md(table(["backup", "why"], failed)),
        "now": dg.MetadataValue.md(
            table(
                ["backup", "sent", "read back", "proofs added"],
                [
                    (one.id, size(one.sent_bytes), size(one.checked_bytes), one.proofs)
                    for one in result.copied
                ],
            )
        ),
    }
