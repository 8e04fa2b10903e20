"""All checks, in the order in which an operator would look."""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.alerts import alert_path
from bounty_ops.doctor.dagster import examine_dagster
from bounty_ops.doctor.database import OPERATIONS, examine_environment, examine_operations
from bounty_ops.doctor.keys import encryption_key
from bounty_ops.doctor.machine import disk_space, local_servers, state_directory
from bounty_ops.doctor.names import CHECKS
from bounty_ops.doctor.privacy import private_files
from bounty_ops.doctor.result import CheckResult, State, failed, guarded, ok
from bounty_ops.doctor.side_by_side import Examination, side_by_side
from bounty_ops.doctor.store import buckets
from bounty_ops.doctor.switches import examine_switches
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bounty_ops.environments import Environment, Settings


#: From when on nobody waits for an answer any more. A database has 5 s to let somebody in and 10 s
#: for a statement; a bucket that answers takes about a second.
ANSWER_SECONDS: Final = 30.0
_OF_THEIR_OWN: Final = frozenset({"encryption key", "alert path", "dead-man's switch"})


def examine(
    settings: Settings,
    *,
    only: str | None = None,
    learn: Callable[[Settings], None] = lambda _: None,
    variables: Mapping[str, str] = MappingProxyType({}),
    within_seconds: float = ANSWER_SECONDS,
) -> Iterator[CheckResult]:
    """Run every check, and tell each answer as soon as it is known and those before it are.

    A failed check never keeps the others from being run, and one that is never answered holds
    nobody up for longer than that.

    Args:
        settings: what this deployment is told.
        only: the environment to examine; all of them by default.
        learn: hears the settings with embedded servers in them, whose secrets are new.
        variables: this process's, for what Dagster's own say.
        within_seconds: how long is waited for whoever does not answer.
    """
    yield from _before_servers(settings)
    try:
        with stand_in(settings) as complete:
            learn(complete)
            examinations = [*_reach(complete, only), _dagster(settings, variables)]
            yield from side_by_side(examinations, within_seconds=within_seconds)
    except BountyOpsError as error:
        yield failed("stand-in", "local servers", error)
        # What is set explicitly can be examined all the same; what is not cannot be known.
        examinations = [*_reach(settings, only), _dagster(settings, variables)]
        yield from side_by_side(examinations, within_seconds=within_seconds)


def _before_servers(settings: Settings) -> Iterator[CheckResult]:
    yield from _settings(settings)
    yield private_files(settings)
    yield from examine_switches(settings)
    yield state_directory(settings)
    yield disk_space(settings)
    yield local_servers(settings)


def _settings(settings: Settings) -> Iterator[CheckResult]:
    for problem in settings.problems:
        yield failed("settings", "project", problem)
    if not settings.problems:
        names = ", ".join(settings.environments) or "none"
        yield ok("settings", "project", f"can be read; environments: {names}")


def _reach(settings: Settings, only: str | None) -> Iterator[Examination]:
    for name, environment in settings.environments.items():
        if only in {None, name}:
            yield Examination(
                name,
                tuple(each for each in CHECKS["an environment"] if each not in _OF_THEIR_OWN),
                partial(examine_environment, environment, settings),
                decisive="reachable",
            )
            yield Examination(name, ("encryption key",), partial(_key, environment, settings))
            yield Examination(name, ("alert path",), partial(_alerts, environment, settings))
    for subject, answers in buckets(settings).items():
        yield Examination(subject, tuple(CHECKS["a bucket"]), answers, decisive="reachable")
    yield Examination(
        OPERATIONS,
        tuple(CHECKS[OPERATIONS]),
        partial(examine_operations, settings),
        decisive="reachable",
    )


def _dagster(settings: Settings, variables: Mapping[str, str]) -> Examination:
    return Examination(
        "Dagster",
        tuple(CHECKS["Dagster"]),
        partial(examine_dagster, settings, variables),
        decisive="storage",
    )


def _key(environment: Environment, settings: Settings) -> Iterator[CheckResult]:
    name = environment.name
    yield guarded("encryption key", name, lambda: encryption_key(environment, settings))


def _alerts(environment: Environment, settings: Settings) -> Iterator[CheckResult]:
    """Of the alert path; without an operations database nobody knows what channels took."""
    try:
        yield alert_path(environment, settings.require_ops_url())
    except BountyOpsError as error:
        yield CheckResult("alert path", environment.name, State.UNKNOWN, str(error), error.hint)


__all__ = ["CheckResult", "State", "examine"]
