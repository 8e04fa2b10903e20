"""All checks, in the order in which an operator would look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.doctor.database import examine_environment, examine_operations
from bounty_ops.doctor.machine import disk_space, local_servers, state_directory
from bounty_ops.doctor.result import CheckResult, State, failed, ok
from bounty_ops.doctor.store import examine_bucket
from bounty_ops.doctor.switches import examine_switches
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import Settings


def examine(
    settings: Settings,
    *,
    only: str | None = None,
    learn: Callable[[Settings], None] = lambda _: None,
) -> list[CheckResult]:
    """Run every check; a failed one never keeps the others from being run.

    Args:
        settings: what this deployment is told.
        only: the environment to examine; all of them by default.
        learn: hears the settings with embedded servers in them, whose secrets are new.
    """
    return [*_before_servers(settings), *_with_servers(settings, only, learn)]


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
    settings: Settings, only: str | None, learn: Callable[[Settings], None]
) -> Iterator[CheckResult]:
    try:
        with stand_in(settings) as complete:
            learn(complete)
            yield from _reach(complete, only)
    except BountyOpsError as error:
        yield failed("stand-in", "local servers", error)
        # What is set explicitly can be examined all the same; what is not cannot be known.
        yield from _reach(settings, only)


def _reach(settings: Settings, only: str | None) -> Iterator[CheckResult]:
    for name, environment in settings.environments.items():
        if only in {None, name}:
            yield from examine_environment(environment)
    yield from examine_bucket(settings)
    yield from examine_operations(settings)


__all__ = ["CheckResult", "State", "examine"]
