"""The sensor `watch`: looks at one environment every minute and tells its channels what changed.

It launches no run: a run costs a process and some thirty rows, and most looks find nothing. A
server that does not answer is what it is there to find out, so it never fails for that.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.alerting import Keeping, WatchResult, look_at_keeping, watch
from bounty_ops.alerting.migration_rules import TOLD_FOR
from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import Names
from bounty_ops.defs.workplace import Workplace, opened
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupSummary, MigrationEvidence
from bounty_ops.monitoring import CollectionResult, Connections, collect

EVERY_SECONDS: Final = 60

Backups = Sequence[BackupSummary] | BountyOpsError


def watch_sensor(names: Names) -> dg.SensorDefinition:
    """The sensor; what it found stands in its tick history."""

    @dg.sensor(
        name=names.watch,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags=names.tags,
        description=(
            "Evaluates the alert rules from the backups in the bucket and a count of the "
            "connections, opens and resolves incidents, and delivers what is due."
        ),
    )
    def look() -> dg.SkipReason:
        secrets = Secrets()
        with told(secrets):
            return dg.SkipReason(secrets.hide(_look(names.environment, secrets)))

    return look


def _look(name: str, secrets: Secrets) -> str:
    try:
        with opened(name, secrets, configured=False) as place:
            problem = _problem(place)
            backups = _backups(place)
            if problem is not None and not backups:
                # It never worked, so nothing was lost yet; the one who sets it up sees this.
                return f"{problem}. {problem.hint}"
            collection = problem or _connections(place)
            now = datetime.now(UTC)
            backups, keeping = _keeping(place, backups, now)
            migrations = _migrations(place, now)
            with place.operations() as engine:
                return told_by(
                    watch(
                        place.environment,
                        backups,
                        collection,
                        engine,
                        now=now,
                        keeping=keeping,
                        migrations=migrations,
                    )
                )
    except BountyOpsError as error:
        return f"the rules could not be evaluated: {error}. {error.hint}"


def _problem(place: Workplace) -> BountyOpsError | None:
    """Why the environment cannot be used; if it ever could, its backups go on being watched."""
    try:
        place.environment.require_url()
    except BountyOpsError as error:
        return error
    return None


def _backups(place: Workplace) -> Backups:
    try:
        return place.journal().summaries(place.environment.name)
    except BountyOpsError as error:
        return error


def _keeping(place: Workplace, backups: Backups, now: datetime) -> tuple[Backups, Keeping]:
    """What protects the backups; and these, or why the bucket could not be asked after all."""
    if isinstance(backups, BountyOpsError):
        return backups, Keeping()
    environment, settings, journal = place.environment, place.settings, place.journal()
    try:
        return backups, look_at_keeping(environment, settings, journal, backups, now=now)
    except BountyOpsError as error:
        return error, Keeping()


def _migrations(place: Workplace, now: datetime) -> Sequence[MigrationEvidence] | BountyOpsError:
    """Those that may still have to be told; a migration may run for hours before it is recorded."""
    try:
        return place.journal().migrations(place.environment.name, since=now - 2 * TOLD_FOR)
    except BountyOpsError as error:
        return error


def _connections(place: Workplace) -> CollectionResult | BountyOpsError:
    """A light collection: one statement or two, nothing stored."""
    try:
        return collect(place.environment, families=[Connections.family])
    except BountyOpsError as error:
        return error


def told_by(result: WatchResult) -> str:
    """What a look found, in one line for the tick history."""
    parts = ["; ".join(f"{each.severity.value}: {each.title}" for each in result.findings)]
    if not result.findings:
        parts = ["nothing wrong was found"]
    if result.undecided:
        undecided = ", ".join(sorted(rule.value for rule in result.undecided))
        parts.append(f"undecided: {undecided}")
    changes = {
        "opened": result.opened,
        "resolved": result.resolved,
        "delivered": result.delivered,
        "waiting": result.undelivered,
    }
    parts.append(", ".join(f"{count} {what}" for what, count in changes.items() if count))
    parts.extend(result.problems)
    return " | ".join(part for part in parts if part)
