"""One measure over time says what was measured, and nothing that was not."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import text

from bounty_ops.monitoring.history import (
    Point,
    Retention,
    history_size,
    maintain,
    series,
    store_collection,
)
from bounty_ops_tests.monitoring.history.conftest import (
    DAY,
    FRIDAY,
    HOUR,
    Vitals,
    count,
    relations,
    taken,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.monitoring.history.series import Resolution

MINUTE = timedelta(minutes=1)
SHORT = Retention(samples=1, five_minutes=1000, hourly=1000)


def _values(
    operations: Engine,
    subject: str,
    measure: str = "size",
    *,
    days: int = 1,
    resolution: Resolution = "raw",
    family: str = "relations",
) -> list[tuple[float, float | None]]:
    """Hours since Friday, and values."""
    found = series(
        operations, "development", family, subject, measure,
        since=FRIDAY, until=FRIDAY + days * DAY, resolution=resolution,
    )  # fmt: skip
    return [((each.at - FRIDAY) / HOUR, each.value) for each in found.points]


def test_no_row_is_unchanged_and_no_collection_is_unknown(operations: Engine) -> None:
    for hour, size in ((0, 5), (1, 5), (2, 7)):
        store_collection(operations, taken(FRIDAY + hour * HOUR, relations(size, 1)))
    store_collection(operations, taken(FRIDAY + 3 * HOUR, Vitals(used=1)))  # not of this family
    store_collection(operations, taken(FRIDAY + 4 * HOUR, relations(None, 1)))
    store_collection(operations, taken(FRIDAY + 5 * HOUR, relations(8, 1, rows=3)))
    store_collection(operations, taken(FRIDAY + 10 * HOUR, relations(8, 1)))
    gap = (6, None)  # nobody measured for a while
    assert _values(operations, "t0") == [
        (0, 5), (1, 5), (2, 7), (4, None), (5, 8), gap, (10, 8),
    ]  # fmt: skip
    assert _values(operations, "t1", "rows")[-3:] == [(5, 3), gap, (10, None)]
    assert _values(operations, "summary", "total")[:3] == [(0, 6), (1, 6), (2, 8)]
    assert _values(operations, "nobody") == []
    assert {value for _, value in _values(operations, "t0", "nothing")} == {None}


def test_numbers_inside_of_values_have_a_name_too(operations: Engine) -> None:
    for hour, states in enumerate(({"idle": 1}, {"active": 4, "idle": 2}, {"active": 1})):
        store_collection(operations, taken(FRIDAY + hour * HOUR, Vitals(used=1, by_state=states)))
    found = _values(operations, "summary", "by_state.active", family="vitals")
    assert found == [(0, None), (1, 4), (2, 1)]


def test_rollups_say_what_the_samples_said(operations: Engine) -> None:
    """Against known truth: what was generated, not what was stored."""
    rng = random.Random(7)  # noqa: S311 - numbers, not secrets
    truth: dict[str, list[tuple[datetime, int | None]]] = {"t0": [], "t1": [], "t2": []}
    sizes: list[int | None] = [5, 6, 7]
    at = FRIDAY
    while at < FRIDAY + 5 * DAY:
        if (at - FRIDAY).days != 2:  # a day without any change
            sizes[0] = rng.randrange(100)
            if rng.random() < 0.15:
                sizes[1] = None if sizes[1] is not None else rng.randrange(100)
        store_collection(operations, taken(at, relations(*sizes)))
        for name, size in zip(truth, sizes, strict=True):
            truth[name].append((at, size))
        at += timedelta(minutes=rng.choice([7, 61, 130, 200]))
    end = FRIDAY + 5 * DAY

    done = maintain(operations, SHORT, now=end + HOUR, budget_seconds=600)

    assert len(done.rolled_up) == 5
    assert "sample_20240301" in done.dropped
    for resolution, step in (("5min", 5 * MINUTE), ("hourly", HOUR)):
        for name, samples in truth.items():
            found = series(
                operations, "development", "relations", name, "size",
                since=FRIDAY, until=end, resolution=resolution,  # type: ignore[arg-type] # one of them
            )  # fmt: skip
            points = [point for point in found.points if point.value is not None]
            assert points == list(_stepped(samples, step))
    # The table that never changed has a row when a week begins, and no other.
    with operations.connect() as connection:
        rows = connection.scalar(
            text(
                "SELECT count(*) FROM bounty_ops.sample_hourly AS r "
                "JOIN bounty_ops.sample_subject AS s ON s.id = r.subject_id WHERE name = 't2'"
            )
        )
    assert rows == 2  # Friday, where it began, and Monday


def _stepped(samples: list[tuple[datetime, int | None]], step: timedelta) -> list[Point]:
    points = []
    for number, group in groupby(samples, key=lambda each: (each[0] - FRIDAY) // step):
        known = [size for _, size in group if size is not None]
        if known:
            points.append(Point(FRIDAY + number * step, known[-1], min(known), max(known)))
    return points


def test_a_subject_that_vanished_is_not_shown_as_unchanged_later(operations: Engine) -> None:
    for day, sizes in enumerate(((5, 1), (5, 1), (None, 1), (None, 1), (5, 1))):
        for hour in (0, 8, 16):
            at = FRIDAY - 4 * DAY + day * DAY + hour * HOUR  # Monday to Friday
            store_collection(operations, taken(at, relations(*sizes)))
    maintain(operations, SHORT, now=FRIDAY + DAY + HOUR)
    found = series(
        operations, "development", "relations", "t0", "size",
        since=FRIDAY - 4 * DAY, until=FRIDAY + DAY, resolution="hourly",
    )  # fmt: skip
    assert [point.value for point in found.points] == [5] * 6 + [None] * 6 + [5] * 3


def test_today_is_shown_in_steps_before_it_is_rolled_up(operations: Engine) -> None:
    for minute, used in ((0, 1), (10, 9), (50, 4), (70, 2)):
        store_collection(operations, taken(FRIDAY + minute * MINUTE, Vitals(used=used)))
    found = series(
        operations, "development", "vitals", "summary", "used",
        since=FRIDAY, until=FRIDAY + DAY, resolution="hourly",
    )  # fmt: skip
    assert found.points == (Point(FRIDAY, 4, 1, 9), Point(FRIDAY + HOUR, 2, 2, 2))


def test_the_resolution_fits_the_time_that_is_asked_for(operations: Engine) -> None:
    chosen = [
        series(
            operations, "development", "vitals", "summary", "used",
            since=FRIDAY, until=FRIDAY + days * DAY,
        ).resolution
        for days in (1, 2, 3, 21, 22, 730)
    ]  # fmt: skip
    assert chosen == ["raw", "raw", "5min", "5min", "hourly", "hourly"]


def test_a_sample_takes_few_bytes(operations: Engine) -> None:
    """26 were reached by others with rows of what changed, 533 to 594 with a row for each."""
    tables, hours = 320, 24
    maintain(operations, Retention(9, 9, 9), now=FRIDAY, budget_seconds=0)
    empty = history_size(operations).samples_bytes
    rng = random.Random(3)  # noqa: S311 - numbers, not secrets
    sizes = [rng.randrange(10**9) for _ in range(tables)]
    for hour in range(hours):
        for table in range(0, tables, 5):
            sizes[table] += rng.randrange(10_000)
        found = relations(*sizes, rows=hour)
        store_collection(operations, taken(FRIDAY + hour * HOUR, found))
    used = history_size(operations).samples_bytes - empty
    assert used / (tables * hours) < 20
    assert count(operations, "collection") == hours
