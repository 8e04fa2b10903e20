"""How Dagster's run queue drains a fleet's nights: simulated, without a clock and without chance.

``python -m benchmarks.fleet`` prints the table of docs/explanation/fleet.md. What it assumes of the
queue is what Dagster's daemon does: of those that wait, the greatest priority first, and of equal
ones the one that came first; one whose server has its share of runs already is passed over; and no
more than so many at once. What is left out: the seconds that the daemon needs to launch one.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.environments import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DAY: Final = 24 * 60
_HEAD: Final = (
    "| `nightly_spread_minutes` | `max_concurrent_runs` | At once | Of one server | Longest wait "
    "| Last one ends |"
)
#: What the table shows: nightly_spread_minutes, and max_concurrent_runs beside it.
_SHOWN: Final = ((0, 5), (0, 25), (0, 50), (240, 25), (240, 50), (480, 25))


@dataclass(frozen=True)
class Night:
    """One database's nightly run; times in minutes."""

    name: str
    server: str
    due: int
    lasts: int
    priority: int = -1


@dataclass(frozen=True)
class Begun:
    """A night that has got its place."""

    night: Night
    begin: int

    @property
    def end(self) -> int:
        """When its place is free again."""
        return self.begin + self.night.lasts

    @property
    def waited(self) -> int:
        """How long it was queued."""
        return self.begin - self.night.due


def drain(nights: Iterable[Night], *, most: int, most_of_server: int) -> list[Begun]:
    """When each night begins, in the order in which they do.

    Args:
        nights: in the order in which they are launched where they are due at the same minute.
        most: Dagster's `max_concurrent_runs`.
        most_of_server: the limit of the tag `bounty_ops/server`, for each of its values.
    """
    coming = sorted(nights, key=lambda night: night.due)
    waiting: list[Night] = []
    running: list[tuple[int, int]] = []  # end, and place in `begun`
    of_server: Counter[str] = Counter()
    begun: list[Begun] = []
    while coming or waiting or running:
        now = min([night.due for night in coming[:1]] + [end for end, _ in running[:1]])
        while running and running[0][0] <= now:
            of_server[begun[heapq.heappop(running)[1]].night.server] -= 1
        while coming and coming[0].due <= now:
            waiting.append(coming.pop(0))
        for night in _chosen(waiting, of_server, most - len(running), most_of_server):
            waiting.remove(night)
            of_server[night.server] += 1
            heapq.heappush(running, (now + night.lasts, len(begun)))
            begun.append(Begun(night, now))
    return begun


def _chosen(
    waiting: Sequence[Night], of_server: Counter[str], free: int, most_of_server: int
) -> list[Night]:
    """Whom the daemon would launch now."""
    taken = Counter(of_server)
    chosen: list[Night] = []
    for night in sorted(waiting, key=lambda night: -night.priority):
        if len(chosen) >= free:
            break
        if taken[night.server] < most_of_server:
            taken[night.server] += 1
            chosen.append(night)
    return chosen


def fleet(databases: int, servers: int, spread: int) -> list[Night]:
    """A fleet whose nights are due as the policy says; how long each lasts follows from its name.

    A night lasts 2 to 20 minutes, and most of them less than 5: there are few large databases.
    """
    policy = Policy.of("database", {"nightly_cron": "0 1 * * *", "nightly_spread_minutes": spread})
    nights = []
    for number in range(databases):
        name = f"customer_{number}"
        minute, hour = policy.nightly_of(name).split()[:2]
        share = hashlib.sha256(f"how long {name}".encode()).digest()[0] / 256
        night = Night(
            name,
            server=f"server_{number % servers}",
            due=int(hour) * 60 + int(minute),
            lasts=2 + int(19 * share**3),
        )
        nights.append(night)
    return nights


def most_at_once(begun: Sequence[Begun]) -> int:
    """How many ran at the same time at most."""
    steps = sorted([(each.begin, 1) for each in begun] + [(each.end, -1) for each in begun])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def table(databases: int = 1_000, servers: int = 50, most_of_server: int = 2) -> str:
    """The table of docs/explanation/fleet.md."""
    lines = [_HEAD, "| ---: | ---: | ---: | ---: | ---: | ---: |"]
    for spread, most in _SHOWN:
        begun = drain(fleet(databases, servers, spread), most=most, most_of_server=most_of_server)
        of_servers = [
            most_at_once([each for each in begun if each.night.server == server])
            for server in {each.night.server for each in begun}
        ]
        lines.append(
            f"| {spread} | {most} | {most_at_once(begun)} | {max(of_servers)} "
            f"| {max(each.waited for each in begun)} min "
            f"| {_clock(max(each.end for each in begun))} |"
        )
    return "\n".join(lines)


def _clock(minutes: int) -> str:
    day, time = divmod(minutes, _DAY)
    return f"{time // 60:02}:{time % 60:02}" + (" the next day" if day else "")


if __name__ == "__main__":
    print(table())  # noqa: T201 - what it is for
