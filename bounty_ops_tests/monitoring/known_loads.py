"""Loads whose calls are known, run on real servers and looked at again and again."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bounty_ops.environments import Policy
from bounty_ops.monitoring.collectors.statements import collect_statements
from bounty_ops.monitoring.probe import Probe, open_probe
from bounty_ops_tests.monitoring.conftest import Session, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.monitoring.collectors.statement_facts import StatementInterval

CALLS = 400
#: So many intervals come before anybody resets anything.
QUIET = 4
OURS = "SELECT $1 AS known"
#: Since this version a session tells the server at once what it did, when it is asked to.
_FLUSHES = 150_000


class Told(NamedTuple):
    """What was said of one interval."""

    truth: int
    known: int
    said: StatementInterval

    @property
    def missing(self) -> int:
        """Calls that were made and are not told."""
        return self.truth - self.known

    @property
    def at_most(self) -> float | None:
        """How many calls are said to be missing at most; None where that is said to be unknown."""
        least = self.said.calls_coverage_least
        if least is None:
            return None
        return self.said.calls / least - self.said.calls if least else float("inf")


def shape(number: int) -> bytes:
    """One of many statements."""
    return b"SELECT 1 AS known" + b", 1" * number


@dataclass
class Watched:
    """A database with a load of known calls."""

    probe: Probe
    worker: Session
    memory: bytes | None = None
    truth: int = 0
    marks: int = 0
    told: tuple[Told, ...] = ()

    def run(self, number: int, times: int = 1) -> None:
        for _ in range(times):
            self.worker.execute(shape(number))
        self.truth += times

    def together(self, numbers: Sequence[int]) -> None:
        """In one transaction, where there are several."""
        with self.worker.transaction() if len(numbers) > 1 else nullcontext():
            for number in numbers:
                self.run(number)

    def look(self) -> Told:
        self._flush()
        probe = replace(self.probe, memory={} if self.memory is None else {"queries": self.memory})
        found = collect_statements(probe, "queries")
        self.memory = found.memory
        assert found.interval is not None
        ours = [each for each in found.listed if each.text.startswith(OURS)]
        told = Told(self.truth, sum(each.interval_calls or 0 for each in ours), found.interval)
        self.told, self.truth = (*self.told, told), 0
        return told

    def _flush(self) -> None:
        """Wait until the server's statistics hold all transactions of the worker.

        A session shares what it counted once in a second; collections that are minutes apart
        need not mind. A scan that is seen says that all before it can be seen.
        """
        now = ", pg_stat_force_next_flush()" if self.probe.version_num >= _FLUSHES else ""
        mark = f"SELECT count(*){now} FROM marked".encode()
        self.worker.execute(mark)
        self.marks += 1
        eventually(partial(self._sees, self.marks, mark))

    def _sees(self, marks: int, mark: bytes) -> bool:
        ((seen,),) = self.probe.connection.execute(
            "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'marked'"
        ).fetchall()
        if seen >= marks:
            return True
        self.worker.execute(mark)
        self.marks += 1
        return False

    def reset(self) -> None:
        """Throw all entries away."""
        self.probe.connection.execute("SELECT pg_stat_statements_reset()")

    def reset_hottest(self) -> list[int]:
        """Throw the ten away that were called most; which statements they were."""
        hottest = self.probe.connection.execute(
            "SELECT queryid, query FROM pg_stat_statements(true) WHERE dbid = (SELECT oid "
            "FROM pg_database WHERE datname = current_database()) AND query LIKE '%% AS known%%' "
            "ORDER BY calls DESC LIMIT 10"
        ).fetchall()
        for query_id, _ in hottest:
            self.probe.connection.execute("SELECT pg_stat_statements_reset(0, 0, %s)", (query_id,))
        return [query.count(", $") for _, query in hottest]


def watch(connection: Session, worker: Session, version: str) -> Watched:
    """Begin with nothing counted; both sessions are of an empty database with the extension."""
    connection.execute("DROP EXTENSION pg_stat_statements")
    connection.execute(f"CREATE EXTENSION pg_stat_statements VERSION '{version}'".encode())
    connection.execute("CREATE TABLE marked ()")
    worker.prepare_threshold = connection.prepare_threshold = None
    # What looks must not be among what is looked at.
    connection.execute("SET pg_stat_statements.track = none")
    connection.execute("SELECT pg_stat_statements_reset()")
    watched = Watched(open_probe(connection, Policy(statements_listed=1000)), worker)
    watched.memory = collect_statements(watched.probe, "queries").memory
    return watched


def chance_of(seed: int) -> random.Random:
    """The same load each time."""
    return random.Random(seed)  # noqa: S311 - no secret


def skewed(shapes: int, chance: random.Random, calls: int = CALLS) -> list[int]:
    """As in most applications: a few statements are called often, many rarely."""
    weights = [1 / (number + 1) for number in range(shapes)]
    return chance.choices(range(shapes), weights, k=calls)


def still(watched: Watched, seed: int, intervals: int = QUIET) -> None:
    """Nothing is thrown away."""
    chance = chance_of(seed)
    for _ in range(intervals):
        for number in skewed(60, chance):
            watched.run(number)
        watched.look()


class Mild(NamedTuple):
    """What a mild load did to the entries."""

    lost: int
    """Calls that nobody can know any more."""
    hidden: int
    """So many more may look as if they were not."""


def mild_resets(watched: Watched, seed: int, intervals: int = 20) -> Mild:
    """Every fifth interval the ten hottest are reset, and then run 60 times each."""
    chance = chance_of(seed)
    counted: Counter[int] = Counter()  # by the entry, as the look before saw it
    lost = hidden = 0
    for interval in range(intervals):
        calls = Counter(skewed(60, chance))
        for number, times in calls.items():
            watched.run(number, times)
        if interval % 5 == QUIET:
            for number in watched.reset_hottest():
                lost += calls.pop(number, 0)
                before = counted.pop(number, 0)
                if before <= 60 * (number < 10):
                    hidden += before
            for number in range(10):
                watched.run(number, times=60)
                calls[number] += 60
        counted += calls
        watched.look()
    return Mild(lost, hidden)


def everything_reset(watched: Watched, seed: int, intervals: int = 10) -> None:
    """All entries are thrown away at some moment of each interval."""
    still(watched, seed)
    chance = chance_of(seed)
    for _ in range(intervals):
        calls = skewed(60, chance)
        moment = chance.randrange(CALLS)
        for place, number in enumerate(calls):
            if place == moment:
                watched.reset()
            watched.run(number)
        watched.look()


def evictions(watched: Watched, seed: int, intervals: int = 10, shapes: int = 400) -> None:
    """Many statements; the server keeps 100."""
    chance = chance_of(seed)
    for _ in range(intervals):
        for number in skewed(shapes, chance):
            watched.run(number)
        watched.look()


def mild_evictions(watched: Watched, seed: int) -> None:
    """A few statements more than there is room for."""
    evictions(watched, seed, shapes=130)


def bursts(watched: Watched, seed: int, intervals: int = 10) -> None:
    """Statements come and go, and are called very often in between; the server keeps 100."""
    chance = chance_of(seed)
    for _ in range(intervals):
        for _ in range(chance.choice([10, 60, 120])):
            watched.run(chance.randrange(300), chance.choice([1, 1, 2, 8]))
        watched.look()


def transactions(watched: Watched, seed: int, intervals: int = 15) -> None:
    """One to five statements in a transaction, a load that swells, and the mild resets."""
    chance = chance_of(seed)
    for interval in range(intervals):
        for _ in range(chance.choice([60, 130, 250])):
            watched.together(skewed(60, chance, calls=chance.randint(1, 5)))
        if interval % 5 == QUIET:
            watched.reset_hottest()
            for number in range(10):
                watched.run(number, times=chance.randint(1, 60))
        watched.look()


LOADS: dict[str, Callable[[Watched, int], object]] = {
    "still": still,
    "mild resets": mild_resets,
    "everything reset": everything_reset,
    "evictions": evictions,
    "mild evictions": mild_evictions,
    "bursts": bursts,
    "transactions": transactions,
}
