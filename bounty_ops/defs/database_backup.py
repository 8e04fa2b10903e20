"""The asset `database_backup`: a dump of one database in the bucket, with its manifest."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.defs.catalogued import catalogued
from bounty_ops.defs.names import DATABASE_BACKUP, SCHEMA_REVISION, Names
from bounty_ops.defs.presentation import known, moment, size, table
from bounty_ops.defs.progress import byte_progress
from bounty_ops.defs.workplace import Workplace, workplace
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.catalogue import index_backup
from bounty_ops.journal.records import BackupState, BackupSummary, Manifest

COMPLETE = "complete"
FRESH = "fresh"


def database_backup_asset(names: Names) -> dg.AssetsDefinition:
    """The asset, with its check `complete`."""
    key = names.asset(DATABASE_BACKUP)

    @dg.asset(
        key=key,
        deps=[names.asset(SCHEMA_REVISION)],
        group_name=names.group,
        kinds={"postgres", "s3"},
        tags=names.tags,
        pool=names.pool,
        description=(
            "A dump of the whole database, streamed into the bucket, and the manifest that says "
            "what the snapshot held. It exists once its manifest does; a failed run leaves "
            "nothing behind that could be taken for a backup."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                COMPLETE,
                asset=key,
                description="The bucket lists it: the manifest can be read, and the archive is "
                "there with the recorded size.",
            )
        ],
    )
    def database_backup(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster knows the bare class only
        with workplace(names.environment) as place:
            # The nightly job by hand is a night like any other; the asset alone is somebody's wish.
            manifest = _back_up(context, place, scheduled=context.run.job_name == names.nightly)
            location = place.store().location
            catalogue = catalogued(
                context.log, place, lambda engine: index_backup(engine, manifest, location)
            )
            summary = _listed(place, manifest.id)
            return dg.MaterializeResult(
                metadata={
                    **backup_metadata(manifest, location.bucket, summary),
                    "catalogue": catalogue,
                },
                data_version=dg.DataVersion(manifest.id),
                check_results=[_complete(summary)],
            )

    return database_backup


def fresh_check(names: Names) -> dg.AssetChecksDefinition:
    """The check `fresh`, which runs with every collection: a backup ages while nothing runs."""

    @dg.asset_check(
        asset=names.asset(DATABASE_BACKUP),
        name=FRESH,
        description="The newest complete backup is younger than `backup_max_age_hours`.",
    )
    def fresh() -> dg.AssetCheckResult:
        with workplace(names.environment, database=False, ops=False) as place:
            limit = timedelta(hours=place.environment.policy.backup_max_age_hours)
            try:
                summaries = place.journal().summaries(names.environment)
            except BountyOpsError as error:
                # What cannot be read cannot be restored from; that is an answer, not a crash.
                return dg.AssetCheckResult(
                    passed=False,
                    description=place.secrets.hide(f"the bucket cannot be read: {error}"),
                    metadata={"what to do": place.secrets.hide(error.hint)},
                )
        return freshness(summaries, limit, datetime.now(UTC))

    return fresh


def freshness(
    summaries: list[BackupSummary], limit: timedelta, now: datetime
) -> dg.AssetCheckResult:
    """Judge the age of the newest complete backup; none at all is as bad as an old one."""
    taken = [
        each.taken_at
        for each in summaries
        if each.state is BackupState.COMPLETE and not each.imported
    ]
    limit_hours = limit / timedelta(hours=1)
    metadata: dict[str, dg.MetadataValue] = {"limit_hours": dg.MetadataValue.float(limit_hours)}
    if not taken:
        return dg.AssetCheckResult(
            passed=False, description="there is no complete backup", metadata=metadata
        )
    newest = max(taken)
    age_hours = (now - newest) / timedelta(hours=1)
    return dg.AssetCheckResult(
        passed=age_hours <= limit_hours,
        description=f"the newest complete backup is {age_hours:.1f} h old "
        f"(limit {limit_hours:g} h)",
        metadata={
            **metadata,
            "age_hours": dg.MetadataValue.float(round(age_hours, 3)),
            "taken_at": moment(newest),
        },
    )


def _back_up(context: dg.AssetExecutionContext, place: Workplace, *, scheduled: bool) -> Manifest:
    plan = plan_backup(
        place.environment,
        place.store(),
        now=datetime.now(UTC),
        taken_by=f"dagster run {context.run.run_id}",
        retention_class="scheduled" if scheduled else "manual",
    )
    url = place.environment.require_url()
    context.log.info("backing up %s", url.address())
    return take_backup(plan, url, place.journal(), progress=byte_progress(context.log, "uploaded"))


def _listed(place: Workplace, backup_id: str) -> BackupSummary | None:
    summaries = place.journal().summaries(place.environment.name)
    return next((each for each in summaries if each.id == backup_id), None)


def _complete(summary: BackupSummary | None) -> dg.AssetCheckResult:
    if summary is None:
        return dg.AssetCheckResult(
            check_name=COMPLETE, passed=False, description="the bucket does not list it"
        )
    return dg.AssetCheckResult(
        check_name=COMPLETE,
        passed=summary.state is BackupState.COMPLETE,
        description=summary.problem or "manifest and archive are there, the size is the recorded",
    )


def backup_metadata(
    manifest: Manifest, bucket: str, summary: BackupSummary | None
) -> dict[str, dg.MetadataValue]:
    """What the asset page shows; numbers are plain, so that they plot."""
    rate = manifest.size_bytes / manifest.seconds if manifest.seconds else None
    return {
        "summary": dg.MetadataValue.md(
            f"**{size(manifest.size_bytes)}** in {manifest.seconds:.1f} s "
            f"({size(rate)}/s): {len(manifest.tables)} tables, {manifest.rows:,} rows"
        ),
        "backup_id": dg.MetadataValue.text(manifest.id),
        "bucket": dg.MetadataValue.text(bucket),
        "key": dg.MetadataValue.text(summary.key if summary else manifest.archive.key),
        "sha256": dg.MetadataValue.text(manifest.archive.sha256),
        "size_bytes": dg.MetadataValue.int(manifest.size_bytes),
        "objects": dg.MetadataValue.int(len(manifest.objects)),
        **_compared_with_the_database(manifest),
        "seconds": dg.MetadataValue.float(manifest.seconds),
        "bytes_per_second": dg.MetadataValue.float(round(rate, 1) if rate else 0.0),
        "tables": dg.MetadataValue.int(len(manifest.tables)),
        "rows": dg.MetadataValue.int(manifest.rows),
        "compression": dg.MetadataValue.text(manifest.compression),
        "snapshot": moment(manifest.taken_at),
        "revision": dg.MetadataValue.text(str(known(manifest.revision))),
        "lsn": dg.MetadataValue.text(str(known(manifest.lsn))),
        "server_version": dg.MetadataValue.text(manifest.server_version),
        "client_version": dg.MetadataValue.text(manifest.client_version),
        "contents": dg.MetadataValue.md(
            table(
                ["table", "rows", "fingerprint"],
                [
                    (f"{each.schema_name}.{each.name}", each.rows, each.fingerprint)
                    for each in sorted(manifest.tables, key=lambda each: -(each.rows or 0))
                ],
            )
        ),
    }


def _compared_with_the_database(manifest: Manifest) -> dict[str, dg.MetadataValue]:
    """How large the database was, and how much smaller its backup is."""
    database = manifest.database_bytes
    if not database or not manifest.size_bytes:
        return {}
    return {
        "database_bytes": dg.MetadataValue.int(database),
        "compression_ratio": dg.MetadataValue.float(round(database / manifest.size_bytes, 2)),
    }
