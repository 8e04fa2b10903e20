"""The asset `environment_status`: where every environment stands, as one table.

The only asset that belongs to no environment: it is for the look across all of them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import dagster as dg

from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import (
    CONNECTION_STATS,
    DATABASE_BACKUP,
    RESTORE_VERIFICATION,
    SCHEMA_REVISION,
    Names,
)
from bounty_ops.defs.presentation import UNKNOWN, size, table
from bounty_ops.embedded import stand_in
from bounty_ops.environments import Environment, load_settings
from bounty_ops.monitoring.findings import duration
from bounty_ops.standing import Standing, standings

STATUS: Final = "environment_status"
_JOB: Final = "look_at_environments"
_EVERY_HOUR: Final = "17 * * * *"
_LINKED: Final = (SCHEMA_REVISION, DATABASE_BACKUP, RESTORE_VERIFICATION, CONNECTION_STATS)


def status_definitions(environments: Sequence[Environment]) -> dg.Definitions:
    """The asset, its job and the schedule of it.

    Args:
        environments: those that have assets of their own; the table shows whatever the settings
            name when it is made.
    """
    job = dg.define_asset_job(
        _JOB,
        selection=dg.AssetSelection.assets(dg.AssetKey(STATUS)),
        executor_def=dg.in_process_executor,
        description="Looks at every environment, bucket and the operations database once.",
    )
    schedule = dg.ScheduleDefinition(
        name=f"{_JOB}_schedule",
        job=job,
        cron_schedule=_EVERY_HOUR,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(assets=[status_asset(environments)], jobs=[job], schedules=[schedule])


def status_asset(environments: Sequence[Environment]) -> dg.AssetsDefinition:
    """The asset; what it shows of each environment links to that one's own assets."""
    protected = [each.name for each in environments if each.policy.protected]

    @dg.asset(
        key=dg.AssetKey(STATUS),
        group_name="all_environments",
        kinds={"postgres"},
        deps=[Names(each.name).asset(name) for each in environments for name in _LINKED],
        description=(
            "Where every environment stands: revision, drift, last backup, last proof, what a "
            "disaster would cost (RPO, RTO), open incidents."
            + (f" Protected: {', '.join(protected)}." if protected else "")
        ),
    )
    def environment_status() -> dg.MaterializeResult[None]:
        secrets = Secrets()
        with told(secrets):
            settings = load_settings()
            secrets.learn(settings.secrets())
            with stand_in(settings) as complete:
                secrets.learn(complete.secrets())
                found = standings(complete)
        return dg.MaterializeResult(metadata=status_metadata(found, secrets))

    return environment_status


def status_metadata(found: Sequence[Standing], secrets: Secrets) -> dict[str, dg.MetadataValue]:
    """The matrix, why something in it is unknown, and the numbers that plot."""
    matrix = table(
        ["environment", "database", "revision", "pending", "drift", "last backup", "verdict",
         "last proved", "RPO", "RTO", "open incidents"],
        [_row(each) for each in found],
    )  # fmt: skip
    why = table(
        ["environment", "unknown", "because"],
        [
            (each.environment, name, secrets.hide(reason))
            for each in found
            for name, reason in each.unknown.items()
        ],
    )
    return {
        "status": dg.MetadataValue.md(matrix),
        "unknown": dg.MetadataValue.md(why),
        "environments": dg.MetadataValue.int(len(found)),
        "protected": dg.MetadataValue.int(sum(each.protected for each in found)),
        "unreachable": dg.MetadataValue.int(sum(not each.reachable for each in found)),
        **{name: value for each in found for name, value in _numbers(each)},
    }


def _numbers(each: Standing) -> Iterator[tuple[str, dg.MetadataValue]]:
    """What is known as numbers; what is not known has no point in the plot."""
    incidents = each.open_incidents
    values = {
        "rpo_hours": None if each.rpo_seconds is None else each.rpo_seconds / 3600,
        "rto_minutes": None if each.rto_seconds is None else each.rto_seconds / 60,
        "pending": None if each.pending is None else float(len(each.pending)),
        "critical": None if incidents is None else float(incidents.critical),
    }
    for name, value in values.items():
        if value is not None:
            yield f"{each.environment} {name}", dg.MetadataValue.float(round(value, 3))


def _row(each: Standing) -> tuple[object, ...]:
    def known(field: str, value: object) -> object:
        return UNKNOWN if field in each.unknown else value

    backup, proof, drift, incidents = (
        each.last_backup,
        each.last_proof,
        each.drift,
        each.open_incidents,
    )
    objects = None if drift is None else "yes" if drift.objects is None else str(drift.objects)
    return (
        each.environment + (" (protected)" if each.protected else ""),
        _database(each),
        known("revision", each.revision or "none"),
        known("pending", str(len(each.pending or ()))),
        UNKNOWN if objects is None else "none" if objects == "0" else f"{objects} objects",
        known("last_backup", "none" if backup is None else f"{backup.taken_at:%Y-%m-%d %H:%M}"),
        "-" if backup is None else backup.verdict,
        known("last_proof", "never" if proof is None else f"{proof.taken_at:%Y-%m-%d %H:%M}"),
        _of(each.rpo_seconds, each.rpo_objective_seconds),
        _of(each.rto_seconds, each.rto_objective_seconds),
        UNKNOWN
        if incidents is None
        else f"{incidents.critical} critical, {incidents.warning} warning",
    )


def _database(each: Standing) -> str:
    if not each.configured:
        return "unconfigured"
    if not each.reachable:
        return "unreachable"
    return f"PostgreSQL {each.server_version}, {size(each.size_bytes)}"


def _of(seconds: float | None, objective: float | None) -> str:
    if objective is None:
        return "-"
    return f"{UNKNOWN if seconds is None else duration(seconds)} of {duration(objective)}"
