"""Everything that Dagster shows of one environment."""

import re
from functools import partial

import dagster as dg

from bounty_ops.defs.backup_catalogue import backup_catalogue_asset
from bounty_ops.defs.backup_checks import recoverable_key_check, size_check
from bounty_ops.defs.backup_copies import backup_copies_asset
from bounty_ops.defs.collection import collection_assets
from bounty_ops.defs.database_backup import database_backup_asset, fresh_check
from bounty_ops.defs.kept_backups import kept_backups_asset
from bounty_ops.defs.measuring import measure_sensor
from bounty_ops.defs.migration import migrate_job
from bounty_ops.defs.names import Names
from bounty_ops.defs.new_revisions import new_revisions_sensor
from bounty_ops.defs.protection import described
from bounty_ops.defs.pruning import prune_job
from bounty_ops.defs.rehearsal import rehearse_job
from bounty_ops.defs.restore_verification import restore_verification_asset
from bounty_ops.defs.restoring import refresh_job, restore_job
from bounty_ops.defs.schedules import collection, nightly, schema_checks
from bounty_ops.defs.schema_revision import schema_revision_asset
from bounty_ops.defs.verify_job import verify_job
from bounty_ops.defs.watch import watch_sensor
from bounty_ops.environments import Environment
from bounty_ops.errors import ConfigurationError


def fit_for_dagster(environment: Environment) -> bool:
    """Whether Dagster accepts its name; `doctor` tells about the others."""
    return re.fullmatch(r"[a-z][a-z0-9_]{0,30}", environment.name) is not None


def environment_definitions(environment: Environment) -> dg.Definitions:
    """The definitions of one environment, unconfigured ones included.

    An unconfigured environment is built like any other: it has to be seen, its runs fail with
    the hint, and its ticks skip with it.
    """
    policy = environment.policy
    names = Names(environment.name, policy.protected)
    assets = [
        schema_revision_asset(names),
        database_backup_asset(names),
        restore_verification_asset(names),
        backup_catalogue_asset(names),
        backup_copies_asset(names),
        kept_backups_asset(names),
        collection_assets(names),
    ]
    explained = partial(_explained, environment, names)
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[each.map_asset_specs(explained) for each in assets],
            asset_checks=[fresh_check(names), size_check(names), recoverable_key_check(names)],
            jobs=[
                migrate_job(names),
                rehearse_job(names),
                restore_job(names),
                refresh_job(names),
                prune_job(names),
            ],
            sensors=[measure_sensor(names), watch_sensor(names), new_revisions_sensor(names)],
        ),
        verify_job(names),
        nightly(names, policy, environment.url),
        collection(names, policy),
        schema_checks(names, policy),
    )


def _explained(environment: Environment, names: Names, spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset, which says that it is protected, and why it cannot work if it cannot."""
    spec = spec.replace_attributes(description=described(names, spec.description or ""))
    if environment.configured or environment.can_be_embedded:
        return spec
    try:
        environment.require_url()
    except ConfigurationError as problem:
        told = f"**Unconfigured when this was loaded:** {problem}. {problem.hint}"
        return spec.replace_attributes(description=f"{told}\n\n{spec.description}")
    return spec
