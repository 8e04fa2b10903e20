"""The points of a measure over time: put in steps, and broken where some are missing."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.history.chains import begin_of, day_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from bounty_ops.monitoring.history.flatten import Number
    from bounty_ops.monitoring.history.rolling import Tier
    from bounty_ops.monitoring.history.rollups import Range

#: So many times the usual distance between two points, and there is something missing.
_GAP: Final = 3


class Point(NamedTuple):
    """A measure at a moment, or in a step that begins there; None: not known."""

    at: datetime
    value: Number | None
    """The last of the step."""
    low: Number | None
    high: Number | None


def point_of(at: datetime, found: Range | None) -> Point:
    """What is known of a step."""
    if found is None:
        return Point(at, None, None, None)
    return Point(at, found.last, found.low, found.high)


def in_steps(points: Iterable[Point], tier: Tier) -> Iterator[Point]:
    """Samples in steps, as `rolling` would put them."""
    steps: dict[datetime, list[Point]] = defaultdict(list)
    for point in sorted(points, key=lambda point: point.at):
        day = begin_of(day_of(point.at))
        steps[day + tier.step_of(point.at) * tier.step].append(point)
    for at, some in steps.items():
        known = [point.value for point in some if point.value is not None]
        if known:
            yield Point(at, known[-1], min(known), max(known))
        else:
            yield Point(at, None, None, None)


def days(first: date, last: date) -> Iterator[date]:
    """From the first to the last, both included."""
    return (first + timedelta(days=day) for day in range((last - first).days + 1))


def stretches(
    since: datetime, end: datetime, rolled: set[date]
) -> Iterator[tuple[datetime, datetime]]:
    """The times of days that have not been rolled up, as few as possible."""
    begin: datetime | None = None
    for day in days(day_of(since), day_of(end)):
        if day not in rolled:
            begin = max(since, begin_of(day)) if begin is None else begin
        elif begin is not None:
            yield begin, begin_of(day)
            begin = None
    if begin is not None and begin < end:
        yield begin, end


def broken(points: Sequence[Point]) -> Iterator[Point]:
    """The points, with one that is not known where nobody measured for a while."""
    distances = [(after.at - before.at).total_seconds() for before, after in pairwise(points)]
    usual = timedelta(seconds=median(distances) if distances else 0)
    for before, after in pairwise(points):
        yield before
        if after.at - before.at > _GAP * usual:
            yield Point(before.at + usual, None, None, None)
    yield from points[-1:]
