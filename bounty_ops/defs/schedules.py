"""The jobs of the night and of the collection, and the schedules that launch them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg

from bounty_ops.defs.database_backup import FRESH
from bounty_ops.defs.names import (
    BACKUP_CATALOGUE,
    BACKUP_COPIES,
    CONNECTION_STATS,
    DATABASE_BACKUP,
    INDEX_USAGE,
    KEPT_BACKUPS,
    RESTORE_VERIFICATION,
    SCHEMA_REVISION,
    SERVER_TAG,
    SLOW_QUERIES,
    TABLE_SIZES,
    Names,
)
from bounty_ops.defs.readiness import why_not, why_not_measured
from bounty_ops.defs.schema_checks import (
    lint_check,
    no_drift_check,
    schema_check_keys,
)
from bounty_ops.defs.waiting import AFTER_THE_NIGHTS, PRIORITY_TAG, priority
from bounty_ops.environments import DatabaseUrl, Policy

#: When a schedule says that its own cron expression is wrong.
_HOURLY: Final = "0 * * * *"


def nightly(names: Names, policy: Policy, url: DatabaseUrl | None) -> dg.Definitions:
    """Back up, then verify that backup, in one run: the job and its schedule.

    Args:
        names: of the environment.
        policy: its policy.
        url: its database, as far as it is known; which server that is stands on the runs.
    """
    server = {SERVER_TAG: f"{url.host}:{url.port}"} if url else {}
    tags = {**server, **_tags(names, policy.job_tags.get("nightly"))}

    def first_come(context: dg.ScheduleEvaluationContext) -> dict[str, str]:
        if PRIORITY_TAG in tags:
            return {}
        return {PRIORITY_TAG: str(priority(context.instance, names, datetime.now(UTC)))}

    job = dg.define_asset_job(
        names.nightly,
        selection=dg.AssetSelection.assets(
            names.asset(DATABASE_BACKUP),
            names.asset(RESTORE_VERIFICATION),
            names.asset(BACKUP_COPIES),
            names.asset(KEPT_BACKUPS),
            names.asset(BACKUP_CATALOGUE),
        ),
        executor_def=dg.in_process_executor,
        tags=tags,
        description=(
            f"Backs up `{names.environment}`, proves the backup by restoring it into a "
            "throw-away server. What is proved is copied into the second bucket; what the "
            "rules let go is deleted, and what the bucket holds is indexed."
        ),
    )
    schedule = _schedule(
        names,
        name=names.nightly_schedule,
        job_name=names.nightly,
        cron=policy.nightly_of(names.environment),
        timezone=policy.timezone,
        more_tags=first_come,
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])


def collection(names: Names, policy: Policy) -> dg.Definitions:
    """Take samples, look at revision and age of the backup: the job and its schedule."""
    measured = (CONNECTION_STATS, SLOW_QUERIES, TABLE_SIZES, INDEX_USAGE, SCHEMA_REVISION)
    selection = dg.AssetSelection.assets(*(names.asset(name) for name in measured))
    fresh = dg.AssetCheckKey(names.asset(DATABASE_BACKUP), FRESH)
    job = dg.define_asset_job(
        names.collect,
        selection=(selection | dg.AssetSelection.checks(fresh))
        - dg.AssetSelection.checks(*schema_check_keys(names)),
        executor_def=dg.in_process_executor,
        tags=_tags(names, policy.job_tags.get("collect")),
        description=(
            f"Measures `{names.environment}` and stores the samples. It changes nothing there."
        ),
    )
    schedule = _schedule(
        names,
        name=names.collect_schedule,
        job_name=names.collect,
        cron=policy.collection_cron,
        timezone=policy.timezone,
        obstacle=why_not_measured,
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])


def schema_checks(names: Names, policy: Policy) -> dg.Definitions:
    """Compare the schema with what it should be, every night: the job and its schedule."""
    job = dg.define_asset_job(
        names.check_schema,
        selection=dg.AssetSelection.assets(names.asset(SCHEMA_REVISION)),
        executor_def=dg.in_process_executor,
        tags=_tags(
            names,
            {PRIORITY_TAG: str(AFTER_THE_NIGHTS), **policy.job_tags.get("check_schema", {})},
        ),
        description=(
            f"Looks at the revision of `{names.environment}`, compares its schema with what the "
            "migrations make, object by object, and lints what is pending. It changes nothing."
        ),
    )
    schedule = _schedule(
        names,
        name=names.check_schema_schedule,
        job_name=names.check_schema,
        cron=policy.nightly_of(names.environment),
        timezone=policy.timezone,
    )
    return dg.Definitions(
        asset_checks=[no_drift_check(names), lint_check(names)],
        jobs=[job],
        schedules=[schedule],
    )


def _tags(names: Names, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The tags of a job's runs; those of the policy rank below the environment's name."""
    return {**(given or {}), **names.tags}


def _schedule(
    names: Names,
    *,
    name: str,
    job_name: str,
    cron: str,
    timezone: str,
    obstacle: Callable[[str], str | None] = why_not,
    more_tags: Callable[[dg.ScheduleEvaluationContext], Mapping[str, str]] = lambda _: {},
) -> dg.ScheduleDefinition:
    def build(
        cron: str, tick: Callable[[dg.ScheduleEvaluationContext], dg.RunRequest | dg.SkipReason]
    ) -> dg.ScheduleDefinition:
        return dg.ScheduleDefinition(
            name=name,
            job_name=job_name,
            cron_schedule=cron,
            execution_timezone=timezone,
            # A person who switches a schedule off is remembered by Dagster; a schedule that has
            # to be switched on first is one that nobody misses until the backup is needed.
            default_status=dg.DefaultScheduleStatus.RUNNING,
            tags=names.tags,
            execution_fn=tick,
        )

    def launch(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        problem = obstacle(names.environment)
        if problem is not None:
            return dg.SkipReason(problem)
        return dg.RunRequest(tags={**names.tags, **more_tags(context)})

    def explain(_context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
        return dg.SkipReason(
            f"{cron!r} is not a cron expression: correct it in bounty_ops.toml under "
            f"[environments.{names.environment}] and reload the code location."
        )

    try:
        return build(cron, launch)
    except dg.DagsterInvalidDefinitionError:
        # One wrong expression must not take every other environment's schedules down with it.
        return build(_HOURLY, explain)
