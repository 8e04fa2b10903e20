"""The asset `backup_catalogue`: the operations database made to say what the bucket says."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.alerting import recovery
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.chart import Bar, size_chart
from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import BACKUP_CATALOGUE, KEPT_BACKUPS, RESTORE_VERIFICATION, Names
from bounty_ops.defs.presentation import UNKNOWN, moment, size, table
from bounty_ops.defs.workplace import Workplace, opened
from bounty_ops.environments import Policy
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.catalogue import rebuild
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops.journal.restores import RestoreRecord, read_restores

INDEXED: Final = "indexed"
_INDEXED: Final = "indexed"
_SHOWN: Final = 30
_RESTORES: Final = 10


def backup_catalogue_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `indexed`."""
    key = names.asset(BACKUP_CATALOGUE)

    @dg.asset(
        key=key,
        # After the night's prune, or it would list what is gone a moment later.
        deps=[names.asset(RESTORE_VERIFICATION), names.asset(KEPT_BACKUPS)],
        group_name=names.group,
        kinds={"postgres", "s3"},
        tags=names.tags,
        # The night is not lost because its index could not be made.
        output_required=False,
        description=(
            "What the bucket lists, read again from its records alone, and indexed in the "
            "operations database: the backups of this environment, how old and how large they "
            "are, and how long a restore would take. A failure here fails no run; the check says "
            "what went wrong."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                INDEXED,
                asset=key,
                description="The bucket could be read, no backup is damaged, and the operations "
                "database says what the bucket says.",
            )
        ],
    )
    def backup_catalogue(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        secrets = Secrets()
        with told(secrets):
            try:
                with opened(names.environment, secrets, database=False) as place:
                    journal = place.journal()
                    summaries = journal.summaries(names.environment)
                    restores = read_restores(journal.store, names.environment, newest=_RESTORES)
                    indexed = _index(context, place)
                    policy = place.environment.policy
            except BountyOpsError as error:
                problem = secrets.hide(f"{error} ({error.hint})")
                context.log.warning("the catalogue was not made: %s", problem)
                yield _check(key, problem)
                return
        metadata = catalogue_metadata(summaries, policy, datetime.now(UTC))
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                **metadata,
                "newest_restores": dg.MetadataValue.md(restores_table(restores)),
                "catalogue": dg.MetadataValue.text(indexed),
            },
        )
        damaged = [one.id for one in summaries if one.state is BackupState.DAMAGED]
        yield _check(key, _problem(indexed, damaged))

    return backup_catalogue


def _index(context: dg.AssetExecutionContext, place: Workplace) -> str:
    journal = place.journal()
    return catalogued(context.log, place, lambda engine: rebuild(journal, engine))


def _problem(indexed: str, damaged: Sequence[str]) -> str | None:
    if indexed != _INDEXED:
        return indexed
    if damaged:
        return f"{len(damaged)} damaged backups, such as {damaged[0]}"
    return None


def _check(key: dg.AssetKey, problem: str | None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=INDEXED,
        passed=problem is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=problem or "the operations database says what the bucket says",
    )


def catalogue_metadata(
    summaries: Sequence[BackupSummary], policy: Policy, now: datetime
) -> dict[str, dg.MetadataValue]:
    """What the asset page shows; numbers are plain, so that they plot."""
    complete = [one for one in summaries if one.state is BackupState.COMPLETE]
    proved = [one for one in complete if one.verdict is Verdict.PROVED]
    total = sum(one.size_bytes or 0 for one in summaries)
    newest = complete[0] if complete else None
    bars = [Bar(one.taken_at, one.size_bytes or 0, one.verdict) for one in complete]
    return {
        "summary": dg.MetadataValue.md(
            f"**{len(summaries)} backups**, {len(proved)} proved, {size(total)} together"
        ),
        "size_over_time": dg.MetadataValue.md(size_chart(bars)),
        "backups": dg.MetadataValue.int(len(summaries)),
        "proved": dg.MetadataValue.int(len(proved)),
        "damaged": dg.MetadataValue.int(len(summaries) - len(complete)),
        "pinned": dg.MetadataValue.int(sum(one.pinned for one in summaries)),
        "total_bytes": dg.MetadataValue.int(total),
        "newest": dg.MetadataValue.text(newest.id if newest else "none"),
        "newest_taken_at": moment(newest.taken_at if newest else None),
        "newest_proved": dg.MetadataValue.text(proved[0].id if proved else "none"),
        **recovery_metadata(summaries, policy, now),
        "newest_backups": dg.MetadataValue.md(_table(summaries)),
    }


def recovery_metadata(
    summaries: Sequence[BackupSummary], policy: Policy, now: datetime
) -> dict[str, dg.MetadataValue]:
    """What a disaster would cost, next to what the policy allows."""
    found = recovery(summaries, policy, now)
    measured = {
        "rpo_seconds": found.rpo_seconds,
        "rpo_objective_seconds": found.rpo_objective_seconds,
        "rto_seconds": found.rto_seconds,
        "rto_measured_seconds": found.rto_measured_seconds,
        "rto_objective_seconds": found.rto_objective_seconds,
    }
    return {
        name: dg.MetadataValue.text(UNKNOWN) if value is None else dg.MetadataValue.float(value)
        for name, value in measured.items()
    }


def _table(summaries: Sequence[BackupSummary]) -> str:
    rows = [
        (
            one.id,
            f"{one.taken_at:%Y-%m-%d %H:%M} UTC",
            size(one.size_bytes),
            one.state.value if one.problem is None else f"{one.state.value}: {one.problem}",
            one.verdict.value,
            one.pinned,
            one.encrypted,
            f"{one.locked_until:%Y-%m-%d}" if one.locked_until else "no",
        )
        for one in summaries[:_SHOWN]
    ]
    more = len(summaries) - len(rows)
    text = table(
        ["backup", "taken", "size", "state", "verdict", "pinned", "encrypted", "locked until"], rows
    )
    return f"{text}\n\n... and {more:,} older" if more > 0 else text


def restores_table(records: Sequence[RestoreRecord]) -> str:
    """The newest restores of this environment's backups, by whom and into what."""
    rows = [
        (
            one.backup_id,
            f"{one.started_at:%Y-%m-%d %H:%M} UTC",
            one.operation,
            one.outcome,
            f"{one.target} ({one.address})",
            one.operator,
        )
        for one in records
    ]
    return table(["backup", "when", "what", "outcome", "into", "who"], rows)
