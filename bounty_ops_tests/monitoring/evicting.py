"""How pg_stat_statements makes room, without a server: entries, usage, decays, and what is lost.

As in pg_stat_statements.c of versions 14 to 18. The point of it is loads that no real server could
be given within a second; the real ones are in `test_known_truth`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bounty_ops.monitoring.going_on import Counted
from bounty_ops.monitoring.looks import Key, Look

if TYPE_CHECKING:
    import random

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD = NOON - timedelta(days=7)
FIVE = timedelta(minutes=5)


class _Entry:
    def __init__(self, usage: float, since: int) -> None:
        self.usage = usage
        self.since = since
        self.calls = 0
        self.plans = 0
        self.times: list[float] = []

    @property
    def is_sticky(self) -> bool:
        """Whether it was prepared and has never been executed: nobody sees it."""
        return not self.calls + self.plans


class Statistics:
    """All entries of a server with one database."""

    def __init__(self, room: int, chance: random.Random, *, tells_since: bool) -> None:
        self.room = room
        self.chance = chance
        self.tells_since = tells_since
        self.entries: dict[int, _Entry] = {}
        self.evictions = 0
        self.moment = 0
        self.usual = 10.0
        self.looks = 0

    def prepare(self, number: int) -> None:
        """Parse a statement with literals: its entry is made before it is executed."""
        if number not in self.entries:
            self._make(number, self.usual)

    def run(self, number: int, times: int = 1, *, planned: bool = False) -> None:
        """Execute a statement."""
        for _ in range(times):
            self.moment += 1
            entry = self.entries.get(number) or self._make(number, 1.0)
            if planned:
                self._store(entry)
                entry.plans += 1
            self._store(entry)
            entry.calls += 1
            entry.times.append(self.chance.expovariate(1.0))

    def reset(self, number: int) -> None:
        """Throw one entry away."""
        self.entries.pop(number, None)

    def look(self) -> Look:
        """What a collection sees."""
        self.looks += 1
        seen = {number: entry for number, entry in self.entries.items() if not entry.is_sticky}
        return Look(
            at=NOON + self.looks * FIVE,
            entries={
                Key(10, number, toplevel=True): self._counted(entry)
                for number, entry in seen.items()
                if entry.calls
            },
            reset_at=OLD,
            evictions=self.evictions,
            evictions_after=self.evictions,
            room=self.room,
            all_entries=len(seen),
            uses=tuple(sorted(entry.calls + entry.plans for entry in seen.values())),
        )

    def _counted(self, entry: _Entry) -> Counted:
        return Counted(
            calls=entry.calls,
            seconds=sum(entry.times),
            rows=entry.calls,
            shortest=min(entry.times),
            longest=max(entry.times),
            squares=None if self.tells_since else sum(each * each for each in entry.times),
            since=OLD + timedelta(seconds=entry.since) if self.tells_since else None,
        )

    @staticmethod
    def _store(entry: _Entry) -> None:
        if entry.is_sticky:
            entry.usage = 1.0
        entry.usage += 1.0

    def _make(self, number: int, usage: float) -> _Entry:
        while len(self.entries) >= self.room:
            self._evict()
        self.moment += 1
        self.entries[number] = _Entry(usage, self.moment)
        return self.entries[number]

    def _evict(self) -> None:
        for entry in self.entries.values():
            entry.usage *= 0.5 if entry.is_sticky else 0.99
        by_usage = sorted(self.entries, key=lambda number: self.entries[number].usage)
        self.usual = self.entries[by_usage[len(by_usage) // 2]].usage
        for number in by_usage[: max(10, len(by_usage) * 5 // 100)]:
            del self.entries[number]
        self.evictions += 1
