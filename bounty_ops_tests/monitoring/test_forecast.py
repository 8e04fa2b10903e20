"""Forecasts come true as often as they promise, or are not made."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from math import pi, sin
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.forecast import REACH, forecast

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

Points = list[tuple[datetime, float | None]]


def steady(rng: random.Random, hour: int) -> float:
    """Grows by 1 an hour, measured inexactly."""
    return hour + rng.gauss(0, 3)


def weekly(rng: random.Random, hour: int) -> float:
    """Grows on working days only."""
    days, rest = divmod(hour, 24)
    weeks, day = divmod(days, 7)
    return weeks * 120 + min(day, 5) * 24 + (rest if day < 5 else 0) + rng.gauss(0, 1)


def daily(rng: random.Random, hour: int) -> float:
    """Grows by day, rests by night."""
    return hour + 10 * sin(2 * pi * hour / 24) + rng.gauss(0, 1)


class Walk:
    """Grows by chance."""

    def __init__(self) -> None:
        self.level = 0.0

    def __call__(self, rng: random.Random, _hour: int) -> float:
        self.level += rng.expovariate(1.0)
        return self.level


def history(shape: Callable[[random.Random, int], float], seed: int, hours: int) -> list[float]:
    rng = random.Random(seed)  # noqa: S311 - a simulation
    return [shape(rng, hour) for hour in range(hours)]


def dated(values: list[float]) -> Points:
    return [(BEGIN + number * HOUR, value) for number, value in enumerate(values)]


@pytest.mark.parametrize("shape", [steady, weekly, daily, Walk])
@pytest.mark.parametrize("days", [5, 28])
def test_most_limits_are_reached_within_the_interval(
    shape: Callable[[random.Random, int], float] | type[Walk], days: int
) -> None:
    """80 % are promised; five working days have not seen a weekend."""
    made = right = 0
    for seed in range(100):
        future = 24 * days * 2
        one = shape() if isinstance(shape, type) else shape
        values = history(one, seed, 24 * days + future)
        past = values[: 24 * days]
        limit = max(past) + 24 * days * random.Random(seed).uniform(0.1, 0.8)  # noqa: S311
        told = forecast(dated(past), limit)
        if told is None:
            continue
        reached = next((n for n, value in enumerate(values) if value >= limit), None)
        made += 1
        right += told.earliest - HOUR <= BEGIN + (reached or len(values)) * HOUR and (
            told.latest is None
            or (reached is not None and BEGIN + reached * HOUR <= told.latest + HOUR)
        )
    assert made >= 60
    assert right / made >= 0.75


def test_it_names_the_days_and_the_growth() -> None:
    told = forecast(dated([float(hour) for hour in range(24 * 20)]), 24 * 30)

    assert told is not None
    assert told.per_day == pytest.approx(24, rel=0.01)
    assert told.words() == "between 2026-11-30 and 2026-12-01"


@pytest.mark.parametrize(
    "values",
    [
        [1.0] * 500,  # does not grow
        [500.0 - hour for hour in range(400)],  # shrinks
        [float(hour) for hour in range(40)],  # is too short
        [0.0, *([1.0] * 300), *([900.0] * 100)],  # one load of data is no growth
        [float(hour) for hour in range(900)],  # is there already
        [hour * 0.001 for hour in range(500)],  # is too far away
    ],
)
def test_it_is_silent_when_it_cannot_know(values: list[float]) -> None:
    assert forecast(dated(values), 899) is None


def test_what_was_not_measured_is_not_taken_for_nothing() -> None:
    points = dated([float(hour) for hour in range(24 * 20)])
    gaps: Points = [
        (moment, None if number % 3 else value) for number, (moment, value) in enumerate(points)
    ]
    told = forecast(gaps, 24 * 30)

    assert told is not None
    assert told.per_day == pytest.approx(24, rel=0.05)


@given(
    st.lists(
        st.none() | st.floats(min_value=-1e15, max_value=1e15, allow_subnormal=False), max_size=200
    ),
    st.floats(min_value=-1e15, max_value=1e15),
    st.integers(min_value=1, max_value=72),
)
def test_whatever_was_measured_the_answer_makes_sense(
    values: list[float | None], limit: float, hours: int
) -> None:
    points: Points = [(BEGIN + n * hours * HOUR, value) for n, value in enumerate(values)]
    told = forecast(points, limit)
    if told is None:
        return
    known = [moment for moment, value in points if value is not None]
    span = known[-1] - known[0]
    assert known[-1] <= told.earliest <= known[-1] + (REACH + 1) * span
    assert told.latest is None or told.latest >= told.earliest
    assert told.per_day > 0
    assert told.level < limit
