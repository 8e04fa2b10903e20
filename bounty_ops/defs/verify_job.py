"""The job `verify_backup`: restores any backup and compares, without taking a new one."""

from collections.abc import Mapping

import dagster as dg

from bounty_ops.defs.names import RESTORE_VERIFICATION, Names
from bounty_ops.defs.restore_verification import FIELDS


def verify_job(names: Names) -> dg.Definitions:
    """The job, whose whole form is `backup_id`."""
    op_name = f"{names.environment}__{RESTORE_VERIFICATION}"

    # Without the mapping a person would have to find the field below ops > NAME > config.
    @dg.config_mapping(config_schema=FIELDS)
    def flat(fields: Mapping[str, str]) -> dict[str, object]:
        return {"ops": {op_name: {"config": fields}}}

    job = dg.define_asset_job(
        names.verify,
        selection=dg.AssetSelection.assets(names.asset(RESTORE_VERIFICATION)),
        config=flat,
        executor_def=dg.in_process_executor,
        tags=names.tags,
        description=(
            f"Restores a backup of `{names.environment}` into a throw-away server and compares it "
            "with its manifest: the newest one, or the one named in `backup_id`. The database "
            "itself is not touched."
        ),
    )
    return dg.Definitions(jobs=[job])
