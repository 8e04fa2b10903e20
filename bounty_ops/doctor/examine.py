"""All checks, in the order in which an operator would look."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from bounty_ops.doctor.alerts import alert_path
from bounty_ops.doctor.dagster import examine_dagster
from bounty_ops.doctor.database import examine_environment, examine_operations
from bounty_ops.doctor.keys import encryption_key
from bounty_ops.doctor.machine import disk_space, local_servers, state_directory
from bounty_ops.doctor.result import CheckResult, State, failed, guarded, ok
from bounty_ops.doctor.store import examine_bucket
from bounty_ops.doctor.switches import examine_switches
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bounty_ops.environments import Environment, Settings


def examine(
    settings: Settings,
    *,
    only: str | None = None,
    learn: Callable[[Settings], None] = lambda _: None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> list[CheckResult]:
    """Run every check; a failed one never keeps the others from being run.

    Args:
        settings: what this deployment is told.
        only: the environment to examine; all of them by default.
        learn: hears the settings with embedded servers in them, whose secrets are new.
        variables: this process's, for what Dagster's own say.
    """
    return [*_before_servers(settings), *_with_servers(settings, only, learn, variables)]


def _before_servers(settings: Settings) -> Iterator[CheckResult]:
    yield from _settings(settings)
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


def _with_servers(
    settings: Settings,
    only: str | None,
    learn: Callable[[Settings], None],
    variables: Mapping[str, str],
) -> Iterator[CheckResult]:
    try:
        with stand_in(settings) as complete:
            learn(complete)
            yield from _reach(complete, only)
            yield from examine_dagster(settings, variables)
    except BountyOpsError as error:
        yield failed("stand-in", "local servers", error)
        # What is set explicitly can be examined all the same; what is not cannot be known.
        yield from _reach(settings, only)
        yield from examine_dagster(settings, variables)


def _reach(settings: Settings, only: str | None) -> Iterator[CheckResult]:
    for name, environment in settings.environments.items():
        if only in {None, name}:
            yield from examine_environment(environment, settings)
            yield _key(environment, settings)
            yield _alerts(environment, settings)
    yield from examine_bucket(settings)
    yield from examine_operations(settings)


def _key(environment: Environment, settings: Settings) -> CheckResult:
    name = environment.name
    return guarded("encryption key", name, lambda: encryption_key(environment, settings))


def _alerts(environment: Environment, settings: Settings) -> CheckResult:
    """Of the alert path; without an operations database nobody knows what channels took."""
    try:
        return alert_path(environment, settings.require_ops_url())
    except BountyOpsError as error:
        return CheckResult("alert path", environment.name, State.UNKNOWN, str(error), error.hint)


__all__ = ["CheckResult", "State", "examine"]
