"""History stays within its bounds, and loses nothing before its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from bounty_ops.environments import Policy
from bounty_ops.monitoring.history import (
    Retention,
    Series,
    history_size,
    latest_collections,
    maintain,
    series,
    store_collection,
)
from bounty_ops.monitoring.history.partitions import SAMPLE, existing
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.monitoring.conftest import eventually
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
    from datetime import datetime, timedelta

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

KEEP = Retention(samples=2, five_minutes=5, hourly=60)


def _store(operations: Engine, days: range, every: timedelta = 6 * HOUR) -> None:
    for day in days:
        for step in range(DAY // every):
            at = FRIDAY + day * DAY + step * every
            size = 100 * day + step
            store_collection(operations, taken(at, relations(size, 50, size // 2)))


def _sizes(operations: Engine, until: datetime, resolution: str = "hourly") -> Series:
    return series(
        operations, "development", "relations", "t0", "size",
        since=FRIDAY, until=until, resolution=resolution,  # type: ignore[arg-type] # one of them
    )  # fmt: skip


def test_the_longest_policy_holds_for_all() -> None:
    policies = [Policy(keep_samples_days=3, keep_hourly_days=400), Policy(keep_samples_days=9)]
    assert Retention.of(policies) == (9, 90, 730)
    assert Retention.of([Policy()]) == (7, 90, 730)


def test_partitions_are_made_ahead_and_once(operations: Engine) -> None:
    made = maintain(operations, KEEP, now=FRIDAY).made
    assert [name for name in made if name.startswith("sample_2")] == [
        f"sample_202403{day:02}" for day in range(1, 9)
    ]
    again = maintain(operations, KEEP, now=FRIDAY + HOUR)
    assert (again.made, again.rolled_up, again.dropped, again.postponed) == ([], [], [], [])
    assert maintain(operations, KEEP, now=FRIDAY + DAY).made == [
        "collection_20240309", "sample_20240309",
    ]  # fmt: skip
    store_collection(operations, taken(FRIDAY + 3 * DAY, relations(1)))
    assert count(operations, "sample_20240304") == 2
    assert history_size(operations).in_default == {}


@pytest.mark.soak
def test_a_month_without_maintenance_loses_nothing(operations: Engine) -> None:
    _store(operations, range(30), every=DAY)
    now = FRIDAY + 29 * DAY + 20 * HOUR
    assert len(history_size(operations).in_default["sample_default"]) == 30
    before = _sizes(operations, now, "raw")

    done = maintain(operations, KEEP, now=now, budget_seconds=600)

    assert done.left_in_default == {}
    assert len(done.rolled_up) == 29
    with operations.connect() as connection:
        left = existing(connection, SAMPLE)
    assert left[0] == (FRIDAY + 27 * DAY).date()
    after = _sizes(operations, now)
    assert [(point.at, point.value) for point in after.points] == [
        (point.at, point.value) for point in before.points
    ]
    kept = [each.taken_at for each in latest_collections(operations, "development", 500)]
    assert (min(kept), max(kept)) == (FRIDAY + 27 * DAY, FRIDAY + 29 * DAY)


def test_work_that_takes_too_long_goes_on_the_next_time(operations: Engine) -> None:
    _store(operations, range(4))
    now = FRIDAY + 4 * DAY + HOUR
    first = maintain(operations, KEEP, now=now, budget_seconds=0)
    assert first.rolled_up == []
    assert first.dropped == []  # nothing goes that was not rolled up
    assert first.postponed == ["rolling up 2024-03-01 and later: no time was left"]
    second = maintain(operations, KEEP, now=now)
    assert len(second.rolled_up) == 4
    assert second.dropped == ["collection_20240301", "collection_20240302",
                              "sample_20240301", "sample_20240302"]  # fmt: skip


def test_what_is_too_old_goes_from_every_resolution(operations: Engine) -> None:
    _store(operations, range(2), every=12 * HOUR)
    maintain(operations, KEEP, now=FRIDAY + 2 * DAY + HOUR)
    assert count(operations, "sample_5min") > 0
    store_collection(operations, taken(FRIDAY + 90 * DAY, relations(1)))
    done = maintain(operations, KEEP, now=FRIDAY + 91 * DAY + HOUR)
    assert {"sample_20240301", "sample_5min_20240226", "sample_hourly_20240219"} <= {*done.dropped}
    assert count(operations, "sample_5min") == count(operations, "sample_hourly") == 2
    assert done.forgotten > 0
    with operations.connect() as connection:
        names = connection.scalars(text("SELECT name FROM bounty_ops.sample_subject ORDER BY 1"))
        assert names.all() == ["summary", "t0"]
    assert latest_collections(operations, "development")[0].families == {"relations": relations(1)}


def test_the_newest_collection_stays_however_old_it_is(operations: Engine) -> None:
    store_collection(operations, taken(FRIDAY, relations(7)))
    store_collection(operations, taken(FRIDAY, relations(8), environment="abandoned"))
    store_collection(operations, taken(FRIDAY + DAY, relations(9)))
    maintain(operations, KEEP, now=FRIDAY + 300 * DAY)
    store_collection(operations, taken(FRIDAY + 300 * DAY, relations(1)))
    maintain(operations, KEEP, now=FRIDAY + 301 * DAY)
    (left,) = latest_collections(operations, "abandoned")
    assert left.families == {"relations": relations(8)}
    assert len(latest_collections(operations, "development", 9)) == 2


def test_what_comes_for_a_day_that_was_rolled_up_is_rolled_up_too(operations: Engine) -> None:
    _store(operations, range(2))
    now = FRIDAY + 2 * DAY + HOUR
    maintain(operations, KEEP, now=now)
    store_collection(operations, taken(FRIDAY + DAY + 7 * HOUR, relations(777)))
    assert [day.isoformat() for day in maintain(operations, KEEP, now=now).rolled_up] == [
        "2024-03-02"
    ]
    values = [point.value for point in _sizes(operations, now).points]
    assert values == [0, 1, 2, 3, 100, 101, 777, 102, 103]


def test_what_comes_too_late_for_that_does_not_replace_the_rollup(operations: Engine) -> None:
    _store(operations, range(6))
    now = FRIDAY + 6 * DAY + HOUR
    maintain(operations, KEEP, now=now)
    store_collection(operations, taken(FRIDAY + 7 * HOUR, relations(777)))
    assert maintain(operations, KEEP, now=now).deleted == 3  # a collection and two packs
    assert [point.value for point in _sizes(operations, now).points][:4] == [0, 1, 2, 3]


def test_rows_from_the_future_are_reported_until_their_time_comes(operations: Engine) -> None:
    far = FRIDAY + 400 * DAY
    store_collection(operations, taken(far, relations(1)))
    done = maintain(operations, KEEP, now=FRIDAY)
    assert done.left_in_default == {
        "collection_default": [far.date()], "sample_default": [far.date()],
    }  # fmt: skip
    assert history_size(operations).in_default.keys() == {"collection_default", "sample_default"}
    assert maintain(operations, KEEP, now=far).left_in_default == {}


def test_somebody_who_reads_for_long_postpones_a_drop_and_nothing_else(operations: Engine) -> None:
    _store(operations, range(4), every=12 * HOUR)
    now = FRIDAY + 4 * DAY + HOUR
    with operations.begin() as reader:
        reader.execute(text("SELECT count(*) FROM bounty_ops.sample_default"))
        reader.execute(text("LOCK TABLE bounty_ops.sample IN ACCESS SHARE MODE"))
        done = maintain(operations, KEEP, now=now)
        assert "making sample_20240301: somebody else held a lock" in done.postponed
        assert "collection_20240305" in done.made
        assert len(done.rolled_up) == 4
    maintain(operations, KEEP, now=now)
    assert maintain(operations, KEEP, now=now).postponed == []
    assert history_size(operations).in_default == {}
    assert [point.value for point in _sizes(operations, now).points] == [
        0, 1, 100, 101, 200, 201, 300, 301,
    ]  # fmt: skip


def test_two_who_maintain_at_once_do_it_once(
    operations: Engine, operations_url: DatabaseUrl
) -> None:
    _store(operations, range(3), every=12 * HOUR)
    done = []

    def work() -> None:
        own = engine(operations_url, application_name="tests")
        done.append(maintain(own, KEEP, now=FRIDAY + 3 * DAY + HOUR))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rolled = [day for each in done for day in each.rolled_up]
    assert len(rolled) == len(set(rolled)) == 3
    assert [point.value for point in _sizes(operations, FRIDAY + 3 * DAY).points] == [
        0, 1, 100, 101, 200, 201,
    ]  # fmt: skip


_MAINTAIN = """
import sys
from datetime import datetime
from sqlalchemy import create_engine
from bounty_ops.monitoring.history import Retention, maintain
maintain(create_engine(sys.argv[1]), Retention(2, 5, 60), now=datetime.fromisoformat(sys.argv[2]))
"""


@pytest.mark.soak
@pytest.mark.parametrize("killed_after", range(1, 14, 2))
def test_one_that_is_killed_is_taken_up_where_it_was(
    operations: Engine, operations_url: DatabaseUrl, killed_after: int
) -> None:
    _store(operations, range(12))
    now = FRIDAY + 12 * DAY + HOUR
    before = _sizes(operations, now, "raw")
    url = operations_url.sqlalchemy().render_as_string(hide_password=False)
    working = subprocess.Popen([sys.executable, "-c", _MAINTAIN, url, now.isoformat()])
    eventually(lambda: _transactions(operations) >= killed_after, seconds=60)
    os.kill(working.pid, signal.SIGKILL)
    working.wait()

    def finished() -> bool:
        return not maintain(operations, KEEP, now=now).elsewhere  # its session is still dying

    eventually(finished)
    after = _sizes(operations, now)
    assert [(point.at, point.value) for point in after.points] == [
        (point.at, point.value) for point in before.points
    ]
    assert maintain(operations, KEEP, now=now).dropped == []


def _transactions(operations: Engine) -> int:
    """How far it is: a partition or a rolled day each."""
    return history_size(operations).partitions // 4 + count(operations, "sample_rolled_day")


def test_size_is_told_by_resolution_and_by_environment(operations: Engine) -> None:
    maintain(operations, KEEP, now=FRIDAY)
    for hour in range(6):
        at = FRIDAY + hour * HOUR
        store_collection(operations, taken(at, relations(*range(hour, 120)), environment="big"))
        store_collection(operations, taken(at, Vitals(used=hour), environment="small"))
    size = history_size(operations)
    assert size.total_bytes == (
        size.samples_bytes + size.five_minutes_bytes + size.hourly_bytes + size.dictionaries_bytes
    )
    assert size.by_environment["big"] > size.by_environment["small"] > 0
    assert sum(size.by_environment.values()) == pytest.approx(size.total_bytes, abs=2)
    assert size.samples_since == FRIDAY
    assert (size.five_minutes_since, size.hourly_since) == (None, None)
