"""What the watcher reads in Dagster's own storage: how jobs, schedules and sensors are doing.

A few small queries and no run. What Dagster keeps of a failure may hold anything, so it passes
through the secrets that are known before it goes into a message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorTick,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickStatus,
)

from bounty_ops.alerting.facts import Automation, DagsterFacts, Drift, LatestRun
from bounty_ops.defs.failures import Secrets
from bounty_ops.defs.names import ENVIRONMENT_TAG, SCHEMA_REVISION, Names
from bounty_ops.defs.schema_checks import DIFFERENCE_LINES, NO_DRIFT
from bounty_ops.environments.cron import CronTimes

#: Runs that are older are no news, and asking for them would read ever more.
_RUNS_SINCE: Final = timedelta(days=8)
_MOST_RUNS: Final = 200
#: Enough to see whether it fails again and again.
_TICKS: Final = 10
_LONGEST_REASON: Final = 300
#: To find the longest time between two ticks in; every month has its first within it.
_CRON_DAYS: Final = 63


@dataclass(frozen=True)
class DagsterEyes:
    """Reading one environment's facts from the instance that the sensor runs on."""

    instance: dg.DagsterInstance
    """Several threads may ask it at once; a context would open it for each of them."""
    repository: dg.RepositoryDefinition | None
    names: Names
    secrets: Secrets

    def facts(self, now: datetime) -> DagsterFacts:
        """The latest run of each job, and every schedule and sensor that is on but our own."""
        return DagsterFacts(tuple(self._runs(now)), tuple(self._automations()))

    def drift(self) -> Drift | None:
        """What the last comparison of the schema found; None: there was none that could look."""
        key = dg.AssetCheckKey(self.names.asset(SCHEMA_REVISION), NO_DRIFT)
        storage = self.instance.event_log_storage
        record = storage.get_latest_asset_check_execution_by_key([key]).get(key)
        event = None if record is None else record.event
        if event is None or event.dagster_event is None:
            return None
        if event.dagster_event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            return None
        lines = event.dagster_event.asset_check_evaluation_data.metadata.get(DIFFERENCE_LINES)
        if lines is None or not isinstance(lines.value, list):
            return None
        return Drift(_moment(event.timestamp), tuple(str(line) for line in lines.value))

    def _runs(self, now: datetime) -> Iterator[LatestRun]:
        records = self.instance.get_run_records(
            dg.RunsFilter(
                tags={ENVIRONMENT_TAG: self.names.environment},
                # One that a person cancelled says nothing about the job.
                statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
                updated_after=now - _RUNS_SINCE,
            ),
            limit=_MOST_RUNS,
        )
        seen: set[str] = set()
        for record in records:
            run = record.dagster_run
            if run.job_name in seen:
                continue
            seen.add(run.job_name)
            failed = run.status is dg.DagsterRunStatus.FAILURE
            yield LatestRun(
                job=run.job_name,
                run_id=run.run_id,
                failed=failed,
                ended_at=_moment(record.end_time or record.update_timestamp.timestamp()),
                reason=self._reason(run.run_id) if failed else "",
            )

    def _reason(self, run_id: str) -> str:
        """What the first step that failed said."""
        page = self.instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.STEP_FAILURE, limit=1
        )
        for record in page.records:
            event = record.event_log_entry.dagster_event
            if event is None:
                continue
            data = event.step_failure_data
            told = data.user_failure_data.description if data.user_failure_data else None
            return self._brief(told or (data.error.message if data.error else ""))
        return ""

    def _automations(self) -> Iterator[Automation]:
        if self.repository is None:
            return
        states = self._states()
        for sensor in self.repository.sensor_defs:
            if sensor.name == self.names.watch or not self._is_ours(sensor.tags):
                continue
            every = float(sensor.minimum_interval_seconds or dg.DEFAULT_SENSOR_DAEMON_INTERVAL)
            yield from self._automation(sensor.name, InstigatorType.SENSOR, every, states)
        for schedule in self.repository.schedule_defs:
            if self._is_ours(schedule.tags):
                cron = schedule.cron_schedule
                every_or_none = longest_pause(cron) if isinstance(cron, str) else None
                yield from self._automation(
                    schedule.name, InstigatorType.SCHEDULE, every_or_none, states
                )

    def _is_ours(self, tags: object) -> bool:
        return isinstance(tags, dict) and tags.get(ENVIRONMENT_TAG) == self.names.environment

    def _states(self) -> dict[tuple[InstigatorType, str], InstigatorState]:
        """By name; a code location that was renamed leaves others behind, which tick no more."""
        found: dict[tuple[InstigatorType, str], InstigatorState] = {}
        for state in self.instance.all_instigator_state():
            key = (state.instigator_type, state.instigator_name)
            if key not in found or _last_seen(state) > _last_seen(found[key]):
                found[key] = state
        return found

    def _automation(
        self,
        name: str,
        kind: InstigatorType,
        every: float | None,
        states: dict[tuple[InstigatorType, str], InstigatorState],
    ) -> Iterator[Automation]:
        """The schedule or sensor, unless a person switched it off, or it was never on."""
        state = states.get((kind, name))
        if state is None or state.status is InstigatorStatus.STOPPED:
            return
        ticks = [] if _is_well(state) else self._ticks(state)
        failures = _failures(ticks)
        seen = max([_last_seen(state), *(tick.timestamp for tick in ticks[:1])])
        data = state.instigator_data
        started = (
            data.start_timestamp
            if isinstance(data, ScheduleInstigatorData)
            else data.last_sensor_start_timestamp
            if isinstance(data, SensorInstigatorData)
            else None
        )
        error = ticks[0].error if failures else None
        yield Automation(
            name=name,
            kind="sensor" if kind is InstigatorType.SENSOR else "schedule",
            interval_seconds=every,
            last_tick_at=_moment(seen) if seen else None,
            running_since=_moment(started) if started else None,
            failures_in_a_row=failures,
            error=self._brief(error.message) if error is not None else "",
        )

    def _ticks(self, state: InstigatorState) -> list[InstigatorTick]:
        """Its latest that are over, the newest first."""
        ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=_TICKS)
        return [tick for tick in ticks if tick.status is not TickStatus.STARTED]

    def _brief(self, text: str) -> str:
        """The first line, without what must not be shown."""
        lines = self.secrets.hide(text).strip().splitlines()
        return lines[0][:_LONGEST_REASON] if lines else ""


def _is_well(state: InstigatorState) -> bool:
    """Whether its last tick succeeded, so that there is no need to read its ticks.

    Only sensors keep that; each question opens several connections to Dagster's storage.
    """
    data = state.instigator_data
    return isinstance(data, SensorInstigatorData) and bool(data.last_tick_success_timestamp)


def _failures(ticks: list[InstigatorTick]) -> int:
    """How many of the newest failed, one after the other."""
    for count, tick in enumerate(ticks):
        if tick.status is not TickStatus.FAILURE:
            return count
    return len(ticks)


def _last_seen(state: InstigatorState) -> float:
    data = state.instigator_data
    if isinstance(data, SensorInstigatorData):
        return data.last_tick_timestamp or 0.0
    if isinstance(data, ScheduleInstigatorData):
        return data.last_iteration_timestamp or 0.0
    return 0.0


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


@cache
def longest_pause(cron: str) -> float | None:
    """The longest time between two ticks, in seconds; None: it ticks too rarely to be missed."""
    times = CronTimes.parse(cron)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    ticks = [
        moment
        for day in range(_CRON_DAYS)
        for hour in sorted(times.hours)
        for minute in sorted(times.minutes)
        if times.at(moment := first + timedelta(days=day, hours=hour, minutes=minute))
    ]
    pauses = [after - before for before, after in pairwise(ticks)]
    return max(pauses).total_seconds() if pauses else None
