"""Whether each environment's dead-man's switch can be fed, and by that environment alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.result import CheckResult, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import Settings

_NAME: Final = "dead-man's switch"


def examine_switches(settings: Settings) -> Iterator[CheckResult]:
    """The switches that policies name; an environment without one is passed over.

    None is called here: that would tell it that a backup was proved.
    """
    for name, environment in settings.environments.items():
        variable = environment.policy.ping
        if variable is None:
            continue
        shared = [
            other.name
            for other in settings.environments.values()
            if other.name != name and other.ping_url is not None
            if other.ping_url == environment.ping_url
        ]
        if environment.ping_url is None:
            yield CheckResult(
                _NAME,
                name,
                State.WARNING,
                f"{variable}, which its policy names, is not set: nobody notices a missing night",
                f"Write {variable}=https://... into .env.{name}.",
            )
        elif shared:
            yield CheckResult(
                _NAME,
                name,
                State.WARNING,
                f"it shares its URL with {', '.join(shared)}: the proofs of either keep it quiet",
                f"Write another {variable}=https://... into .env.{name}.",
            )
        else:
            yield ok(_NAME, name, f"{variable} is set")
