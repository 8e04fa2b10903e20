"""The sensor `measure`: takes samples, each family at its pace, without a run.

A run costs a process and some thirty rows in Dagster's own storage; a round of vital signs costs
the database a few milliseconds. What the UI plots comes from the hourly job of the assets.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

import dagster as dg

from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import Names
from bounty_ops.defs.readiness import why_not_measured
from bounty_ops.defs.workplace import Workplace, opened
from bounty_ops.errors import BountyOpsError
from bounty_ops.monitoring import Retention, maintain
from bounty_ops.monitoring.cadence import due, families_of
from bounty_ops.monitoring.result import Cadence
from bounty_ops.monitoring.rounds import measure_and_keep

EVERY_SECONDS: Final = 60
#: How often history is rolled up and what is too old is dropped.
_MAINTAINED_EVERY: Final = timedelta(hours=1)
#: In a tick: the next one goes on.
_MAINTENANCE_SECONDS: Final = 5
_MAINTAINED: Final = "maintained"
_CADENCES: Final[tuple[Cadence, ...]] = get_args(Cadence)


def measure_sensor(names: Names) -> dg.SensorDefinition:
    """The sensor; when each family was measured last stands in its cursor."""

    @dg.sensor(
        name=names.measure,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags=names.tags,
        description=(
            "Takes samples: what happens every minute, what is counted every 5, tables and "
            "indexes every 15. Stores them in the operations database, and launches no run."
        ),
    )
    def measure(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        secrets = Secrets()
        with told(secrets):
            problem = why_not_measured(names.environment)
            if problem is not None:
                return dg.SkipReason(problem)
            return dg.SkipReason(secrets.hide(_measure(context, names, secrets)))

    return measure


def _measure(context: dg.SensorEvaluationContext, names: Names, secrets: Secrets) -> str:
    now = datetime.now(UTC)
    moments = read_cursor(context.cursor)
    cadences = due({one: moments[one] for one in _CADENCES if one in moments}, now)
    if not cadences:
        return "nothing is due"
    # Before anything can fail: a server in trouble is not asked for everything every minute.
    moments |= dict.fromkeys(cadences, now)
    context.update_cursor(write_cursor(moments))
    try:
        with opened(names.environment, secrets) as place, place.operations() as engine:
            result, _ = measure_and_keep(engine, place.environment, families_of(cadences))
            _maintain(context, place, moments, now)
    except BountyOpsError as error:
        return f"not measured: {error}. {error.hint}"
    unknown = f", {len(result.unknown)} unknown" if result.unknown else ""
    return f"{', '.join(result.families) or 'nothing'} in {result.seconds:.2f} s{unknown}"


def _maintain(
    context: dg.SensorEvaluationContext,
    place: Workplace,
    moments: dict[str, datetime],
    now: datetime,
) -> None:
    last = moments.get(_MAINTAINED)
    if last is not None and timedelta() <= now - last < _MAINTAINED_EVERY:
        return
    retention = Retention.of(each.policy for each in place.settings.environments.values())
    with place.operations() as engine:
        maintain(engine, retention, now=now, budget_seconds=_MAINTENANCE_SECONDS)
    context.update_cursor(write_cursor({**moments, _MAINTAINED: now}))


def read_cursor(text: str | None) -> dict[str, datetime]:
    """Moments by name; whatever cannot be read counts as never."""
    try:
        found = json.loads(text or "{}")
        moments = {str(name): datetime.fromisoformat(str(at)) for name, at in found.items()}
    except (ValueError, AttributeError):
        return {}
    return {name: at for name, at in moments.items() if at.tzinfo is not None}


def write_cursor(moments: Mapping[str, datetime]) -> str:
    """The cursor that `read_cursor` reads."""
    return json.dumps({name: at.isoformat() for name, at in moments.items()})
