"""A statement that has become slower is found, and a bad moment or a busy hour is not one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bounty_ops.monitoring import Queries
from bounty_ops.monitoring.collectors.statement_facts import (
    SlowStatement,
    StatementInterval,
    StatementStatistics,
)
from bounty_ops.monitoring.regression import obstacle, regressions

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIVE = timedelta(minutes=5)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Did:
    """What the statement did in an interval that ended then."""

    at: datetime
    mean: float
    calls: int = 100
    total: float = 100.0
    coverage: float = 1.0
    since: datetime | None = None
    life: tuple[int, float] = (0, 0.0)
    length: timedelta = FIVE

    def queries(self) -> Queries:
        seconds = self.mean * self.calls
        statement = SlowStatement(
            query_id="1", fingerprint="abc", user="app", toplevel=True,
            calls=self.life[0] or self.calls, rows=0,
            total_seconds=self.life[1] or seconds, mean_seconds=self.mean, max_seconds=9,
            shared_blocks_hit=0, shared_blocks_read=0, temp_blocks_written=0,
            since=self.since, interval_calls=self.calls, interval_seconds=seconds,
            interval_rows=0, text="select ?",
        )  # fmt: skip
        interval = StatementInterval(
            since=self.at - self.length, until=self.at, calls=self.calls,
            statement_seconds=self.total, rows=0, calls_coverage=self.coverage,
            seconds_coverage=1, lost_calls=0, lost_seconds=0, hidden_calls=0, evictions=0,
            made_anew=0, vanished=0, unseen=0,
        )  # fmt: skip
        return Queries(
            slow_query_seconds=5,
            statistics=StatementStatistics(available=True),
            interval=interval,
            running=(),
            statements=(statement,),
        )


def _calm(until: datetime, intervals: int = 40, mean: float = 0.1) -> list[_Did]:
    return [_Did(until - FIVE * number, mean) for number in range(intervals, 0, -1)]


def _found(*did: _Did) -> list[str]:
    return [each.basis for each in regressions(each.queries() for each in did)]


def test_twice_as_slow_in_two_intervals_is_a_regression() -> None:
    slow = [_Did(MONDAY, 0.25), _Did(MONDAY + FIVE, 0.3)]
    (found,) = regressions(each.queries() for each in [*_calm(MONDAY), *slow])
    assert found.basis == "days before"
    assert found.usual_seconds == pytest.approx(0.1)
    assert found.factor == pytest.approx(3)
    assert found.share == pytest.approx(0.3)
    assert found.since == MONDAY
    assert (found.fingerprint, found.user, found.text) == ("abc", "app", "select ?")


@pytest.mark.parametrize(
    "newest",
    [
        [_Did(MONDAY, 0.25)],
        [_Did(MONDAY, 0.25), _Did(MONDAY + FIVE, 0.1)],
        [_Did(MONDAY, 0.1), _Did(MONDAY + FIVE, 0.25)],
        [_Did(MONDAY, 0.19), _Did(MONDAY + FIVE, 0.19)],
        [_Did(MONDAY, 0.25, total=1000), _Did(MONDAY + FIVE, 0.25, total=1000)],
        [_Did(MONDAY, 0.25, calls=4), _Did(MONDAY + FIVE, 0.25, calls=4)],
        [_Did(MONDAY, 0.25, coverage=0.3), _Did(MONDAY + FIVE, 0.25, coverage=0.3)],
    ],
    ids=["once", "over again", "just begun", "not twice", "little time", "few calls", "unknown"],
)
def test_what_is_no_regression(newest: list[_Did]) -> None:
    assert _found(*_calm(MONDAY), *newest) == []


def test_an_hour_that_is_slow_every_week_is_usual() -> None:
    """The report of Monday morning is no regression, although the days before were faster."""
    weeks = [_Did(MONDAY - DAY * 7 * week + FIVE, 0.3) for week in (1, 2, 3)]
    now = [_Did(MONDAY + FIVE, 0.3), _Did(MONDAY + FIVE * 2, 0.3)]
    assert _found(*_calm(MONDAY), *now) == ["days before"]
    assert _found(*weeks, *_calm(MONDAY), *now) == []
    slower = [_Did(MONDAY + FIVE, 0.7), _Did(MONDAY + FIVE * 2, 0.7)]
    assert _found(*weeks, *_calm(MONDAY), *slower) == ["same weekday and hour"]


def test_without_a_history_the_servers_own_counters_have_to_do() -> None:
    def slow(since: datetime | None) -> list[_Did]:
        # 10,000 calls of 0.1 s, and the 200 of these two intervals.
        return [
            _Did(MONDAY, 0.25, since=since),
            _Did(MONDAY + FIVE, 0.25, since=since, life=(10_200, 1_050.0)),
        ]

    assert _found(*slow(MONDAY - DAY * 30)) == ["since the server counts"]
    assert _found(*slow(MONDAY - DAY / 2)) == []
    assert _found(*slow(None)) == []


def test_of_two_collections_at_a_time_one_counts() -> None:
    twice = _Did(MONDAY + timedelta(seconds=3), 0.25, length=FIVE + timedelta(seconds=3))
    assert _found(*_calm(MONDAY), _Did(MONDAY, 0.25), twice) == []


def test_what_cannot_be_judged_says_why() -> None:
    calm = [each.queries() for each in _calm(MONDAY)]
    assert obstacle(calm) is None
    assert "enough collections" in (obstacle(calm[:1]) or "")
    assert "enough collections" in (obstacle([]) or "")
    unseen = _Did(MONDAY, 0.1, coverage=0.2).queries()
    assert "only 20% of the calls" in (obstacle([*calm, unseen]) or "")


def test_of_nothing_nothing_is_said() -> None:
    assert regressions([]) == ()
    without = Queries(
        slow_query_seconds=5,
        statistics=StatementStatistics(available=False),
        running=(),
        statements=(),
    )
    assert regressions([without, without]) == ()
