"""Whether each dead-man's switch can be fed, and by what it stands for alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.doctor.result import CheckResult, State, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import Settings

_NAME: Final = "dead-man's switch"


def examine_switches(settings: Settings) -> Iterator[CheckResult]:
    """The switches that policies name; an environment without one is passed over.

    None is called here: that would tell it that a backup was proved, or that the watcher lives.
    """
    switches = list(_switches(settings))
    for switch in switches:
        sharing = sorted(
            {
                other.told_to(switch)
                for other in switches
                if other is not switch and other.url is not None and other.url == switch.url
            }
        )
        if switch.url is None:
            yield CheckResult(
                _NAME,
                switch.environment,
                State.WARNING,
                f"{switch.variable}, which its policy names, is not set: nobody notices "
                f"{switch.missed}",
                f"Write {switch.variable}=https://... into .env.{switch.environment}.",
            )
        elif sharing:
            yield CheckResult(
                _NAME,
                switch.environment,
                State.WARNING,
                f"{switch.variable} shares its URL with {', '.join(sharing)}: either keeps it "
                "quiet",
                f"Write another {switch.variable}=https://... into .env.{switch.environment}.",
            )
        else:
            yield ok(_NAME, switch.environment, f"{switch.variable} is set")


@dataclass(frozen=True)
class _Switch:
    environment: str
    variable: str
    url: str | None = field(repr=False)
    missed: str

    def told_to(self, other: _Switch) -> str:
        """Its name as the other one's."""
        if self.environment == other.environment:
            return self.variable
        if self.variable == other.variable:
            return self.environment
        return f"{self.variable} of {self.environment}"


def _switches(settings: Settings) -> Iterator[_Switch]:
    for name, each in settings.environments.items():
        if each.policy.ping is not None:
            yield _Switch(name, each.policy.ping, each.ping_url, "a missing night")
        if each.policy.watch_ping is not None:
            variable = each.policy.watch_ping
            yield _Switch(name, variable, each.watch_ping_url, "a watcher that is gone")
