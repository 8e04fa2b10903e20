"""The sensor `watch`: looks at one environment every minute and tells its channels what changed.

It launches no run: a run costs a process and some thirty rows, and most looks find nothing. A
server that does not answer is what it is there to find out, so it never fails for that.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from bounty_ops.alerting import (
    Keeping,
    Pinged,
    Situation,
    WatchResult,
    judge,
    look_at_keeping,
    ping_after_look,
)
from bounty_ops.alerting.blindness import Blindness
from bounty_ops.alerting.channel_states import outbox_of, unheard_since
from bounty_ops.alerting.facts import Revision
from bounty_ops.alerting.gathering import (
    limits_in_sight,
    slower_statements,
    stored_collections,
)
from bounty_ops.alerting.migration_rules import TOLD_FOR
from bounty_ops.defs.failures import Secrets, told
from bounty_ops.defs.names import Names
from bounty_ops.defs.watch_facts import DagsterEyes
from bounty_ops.defs.workplace import Workplace, opened
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal.records import BackupSummary, MigrationEvidence
from bounty_ops.migrating import current_revision
from bounty_ops.monitoring import CollectionResult, collect
from bounty_ops.monitoring.collectors import FAMILIES

EVERY_SECONDS: Final = 60
#: Of this process, as long as the operations database is away; that is where all else is kept.
_BLINDNESS: Final = Blindness()

Backups = Sequence[BackupSummary] | BountyOpsError


def watch_sensor(names: Names) -> dg.SensorDefinition:
    """The sensor; what it found stands in its tick history."""

    @dg.sensor(
        name=names.watch,
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        tags=names.tags,
        description=(
            "Evaluates the alert rules from the backups in the bucket, stored samples, the vital "
            "signs of now, and Dagster's own runs and ticks; opens and resolves incidents, "
            "and delivers what is due."
        ),
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        secrets = Secrets()
        with told(secrets):
            found = look_once(context, names, secrets, now=datetime.now(UTC))
            return dg.SkipReason(secrets.hide(found))

    return look


def look_once(
    context: dg.SensorEvaluationContext, names: Names, secrets: Secrets, *, now: datetime
) -> str:
    """One look: gather, judge, tell; what it found, in one line that may hold secrets.

    Args:
        context: of the tick; the facts about runs and ticks are read from its instance.
        names: of the environment.
        secrets: learns those of the settings.
        now: timezone-aware; what was measured by this look counts as measured then.
    """
    try:
        with opened(names.environment, secrets, configured=False) as place:
            problem = _problem(place)
            if problem is not None and not _backups(place):
                # It never worked, so nothing was lost yet; the one who sets it up sees this.
                return f"{problem}. {problem.hint}"
            eyes = DagsterEyes(context.instance, context.repository_def, names, secrets)
            situation = _seen(eyes, place, problem, now)
            return _judged(place, situation)
    except BountyOpsError as error:
        return f"the rules could not be evaluated: {error}. {error.hint}"


def _seen(
    eyes: DagsterEyes,
    place: Workplace,
    problem: BountyOpsError | None,
    now: datetime,
) -> Situation:
    """All that can be seen without the operations database, its witnesses asked side by side."""
    environment = place.environment
    with ThreadPoolExecutor(3, "watch") as witnesses:
        bucket = witnesses.submit(_in_the_bucket, place, now)
        drift = witnesses.submit(eyes.drift)
        facts = witnesses.submit(eyes.facts, now)
        signs, revision = _in_the_database(place, problem, now)
        backups, keeping, migrations = bucket.result()
    return Situation(
        environment.name,
        environment.policy,
        backups,
        signs,
        now,
        keeping,
        migrations,
        revision=revision,
        drift=drift.result(),
        dagster=facts.result(),
        alerts=environment.alert_settings,
        alerts_problem=environment.alerts_problem,
    )


def _judged(place: Workplace, situation: Situation) -> str:
    """Ask the rules, tell people, and let the switch know that somebody did."""
    environment, now = place.environment, situation.now
    try:
        with place.operations() as engine:
            stored = stored_collections(engine, environment.name, now=now)
            result = judge(
                environment,
                replace(
                    situation,
                    stored=stored,
                    outlooks=limits_in_sight(
                        engine, environment.name, environment.policy, stored, now=now
                    ),
                    regressions=slower_statements(engine, environment.name, now=now),
                    outbox=outbox_of(engine, environment.name, environment.alert_urls, now=now),
                ),
                engine,
            )
            unheard = unheard_since(engine, environment.name, now=now)
    except BountyOpsError as error:
        answers = _BLINDNESS.away(environment, replace(situation, operations=error))
        return " | ".join((f"the rules could not be evaluated: {error}. {error.hint}", *answers))
    answers = _BLINDNESS.back(environment, now=now)
    pinged = ping_after_look(environment, unheard_since=unheard)
    return " | ".join((told_by(result), *answers, *_told_of(pinged)))


def _told_of(pinged: Pinged | None) -> tuple[str, ...]:
    return () if pinged is None or pinged.problem is None else (f"the switch was {pinged}",)


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


def _in_the_database(
    place: Workplace, problem: BountyOpsError | None, now: datetime
) -> tuple[CollectionResult | BountyOpsError | None, Revision | BountyOpsError | None]:
    """Its vital signs and its revision; nothing wakes a suspended one only to be looked at."""
    if problem is not None or not place.environment.policy.monitor_wakes:
        return problem, None
    return _vital_signs(place, now), _revision(place)


def _in_the_bucket(
    place: Workplace, now: datetime
) -> tuple[Backups, Keeping, Sequence[MigrationEvidence] | BountyOpsError]:
    return *_keeping(place, _backups(place), now), _migrations(place, now)


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
        # And the last one in any case: that it failed does not pass with time.
        since = now - 2 * TOLD_FOR
        return place.journal().migrations(place.environment.name, since=since, at_least=1)
    except BountyOpsError as error:
        return error


def _revision(place: Workplace) -> Revision | BountyOpsError:
    try:
        found = current_revision(place.environment)
    except BountyOpsError as error:
        return error
    return Revision(found.revision, found.head, tuple(found.pending))


def _vital_signs(place: Workplace, now: datetime) -> CollectionResult | BountyOpsError:
    """A light collection of what can go wrong from one minute to the next; nothing is stored."""
    vitals = [name for name, (kind, _) in FAMILIES.items() if kind.cadence == "vitals"]
    try:
        return replace(collect(place.environment, families=vitals), taken_at=now)
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
