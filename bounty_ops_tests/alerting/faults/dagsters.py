"""What should run by itself does not: jobs, schedules and sensors, as Dagster's storage has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster_shared.error import SerializableErrorInfo

from bounty_ops.alerting import Rule
from bounty_ops.definitions import build_definitions
from bounty_ops.defs.names import Names
from bounty_ops.environments import load_settings
from bounty_ops_tests.alerting.faults.place import MINUTE, Place
from bounty_ops_tests.alerting.faults.releases import run_job
from bounty_ops_tests.alerting.faults.table import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Generator

FAULTS: Final[list[Fault]] = []


@fault(
    FAULTS,
    Rule.RUN_FAILED,
    "a job runs while nobody listens at the database's address",
    "_migrate failed",
    "127.0.0.1:9",
    "launch the job again",
)
def a_job_that_fails(place: Place) -> Generator[None, None, None]:
    job, here = Names(place.name).migrate, place.url
    yield
    place.url = replace(here, host="127.0.0.1", port=9)
    place.write()
    assert not run_job(place, job).success
    place.url = here
    place.write()
    yield
    assert run_job(place, job).success


@fault(
    FAULTS,
    Rule.AUTOMATION_DEAD,
    "a sensor's last three ticks failed",
    "_measure failed 3 times in a row",
    "The last error: boom",
)
def a_sensor_that_fails(place: Place) -> Generator[None, None, None]:
    state = _ticks(place, TickStatus.SKIPPED)
    yield
    for _ in range(3):
        _tick(place, state, TickStatus.FAILURE)
    place.each_time = lambda: _seen(place, state)
    yield
    _tick(place, state, TickStatus.SKIPPED)


@fault(
    FAULTS,
    Rule.AUTOMATION_DEAD,
    "a sensor does not tick any more",
    "_measure has not ticked for",
    "the daemon is not running",
)
def a_sensor_that_stopped(place: Place) -> Generator[None, None, None]:
    state = _ticks(place, TickStatus.SKIPPED)
    yield
    place.passes(5 * MINUTE)
    yield
    place.each_time = lambda: _tick(place, state, TickStatus.SKIPPED)


def _ticks(place: Place, status: TickStatus) -> InstigatorState:
    """The environment's sensor is on, and ticked just now."""
    place.repository = build_definitions(load_settings(place.home)).get_repository_def()
    target = LoadableTargetOrigin(module_name="bounty_ops.definitions")
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(
            ManagedGrpcPythonEnvCodeLocationOrigin(target, location_name=place.name), "bounty"
        ),
        Names(place.name).measure,
    )
    state = InstigatorState(
        origin,
        InstigatorType.SENSOR,
        InstigatorStatus.RUNNING,
        SensorInstigatorData(last_sensor_start_timestamp=place.now.timestamp()),
    )
    place.instance.add_instigator_state(state)
    _tick(place, state, status)
    return state


def _seen(place: Place, state: InstigatorState) -> None:
    """The daemon notes when it ticked last."""
    at = place.now.timestamp()
    place.instance.update_instigator_state(
        state.with_data(
            SensorInstigatorData(
                last_tick_timestamp=at,
                last_sensor_start_timestamp=place.began.timestamp(),
            )
        )
    )


def _tick(place: Place, state: InstigatorState, status: TickStatus) -> None:
    failed = status is TickStatus.FAILURE
    place.passes(MINUTE / 60)
    at = place.now.timestamp()
    place.instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=state.instigator_name,
            instigator_type=InstigatorType.SENSOR,
            status=status,
            timestamp=at,
            end_timestamp=at,
            selector_id=state.selector_id,
            error=SerializableErrorInfo("boom", [], "Boom") if failed else None,
        )
    )
    _seen(place, state)
