"""Charts of what was stored: gaps and resets are no growth, and limits come with a forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Policy
from bounty_ops.monitoring import CollectionResult, Sequences, store_collection
from bounty_ops.monitoring.telling.pictures import _rates, pictures
from bounty_ops.postgres.connect import engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def operations(fresh_operations: DatabaseUrl) -> Iterator[Engine]:
    made = engine(fresh_operations, application_name="tests")
    yield made
    made.dispose()


def _sequences(at: datetime, ratio: float) -> CollectionResult:
    found = Sequences(count=1, unreadable=0, worst_ratio=ratio, sequences=())
    return CollectionResult("production", at, 0.1, {Sequences.family: found})


def test_a_sequence_that_fills_up_is_drawn_with_the_days_on_which_it_is_full(
    operations: Engine,
) -> None:
    results = [_sequences(NOW - number * 12 * HOUR, 0.6 - number * 0.01) for number in range(20)]
    for result in reversed(results):
        store_collection(operations, result)

    charts = {one.title: one for one in pictures(operations, results[0], Policy(), now=NOW)}

    assert charts["Fullest sequence"].note.startswith("Reaches 80% between 2026-1")
    assert charts["Fullest sequence"].svg is not None
    # Nothing else was measured, and that is what the others say.
    others = [one for title, one in charts.items() if title != "Fullest sequence"]
    assert [one.svg for one in others] == [None] * len(others)
    assert [one.note for one in others] == [""] * len(others)


def test_counters_that_begin_anew_and_gaps_are_no_growth() -> None:
    counted = [100.0, 3700.0, None, 4000.0, 7600.0, 10.0, 3610.0]
    points = [(NOW + number * HOUR, value) for number, value in enumerate(counted)]

    assert [value for _, value in _rates(points)] == [1.0, None, None, 1.0, None, 1.0]
