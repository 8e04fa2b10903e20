"""What is told of calls, against a load whose calls are known: resets, evictions, every version.

The loads are those by which other tools were measured: 40 intervals on PostgreSQL 18, every fifth
of which had its 10 hottest entries reset and then run 60 times each. There lag() and Datadog's
accounting missed 26 % and 24 % of all calls, increase() 13.1 %.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bounty_ops.environments import Policy
from bounty_ops.monitoring.collectors.statements import collect_statements
from bounty_ops.monitoring.probe import Probe, open_probe
from bounty_ops_tests.monitoring.conftest import Session, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

INTERVALS = 20
CALLS = 400
OURS = "SELECT $1 AS known"
#: What a reset took is estimated from rates, and those from clocks; on a busy machine they differ.
_TIMED = 0.2


@pytest.fixture
def counted(statements_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    execute(statements_server, "CREATE EXTENSION pg_stat_statements")
    execute(statements_server, "SELECT pg_stat_statements_reset()")
    yield statements_server
    execute(statements_server, "DROP EXTENSION pg_stat_statements CASCADE")


class _Told(NamedTuple):
    truth: int
    known: int
    lost: float

    @property
    def share(self) -> float:
        return self.known / self.truth

    @property
    def coverage(self) -> float:
        return self.known / (self.known + self.lost)


def _shape(number: int) -> bytes:
    return b"SELECT 1 AS known" + b", 1" * number


class _Watched:
    """A database with a load of known calls, looked at again and again."""

    def __init__(self, probe: Probe, worker: Session) -> None:
        self.probe = probe
        self.worker = worker
        self.truth = 0
        self.told = _Told(0, 0, 0)
        self.memory = collect_statements(probe, "queries").memory

    def run(self, number: int, times: int = 1) -> None:
        for _ in range(times):
            self.worker.execute(_shape(number))
        self.truth += times

    def look(self) -> None:
        assert self.memory is not None
        probe = replace(self.probe, memory={"queries": self.memory})
        found = collect_statements(probe, "queries")
        assert found.interval is not None
        ours = [each for each in found.listed if each.text.startswith(OURS)]
        known = sum(each.interval_calls or 0 for each in ours)
        assert known <= self.truth  # in every single interval
        truth, before, lost = self.told
        lost += found.interval.lost_calls
        self.told = _Told(truth + self.truth, before + known, lost)
        self.memory, self.truth = found.memory, 0


@pytest.fixture(params=["1.11", "1.10"])
def version(request: pytest.FixtureRequest) -> str:
    """Of the extension: with `stats_since` and without."""
    return str(request.param)


@pytest.fixture
def watched(version: str, counted: DatabaseUrl, open_session: Callable[..., Session]) -> _Watched:
    execute(counted, "DROP EXTENSION pg_stat_statements")
    execute(counted, "CREATE EXTENSION pg_stat_statements VERSION {}", version)
    connection, worker = open_session(counted), open_session(counted)
    worker.prepare_threshold = connection.prepare_threshold = None
    # What looks must not be among what is looked at.
    connection.execute("SET pg_stat_statements.track = none")
    probe = open_probe(connection, Policy(statements_listed=1000))
    return _Watched(probe, worker)


def _chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same load each time


def _skewed(shapes: int, chance: random.Random) -> list[int]:
    """As in most applications: a few statements are called often, many rarely."""
    weights = [1 / (number + 1) for number in range(shapes)]
    return chance.choices(range(shapes), weights, k=CALLS)


def _reset_hottest(session: Session) -> list[int]:
    """Which shapes they are."""
    hottest = session.execute(
        "SELECT queryid, query FROM pg_stat_statements(true) WHERE dbid = (SELECT oid "
        "FROM pg_database WHERE datname = current_database()) ORDER BY calls DESC LIMIT 10"
    ).fetchall()
    for query_id, _ in hottest:
        session.execute("SELECT pg_stat_statements_reset(0, 0, %s)", (query_id,))
    return [query.count(", $") for _, query in hottest]


def test_without_resets_every_call_is_known(watched: _Watched) -> None:
    chance = _chance(1)
    for _ in range(4):
        for number in _skewed(60, chance):
            watched.run(number)
        watched.look()
    assert watched.told == (4 * CALLS, 4 * CALLS, 0)


def _run_with_mild_resets(watched: _Watched, seed: int) -> tuple[int, int]:
    """How many calls nobody can know any more, and how many more may look as if they were not."""
    chance = _chance(seed)
    counted: Counter[int] = Counter()  # by the entry, as the look before saw it
    lost = hidden = 0
    for interval in range(INTERVALS):
        calls = Counter(_skewed(60, chance))
        for number, times in calls.items():
            watched.run(number, times)
        if interval % 5 == 4:
            for number in _reset_hottest(watched.probe.connection):
                lost += calls.pop(number, 0)
                before = counted.pop(number)
                if before <= 60 * (number < 10):
                    hidden += before
            for number in range(10):
                watched.run(number, times=60)
                calls[number] += 60
        counted += calls
        watched.look()
    return lost, hidden


def test_under_mild_resets_at_most_11_percent_are_missing_and_coverage_says_so(
    watched: _Watched, version: str
) -> None:
    lost, hidden = _run_with_mild_resets(watched, seed=2)
    truth, known, _ = watched.told
    # What a reset threw away before anybody saw it nobody can know.
    assert lost / truth < 0.11
    if version == "1.11":
        assert known == truth - lost
    # Without `stats_since` an entry that was made anew, and called at least as often since, may
    # look as if it had gone on. Then only what it has more than before is told.
    assert truth - lost - hidden <= known <= truth - lost
    assert (lost + hidden) / truth < 0.13
    assert watched.told.coverage == pytest.approx(watched.told.share, abs=_TIMED)


@pytest.mark.soak
@pytest.mark.parametrize("version", ["1.10"])
def test_without_stats_since_too_at_most_11_percent_are_missing_on_average(
    watched: _Watched,
) -> None:
    shares = []
    for seed in range(2, 8):
        watched.told = _Told(0, 0, 0)
        _run_with_mild_resets(watched, seed)
        shares.append(1 - watched.told.share)
    assert sum(shares) / len(shares) < 0.11


def test_when_everything_is_reset_coverage_says_how_much_is_missing(watched: _Watched) -> None:
    chance = _chance(3)
    for _ in range(INTERVALS // 2):
        calls = _skewed(60, chance)
        moment = chance.randrange(CALLS)
        for place, number in enumerate(calls):
            if place == moment:
                watched.probe.connection.execute("SELECT pg_stat_statements_reset()")
            watched.run(number)
        watched.look()
    assert watched.told.share < 0.9
    assert watched.told.coverage == pytest.approx(watched.told.share, abs=_TIMED)


def test_under_evictions_coverage_says_how_much_is_missing(watched: _Watched) -> None:
    chance = _chance(4)
    for _ in range(INTERVALS // 2):
        for number in _skewed(400, chance):  # the server keeps 100
            watched.run(number)
        watched.look()
    assert watched.told.share < 0.9
    assert watched.told.coverage == pytest.approx(watched.told.share, abs=0.08)
