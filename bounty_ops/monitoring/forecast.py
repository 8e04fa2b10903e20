"""When something that grows reaches its limit: an interval of time, or silence.

The history is cut into equal steps, of a day where it is long enough: a week's rhythm then averages
out. What it grew by in each step is taken as drawn from one distribution, so after n steps the
growth is n times the mean, with a spread of two parts: of the steps themselves, which grows with
the square root of n, and of not knowing the mean well, which grows with n. The limit is reached
between the moments at which the upper and the lower bound of that reach it. (Growth of a random
walk with drift, as in Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.2; the
factor is Student's, since the spread is estimated from few steps.) A history of less than two weeks
has not seen how working days and weekends differ: from then on growth may be seven fifths of what
it was, or rest for two days in every week.

A forecast that would have been wrong about its own past is not made: the last third of the history
must lie where the first two thirds would have put it. Neither is one from too little history, about
something that does not grow, or about a time that lies further ahead than the history reaches back,
three times over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import ceil, sqrt
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Of ten forecasts eight are to come true.
COVERAGE: Final = 0.8
#: Less history than that says nothing about growth.
LEAST_SPAN: Final = timedelta(days=2)
LEAST_STEPS: Final = 8
#: How many times the span of the history a forecast may look ahead.
REACH: Final = 3
_DAY: Final = timedelta(days=1)
_DAYS_WANTED: Final = 14
_MOST_STEPS: Final = 48
_WEEK: Final = timedelta(days=7)
_WEEKEND: Final = timedelta(days=2)
_WORKING_WEEK: Final = 7 / 5
_HALF: Final = 0.5 + COVERAGE / 2


@dataclass(frozen=True)
class Forecast:
    """When a limit is reached, in all likelihood."""

    earliest: datetime
    latest: datetime | None
    """None: it may also be later than can be looked ahead."""
    per_day: float
    """Mean growth, in the unit of the values."""
    level: float
    limit: float

    def words(self) -> str:
        """Such as ``between 2026-12-01 and 2026-12-19``."""
        if self.latest is None:
            return f"not before {self.earliest:%Y-%m-%d}"
        if self.earliest.date() == self.latest.date():
            return f"on {self.earliest:%Y-%m-%d}"
        return f"between {self.earliest:%Y-%m-%d} and {self.latest:%Y-%m-%d}"


class Silence(StrEnum):
    """Why there is no forecast."""

    REACHED = "it is reached already"
    FAR = "it is not in sight: there is no growth, or too little"
    UNKNOWABLE = "there is too little history, or one that misled about its own past"


@dataclass(frozen=True)
class _Growth:
    """What a history grew by in each of its steps."""

    level: float
    step: timedelta
    mean: float
    spread: float
    steps: int
    whole_weeks: bool
    """Whether the steps tell how a week goes."""

    def bounds(self, ahead: float) -> tuple[float, float]:
        """Between what the value lies, that many steps after the end of the history."""
        width = _student(self.steps - 1) * self.spread * sqrt(ahead + ahead**2 / self.steps)
        slow = fast = ahead * self.mean
        if not self.whole_weeks:
            weekends = ceil(ahead * self.step / _WEEK) * _WEEKEND / self.step
            ends = (fast * _WORKING_WEEK, max(0.0, ahead - weekends) * self.mean)
            slow, fast = min(slow, *ends), max(fast, *ends)
        return self.level + slow - width, self.level + fast + width


def forecast(points: Sequence[tuple[datetime, float | None]], limit: float) -> Forecast | None:
    """Say when the values reach a limit; None when that cannot be known.

    Args:
        points: moments with values, oldest first; unknown ones count as not measured.
        limit: in the unit of the values, such as 80 % of a disk's bytes.

    A limit that is reached already is no forecast: the answer is None.
    """
    told = foretold(points, limit)
    return told if isinstance(told, Forecast) else None


def foretold(points: Sequence[tuple[datetime, float | None]], limit: float) -> Forecast | Silence:
    """As `forecast`, with the reason why there is none."""
    known = [(moment.astimezone(UTC), value) for moment, value in points if value is not None]
    if known and known[-1][1] >= limit:
        return Silence.REACHED
    growth = _growth(known) if known else None
    if growth is None:
        return Silence.UNKNOWABLE
    if growth.mean <= 0:
        return Silence.FAR
    if not _came_true(known):
        return Silence.UNKNOWABLE
    furthest = REACH * growth.steps
    earliest = _first(growth, limit, furthest, upper=True)
    if earliest is None:
        return Silence.FAR
    latest = _first(growth, limit, furthest, upper=False)
    now = known[-1][0]
    return Forecast(
        earliest=now + earliest * growth.step,
        latest=None if latest is None else now + latest * growth.step,
        per_day=growth.mean * (_DAY / growth.step),
        level=growth.level,
        limit=limit,
    )


def _growth(known: Sequence[tuple[datetime, float]]) -> _Growth | None:
    span = known[-1][0] - known[0][0]
    if span < LEAST_SPAN:
        return None
    steps = int(span / _DAY) if span >= _DAYS_WANTED * _DAY else min(_MOST_STEPS, len(known) - 1)
    if steps < LEAST_STEPS:
        return None
    step = span / steps
    levels = _levels(known, step, steps)
    grown = [after - before for before, after in pairwise(levels)]
    return _Growth(levels[-1], step, fmean(grown), stdev(grown), steps, span >= _DAYS_WANTED * _DAY)


def _levels(known: Sequence[tuple[datetime, float]], step: timedelta, steps: int) -> list[float]:
    """The values at equal distances: the last that was measured until then."""
    levels, at = [], 0
    for number in range(steps + 1):
        moment = known[0][0] + number * step if number < steps else known[-1][0]
        while at + 1 < len(known) and known[at + 1][0] <= moment:
            at += 1
        levels.append(known[at][1])
    return levels


def _came_true(known: Sequence[tuple[datetime, float]]) -> bool:
    """Whether the first two thirds of the history would have foretold its end."""
    end = known[0][0] + 2 * (known[-1][0] - known[0][0]) / 3
    past = [(moment, value) for moment, value in known if moment <= end]
    growth = _growth(past) if past else None
    if growth is None:
        return len(known) > LEAST_STEPS  # too short to be put to the test
    low, high = growth.bounds((known[-1][0] - past[-1][0]) / growth.step)
    # Twice the interval: one unlucky past in five must not silence what is right.
    slack = (high - low) / 2
    return low - slack <= known[-1][1] <= high + slack


def _first(growth: _Growth, limit: float, furthest: int, *, upper: bool) -> float | None:
    """After how many steps a bound reaches the limit, to a hundredth of a step."""

    def reached(ahead: float) -> bool:
        return growth.bounds(ahead)[1 if upper else 0] >= limit

    if not reached(furthest):
        return None
    low, high = 0.0, float(furthest)
    for _ in range(ceil(sqrt(furthest)) + 20):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _student(degrees: int) -> float:
    """The quantile of Student's distribution, to some percent of its width.

    From that of the normal one by the expansion of Cornish and Fisher (Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.7.5).
    """
    z = NormalDist().inv_cdf(_HALF)
    return z + (z**3 + z) / (4 * degrees) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
