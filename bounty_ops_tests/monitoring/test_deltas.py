"""What counters did between two samples is told only where it is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.deltas import Reading, changes, rate, rates, ratio

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESET = NOON - timedelta(days=3)
MINUTE = timedelta(minutes=1)
BEFORE = Reading(NOON, {"commits": 100, "rollbacks": 5}, since=RESET)
AFTER = Reading(NOON + MINUTE, {"commits": 160, "rollbacks": 5}, since=RESET)


def test_growth_and_rate_are_those_of_the_time_between() -> None:
    assert changes(BEFORE, AFTER) == {"commits": 60, "rollbacks": 0}
    assert rates(BEFORE, AFTER) == {"commits": 1.0, "rollbacks": 0.0}
    assert rate(BEFORE, AFTER, "commits") == 1.0
    assert rate(BEFORE, AFTER, "never heard of") is None


@pytest.mark.parametrize(
    "after",
    [
        replace(AFTER, since=NOON + MINUTE / 2),
        replace(AFTER, since=None),
        replace(AFTER, others_since=(NOON,)),
        replace(AFTER, at=NOON),
        replace(AFTER, at=NOON - MINUTE),
        replace(AFTER, counters={"commits": 160, "rollbacks": 4}),
    ],
    ids=["reset", "crashed", "counted anew", "same moment", "older", "shrank"],
)
def test_nothing_is_known_across_a_new_run_of_counting(after: Reading) -> None:
    assert changes(BEFORE, after) == {"commits": None, "rollbacks": None}
    assert rate(BEFORE, after, "commits") is None


def test_a_server_that_does_not_say_since_when_it_counts_must_not_have_been_started_anew() -> None:
    before = replace(BEFORE, since=None, started_at=RESET)
    after = replace(AFTER, since=None, started_at=RESET)
    assert rate(before, after, "commits") == 1.0
    assert rate(before, replace(after, started_at=NOON + MINUTE / 2), "commits") is None


def test_counters_go_on_over_an_orderly_restart() -> None:
    started = replace(AFTER, started_at=NOON + MINUTE / 2)
    assert rate(replace(BEFORE, started_at=RESET), started, "commits") == 1.0


def test_a_counter_that_was_not_seen_once_is_not_known() -> None:
    hidden = replace(AFTER, counters={"commits": 160, "rollbacks": None, "new": 7})
    assert changes(BEFORE, hidden) == {"commits": 60, "rollbacks": None, "new": None}


def test_a_share_is_that_of_the_growth_and_of_nothing_there_is_none() -> None:
    assert ratio(BEFORE, AFTER, "commits", "rollbacks") == 1.0
    assert ratio(BEFORE, replace(AFTER, counters=BEFORE.counters), "commits", "rollbacks") is None
    assert ratio(BEFORE, AFTER, "commits", "never heard of") is None


@given(
    st.lists(st.tuples(st.integers(0, 1_000), st.booleans()), min_size=1, max_size=20),
)
def test_growth_that_is_told_never_exceeds_what_happened(steps: list[tuple[int, bool]]) -> None:
    """Whatever resets come between: what is told of any two samples is the truth or nothing."""
    value, since, truth = 0, RESET, 0
    readings = [(Reading(NOON, {"x": 0}, since=since), 0)]
    for place, (growth, reset) in enumerate(steps, start=1):
        if reset:
            value, since = 0, NOON + MINUTE * place
        value, truth = value + growth, truth + growth
        readings.append((Reading(NOON + MINUTE * place, {"x": value}, since=since), truth))
    for at, (first, counted) in enumerate(readings):
        for second, counted_then in readings[at + 1 :]:
            assert changes(first, second)["x"] in {None, counted_then - counted}
