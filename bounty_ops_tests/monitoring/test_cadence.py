"""Each family has its time, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.cadence import INTERVALS, due, families_of
from bounty_ops.monitoring.collectors import FAMILIES

if TYPE_CHECKING:
    from bounty_ops.monitoring.result import Cadence

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_what_was_never_measured_is_due() -> None:
    assert due({}, NOW) == INTERVALS.keys()
    assert families_of(due({}, NOW)) == tuple(FAMILIES)


def test_an_hour_of_minutes_measures_each_at_its_pace() -> None:
    last: dict[Cadence, datetime] = {}
    counts: dict[Cadence, int] = dict.fromkeys(INTERVALS, 0)
    for minute in range(60):
        # Ticks come when they come.
        now = NOW + timedelta(minutes=minute, seconds=minute * 7 % 11)
        for cadence in due(last, now):
            counts[cadence] += 1
            last[cadence] = now
    assert counts == {"vitals": 60, "deltas": 12, "tables": 4}


@given(st.timedeltas(min_value=timedelta(days=-1000), max_value=timedelta(days=1000)))
def test_a_clock_that_was_set_stops_nothing(ahead: timedelta) -> None:
    last = dict.fromkeys(INTERVALS, NOW + ahead)
    late = {
        cadence
        for cadence, interval in INTERVALS.items()
        if -ahead >= interval or ahead > timedelta()
    }
    assert late <= due(last, NOW)


def test_vital_signs_are_few() -> None:
    assert families_of(frozenset({"vitals"})) == tuple(
        name for name, (kind, _) in FAMILIES.items() if kind.cadence == "vitals"
    )
    assert "tables" not in families_of(frozenset({"vitals", "deltas"}))
