"""The most that can be missing: proved for evictions, by transactions for resets, or unknown."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounty_ops.monitoring.accounting import Interval, account
from bounty_ops.monitoring.collectors.statement_facts import StatementInterval
from bounty_ops.monitoring.looks import Look, Whole
from bounty_ops.monitoring.missing import evicted_at_a_time
from bounty_ops.monitoring.statement_memory import StatementMemory, decode, encode
from bounty_ops_tests.monitoring.evicting import OLD, Statistics

if TYPE_CHECKING:
    from collections.abc import Callable

#: How a load chooses the next statement out of so many, and how often it runs it.
_HABITS: tuple[Callable[[random.Random, int], tuple[int, int]], ...] = (
    lambda chance, shapes: (int(shapes ** chance.random()), 1),
    lambda chance, shapes: (chance.randrange(shapes), 1),
    lambda chance, shapes: (chance.randrange(shapes), chance.choice([1, 1, 1, 5, 30])),
    lambda chance, shapes: (chance.randrange(shapes), chance.choice([1, 100])),
    lambda chance, _: (chance.randrange(10**9), chance.choice([1, 1, 2])),
)


def _run(statistics: Statistics, chance: random.Random) -> int:
    """Some load; how many calls it made."""
    habit, shapes = chance.choice(_HABITS), chance.choice([30, 60, 120, 400])
    calls, wanted = 0, chance.choice([20, 100, 400])
    while calls < wanted:
        number, times = habit(chance, shapes)
        if chance.random() < 0.3:
            statistics.prepare(number)
        if chance.random() < 0.03:
            statistics.prepare(chance.randrange(10**9))  # it fails, and is never executed
        statistics.run(number, times, planned=chance.random() < 0.1)
        calls += times
    return calls


def _between(before: Look, after: Look) -> Interval:
    interval = account(before, after)
    assert interval is not None
    return interval


def _known(interval: Interval) -> int:
    return sum(spent.calls for spent in interval.spent.values())


@given(st.integers(0, 2**32), st.sampled_from([60, 100, 300]), st.booleans())
@settings(max_examples=60)
def test_whatever_is_evicted_no_more_is_missing_than_the_limit(
    seed: int, room: int, tells_since: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a load
    statistics = Statistics(room, chance, tells_since=tells_since)
    _run(statistics, chance)
    before = statistics.look()
    for _ in range(4):
        truth = _run(statistics, chance)
        after = statistics.look()
        interval = _between(before, after)
        missing = truth - _known(interval)
        assert missing >= 0
        assert interval.limit is None or missing <= interval.limit.calls
        assert interval.evictions or missing == 0
        least = interval.calls_coverage_least
        assert least is None or 0 <= least <= interval.calls_coverage <= 1
        before = after.after(interval)


@pytest.fixture
def statistics() -> Statistics:
    return Statistics(100, random.Random(1), tells_since=False)  # noqa: S311 - a load


def test_what_an_eviction_hides_is_part_of_the_limit(statistics: Statistics) -> None:
    """An entry that is there again with more calls than before looks as if it had gone on."""
    for number in range(95):
        statistics.run(number, times=3 if number else 1)
    statistics.entries[0].times = [1.0]
    before = statistics.look()
    statistics.run(0)
    for number in range(200, 210):
        statistics.run(number, times=4)
    assert 0 not in statistics.entries
    statistics.run(0, times=3)
    statistics.entries[0].times = [1.0, 0.5, 1.5]  # as if the last two had been added
    interval = _between(before, statistics.look())
    assert (interval.evictions, interval.made_anew, interval.vanished) == (1, 0, 9)
    assert _known(interval) == 10 * 4 + 2
    assert interval.unproven_calls == 1
    assert interval.limit is not None
    assert interval.limit.proved
    assert 1 + 10 * 4 + 3 - _known(interval) <= interval.limit.calls


def test_a_hot_entry_that_is_gone_was_reset_and_not_evicted(statistics: Statistics) -> None:
    statistics.run(0, times=500)
    for number in range(1, 95):
        statistics.run(number)
    before = statistics.look()
    statistics.reset(0)
    for number in range(200, 210):
        statistics.run(number)
    interval = _between(before, statistics.look())
    assert interval.evictions == 1
    assert interval.limit is None
    assert interval.calls_coverage_least is None


def test_hidden_statements_that_may_have_been_evicted_are_no_measure(
    statistics: Statistics,
) -> None:
    for number in range(95):
        statistics.run(number)
    before = replace(statistics.look(), hidden_calls=7)
    for number in range(200, 220):
        statistics.run(number)
    after = replace(statistics.look(), hidden_calls=7)
    assert _between(before, after).limit is None


def _measured(*ratios: float, statistics: Statistics) -> Look:
    """A look with so many calls per transaction in the intervals before it."""
    whole = tuple(Whole(round(100 * ratio), 100) for ratio in ratios)
    return replace(
        statistics.look(), transactions=1_000, transactions_since=(OLD, None), whole=whole
    )


@pytest.mark.parametrize(
    ("ratios", "most"),
    [
        ((1.0, 1.0, 1.0), 40),  # 100 transactions, 60 calls known
        ((0.9, 0.8, 0.9), 40),  # a transaction is one call at least
        ((2.0, 2.2, 2.1), 240 - 60),  # the most that was seen, and as much more as they differ by
        ((1.0, 1.0), None),  # two do not tell how they differ
    ],
)
def test_what_a_reset_took_is_limited_by_the_transactions(
    statistics: Statistics, ratios: tuple[float, ...], most: float | None
) -> None:
    statistics.run(1, times=50)
    before = _measured(*ratios, statistics=statistics)
    statistics.run(1, times=30)
    statistics.reset(1)
    statistics.run(1, times=40)
    statistics.run(2, times=20)
    after = replace(statistics.look(), transactions=1_100, transactions_since=(OLD, None))
    limit = _between(before, after).limit
    assert (None if limit is None else limit.calls) == (
        None if most is None else pytest.approx(most)
    )
    # A crash, or somebody, set them back.
    assert _between(before, replace(after, transactions_since=(OLD, OLD))).limit is None
    assert _between(before, replace(after, transactions=900)).limit is None
    # Quiet intervals are no measure of a busy one.
    assert _between(before, replace(after, transactions=2_001)).limit is None


def test_intervals_of_which_all_is_known_are_remembered(statistics: Statistics) -> None:
    look = _measured(statistics=statistics)
    for number in range(1, 20):
        statistics.run(number % 7, times=5)
        after = replace(
            statistics.look(),
            transactions=1_000 + 2 * number,
            transactions_since=(OLD, None),
            hidden_calls=number,
        )
        look = after.after(_between(look, after))
    assert look.whole == (Whole(6, 2),) * 12
    memory = decode(encode(StatementMemory("here", replace(look, uses=()))), "here")
    assert memory is not None
    assert memory.look == replace(look, uses=())
    statistics.reset(1)
    after = replace(statistics.look(), transactions=9_000, transactions_since=(OLD, None))
    assert _between(look, after).whole == look.whole


def test_before_evictions_were_counted_a_full_table_tells_nothing(statistics: Statistics) -> None:
    def look() -> Look:
        return replace(statistics.look(), evictions=None, evictions_after=None)

    for number in range(85):
        statistics.run(number)
    before = look()
    statistics.run(1)
    interval = _between(before, look())
    assert interval.calls_coverage_least == 1
    for number in range(85, 92):
        statistics.run(number)
    before = look()
    statistics.run(1)
    # The last eviction leaves 90 of 100, so one may have taken place.
    assert _between(before, look()).calls_coverage_least is None


@pytest.mark.parametrize(("room", "evicted"), [(100, 10), (5_000, 250), (1_019, 50)])
def test_so_many_are_evicted_at_a_time(room: int, evicted: int) -> None:
    assert evicted_at_a_time(room) == evicted


@pytest.mark.parametrize(
    ("coverage", "least", "told"),
    [
        (1, 1, "100%"),
        (0.999, 0.999, "99%"),
        (0.905, 0.879, "about 90% (at least 87%)"),
        (0.905, None, "about 90% (how many at least is unknown)"),
    ],
)
def test_what_is_known_is_told_in_words_that_do_not_flatter(
    coverage: float, least: float | None, told: str
) -> None:
    facts = dict.fromkeys(StatementInterval.model_fields, 0)
    interval = StatementInterval.model_validate(
        {**facts, "since": OLD, "until": OLD, "calls_coverage": coverage}
        | {"calls_coverage_least": least}
    )
    assert interval.calls_known == told
