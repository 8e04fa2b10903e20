"""Calls between two looks: never more than there were, and coverage says how many are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.accounting import Interval, account
from bounty_ops.monitoring.going_on import Counted, can_have_gone_on
from bounty_ops.monitoring.looks import Key, Look

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIVE = 5 * MINUTE
OLD = NOON - timedelta(days=7)
A, B = Key(10, 1, toplevel=True), Key(10, 2, toplevel=True)


def _counted(calls: int, since: datetime | None = OLD, **other: float) -> Counted:
    facts = {"seconds": calls * 0.1, "shortest": 0.01, "longest": 0.5, **other}
    return Counted(calls=calls, rows=calls, squares=None, since=since, **facts)


def _look(minutes: int, *, reset_at: datetime | None = OLD, **entries: Counted) -> Look:
    keys = {"a": A, "b": B}
    return Look(
        at=NOON + MINUTE * minutes,
        entries={keys[name]: counted for name, counted in entries.items()},
        reset_at=reset_at,
        evictions=0,
        room=100,
        all_entries=len(entries),
    )


def _interval(before: Look, after: Look) -> Interval:
    interval = account(before, after)
    assert interval is not None
    return interval


def test_calls_in_between_are_the_difference_and_all_are_known() -> None:
    interval = _interval(_look(0, a=_counted(10)), _look(5, a=_counted(25), b=_counted(3, NOON)))
    assert interval.spent[A].calls == 15
    assert interval.spent[A].seconds == pytest.approx(1.5)
    assert interval.spent[B].calls == 3  # first seen: made in between
    assert interval.calls_coverage == interval.seconds_coverage == 1


def test_an_entry_that_was_made_anew_counts_as_a_whole_and_what_it_lost_is_estimated() -> None:
    before = replace(
        _look(0, a=_counted(600)), recent_calls={A: 300}, recent_seconds=FIVE.total_seconds()
    )
    # One call a second before; it was thrown away after two of the five minutes.
    interval = _interval(before, _look(5, a=_counted(700, NOON + 2 * MINUTE)))
    assert interval.spent[A].calls == 700
    assert interval.made_anew == 1
    assert interval.lost_calls == pytest.approx(120)
    assert interval.calls_coverage == pytest.approx(700 / 820)


@pytest.mark.parametrize(
    "after",
    [
        _counted(9, None),
        _counted(20, None, seconds=0.5),
        _counted(20, None, shortest=0.02),
        _counted(20, None, longest=0.4),
    ],
    ids=["fewer calls", "less time", "slower fastest", "faster slowest"],
)
def test_before_stats_since_an_entry_gives_itself_away_by_what_cannot_happen(
    after: Counted,
) -> None:
    interval = _interval(_look(0, a=_counted(10, None)), _look(5, a=after))
    assert interval.spent[A].calls == after.calls
    assert interval.made_anew == 1
    assert interval.calls_coverage < 1


def test_a_reset_of_all_is_told_by_its_moment_even_when_the_counters_have_grown_again() -> None:
    before, reset = _look(0, a=_counted(10, None)), NOON + MINUTE
    interval = _interval(before, _look(5, reset_at=reset, a=_counted(50, None)))
    assert interval.spent[A].calls == 50


def test_an_entry_that_vanished_leaves_a_gap() -> None:
    interval = _interval(_look(0, a=_counted(10), b=_counted(2_000)), _look(5, a=_counted(10)))
    assert interval.vanished == 1
    assert interval.lost_calls > 0
    assert interval.calls_coverage == 0  # of the others none was called


def test_hidden_calls_are_not_known() -> None:
    before = replace(_look(0, a=_counted(10)), hidden_calls=100)
    after = replace(_look(5, a=_counted(20)), hidden_calls=130)
    assert _interval(before, after).calls_coverage == 10 / 40


def test_an_older_look_and_one_at_another_server_tell_nothing() -> None:
    before = _look(5, a=_counted(10))
    assert account(before, _look(0, a=_counted(20))) is None
    assert account(before, before) is None
    # A standby took over: it was reset long before, and has counted all the time.
    standby = _look(10, reset_at=OLD - FIVE, a=_counted(5_000))
    assert account(before, standby) is None


def _entry(calls: Sequence[int]) -> Counted:
    """What an entry counts after calls of so many microseconds, by mean and deviation."""
    seconds = [call / 1e6 for call in calls]
    mean = sum(seconds) / len(seconds)
    deviations = sum((each - mean) ** 2 for each in seconds)
    squares = len(seconds) * (mean**2 + ((deviations / len(seconds)) ** 0.5) ** 2)
    return Counted(
        calls=len(seconds),
        seconds=sum(seconds),
        rows=len(seconds),
        shortest=min(seconds),
        longest=max(seconds),
        squares=squares,
        since=None,
    )


_CALLS = st.lists(st.integers(1, 10**9), min_size=1, max_size=40)


@given(_CALLS, _CALLS)
def test_an_entry_that_went_on_is_never_taken_for_another(
    before: list[int], between: list[int]
) -> None:
    assert can_have_gone_on(_entry(before), _entry(before + between))
    assert can_have_gone_on(_entry(before), _entry(before))


@pytest.mark.parametrize(
    ("before", "anew"),
    [
        ([30, 30, 30], [20, 31, 30, 30]),  # one call in between cannot be the fastest and slowest
        ([30, 30, 30], [20, 20, 20, 90]),  # not enough was added for the slowest call
        ([30, 30, 90], [29, 91, 40, 40, 40]),  # nor for its square
        ([50, 90], [40, 60, 95, 95]),  # the two in between took longer
    ],
)
def test_an_entry_that_was_made_anew_is_known_by_its_sums(
    before: list[int], anew: list[int]
) -> None:
    assert not can_have_gone_on(_entry(before), _entry(anew))


class _Step(NamedTuple):
    calls: int
    reset_before: bool
    looked_at: bool


_STEPS = st.lists(st.builds(_Step, st.integers(0, 50), st.booleans(), st.booleans()), max_size=30)


@given(_STEPS, st.booleans())
def test_whatever_is_reset_no_call_is_counted_twice(steps: Sequence[_Step], told: bool) -> None:
    """Known calls never exceed the truth, whether the version tells `stats_since` or not."""
    calls, since, truth, known = 0, OLD, 0, 0
    look = _look(0, a=_counted(0, since if told else None))
    truth_then = 0
    for minute, step in enumerate(steps, start=1):
        moment = NOON + MINUTE * minute
        if step.reset_before:
            calls, since = 0, moment - MINUTE / 2
        calls, truth = calls + step.calls, truth + step.calls
        if not step.looked_at:
            continue
        # As in PostgreSQL, an entry is there only once it was called.
        there = _look(minute, a=_counted(calls, since if told else None))
        after = there if calls else replace(there, entries={})
        interval = _interval(look, after)
        known = sum(spent.calls for spent in interval.spent.values())
        assert 0 <= known <= truth - truth_then
        assert 0 <= interval.calls_coverage <= 1
        look, truth_then = after.after(interval), truth
