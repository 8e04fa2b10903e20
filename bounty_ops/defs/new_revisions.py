"""The sensor `new_revisions`: notices migrations that a deployment brought, and shows them.

It looks at the migration files, which costs no connection, and asks the database only when the
newest revision is not the one it saw last. It never launches anything: whether a migration is
carried out is for a person to decide, over the plan.
"""

import json
from typing import Final

import dagster as dg

from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import SCHEMA_REVISION, Names
from bounty_ops.defs.schema_revision import position, revision_metadata
from bounty_ops.defs.workplace import opened
from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating import CurrentRevision, current_revision
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.revisions import revisions_of

EVERY_SECONDS: Final = 300


def new_revisions_sensor(names: Names) -> dg.SensorDefinition:
    """The sensor; its cursor is the newest revision, and its hash, that it has told of."""

    @dg.sensor(
        name=names.new_revisions,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags=names.tags,
        description=(
            "Notices new migrations in the code and shows them as pending, as an observation of "
            f"`{names.environment}/{SCHEMA_REVISION}` and in its tick history. It applies nothing."
        ),
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        secrets = Secrets()
        with told(secrets):
            return _look(context, names, secrets)

    return look


def _look(
    context: dg.SensorEvaluationContext, names: Names, secrets: Secrets
) -> dg.SensorResult | dg.SkipReason:
    try:
        newest = revisions_of(BOUNTY).order[-1]
        seen = json.dumps([newest.id, newest.sha256])
        if context.cursor == seen:
            return dg.SkipReason(f"{newest.id} is the newest revision still")
        with opened(names.environment, secrets, ops=False, bucket=False) as place:
            current = current_revision(place.environment)
    except BountyOpsError as error:
        # The cursor stays, so that the next look tells of it once the database can be asked.
        return dg.SkipReason(secrets.hide(f"{error}. {error.hint}"))
    message = noticed(names, current)
    observation = dg.AssetObservation(
        names.asset(SCHEMA_REVISION), description=message, metadata=revision_metadata(current)
    )
    return dg.SensorResult(
        asset_events=[observation], cursor=seen, skip_reason=dg.SkipReason(message)
    )


def noticed(names: Names, current: CurrentRevision) -> str:
    """What a person is told of the newest revision."""
    if not current.pending:
        return f"{current.head} is the newest revision; {position(current)}"
    return (
        f"{', '.join(current.pending)} pending: the database is at {current.revision or 'none'}. "
        f"Launch {names.migrate} as it stands to see the plan and its gates."
    )
