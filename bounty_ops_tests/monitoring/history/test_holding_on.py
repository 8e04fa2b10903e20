"""What a kill, a lock or a late sample leaves half-done is never lost from sight."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from bounty_ops.monitoring import Unknown
from bounty_ops.monitoring.history import (
    Retention,
    latest_collections,
    maintain,
    maintaining,
    partitions,
    series,
    store_collection,
)
from bounty_ops.monitoring.history.rolling import roll_up
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
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy import Connection, Engine

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring import CollectionResult

KEEP = Retention(samples=2, five_minutes=5, hourly=60)
MONDAY = FRIDAY + 3 * DAY
#: Later than any test runs: texts are kept until the day that the clock shows, at least.
LATER = datetime(2090, 1, 2, tzinfo=UTC)


def _hours(operations: Engine, subject: str, since: datetime, days: int) -> list[object]:
    found = series(
        operations, "development", "relations", subject, "size",
        since=since, until=since + days * DAY, resolution="hourly",
    )  # fmt: skip
    return [point.value for point in found.points]


def _a_day(operations: Engine, at: datetime, *sizes: int | None) -> None:
    for hour in (3, 9, 15, 21):
        store_collection(operations, taken(at + hour * HOUR, relations(*sizes)))


def _before(operations: Engine, parts: tuple[str, ...], happens: Callable[[], None]) -> None:
    """Let something happen, once, before the first statement that has one of these parts."""
    happened: list[str] = []

    def look(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if not happened and any(part in statement for part in parts):
            happened.append(statement)
            happens()

    event.listen(operations, "before_cursor_execute", look)


class _KilledError(Exception):
    """Stands for the end of the process: what was not committed is gone, and nothing follows."""


def _die() -> None:
    raise _KilledError


def test_killed_twice_around_what_came_too_late_it_still_shows_the_day(operations: Engine) -> None:
    for day in range(6):
        _a_day(operations, FRIDAY + day * DAY, day, 9)
    now = FRIDAY + 6 * DAY + HOUR
    _before(operations, ('DROP TABLE "bounty_ops"."sample_20240301"',), _die)
    with pytest.raises(_KilledError):
        maintain(operations, KEEP, now=now)
    store_collection(operations, taken(FRIDAY + 7 * HOUR, relations(777)))
    _before(operations, ("INSERT INTO bounty_ops.sample_rolled_day",), _die)
    with pytest.raises(_KilledError):  # after the late row was deleted, had that been by itself
        maintain(operations, KEEP, now=now)
    assert "sample_20240301" in maintain(operations, KEEP, now=now).dropped
    assert _hours(operations, "t0", FRIDAY, 1) == [0, 0, 0, 0]


def test_days_that_wait_to_be_rolled_up_keep_their_texts(operations: Engine) -> None:
    """Two weeks without maintenance, and then less time than it needs."""
    for day in range(12):
        result = taken(LATER + day * DAY, relations(day, 7), Vitals(used=day))
        only_then = Unknown("vitals", f"day {day}", "no permission", "grant it")
        store_collection(operations, _with(result, only_then))
    now = LATER + 12 * DAY + HOUR
    first = maintain(operations, KEEP, now=now, budget_seconds=0)
    assert first.rolled_up == []
    with operations.begin() as connection:  # one day was done before the time was over
        connection.execute(text("INSERT INTO bounty_ops.sample_rolled_day VALUES (:day, now())"),
                           {"day": LATER.date()})  # fmt: skip
    second = maintain(operations, KEEP, now=now, budget_seconds=0)
    assert "sample_20900102" in second.dropped

    kept = latest_collections(operations, "development", 30, now=now)
    assert [each.unknown[0].subject for each in kept] == [f"day {day}" for day in range(11, 0, -1)]
    third = maintain(operations, KEEP, now=now, budget_seconds=600)
    assert len(third.rolled_up) == 11
    assert _hours(operations, "t0", LATER, 12) == list(range(1, 12))


def _with(result: CollectionResult, *unknown: Unknown) -> CollectionResult:
    return replace(result, unknown=unknown)


def test_a_rollup_keeps_the_names_of_its_measures_until_it_goes(operations: Engine) -> None:
    """Hours are dropped by four weeks, so the oldest are there for longer than the policy says."""
    _a_day(operations, LATER, 5, 6)
    far = LATER + 70 * DAY
    maintain(operations, KEEP, now=LATER + DAY + HOUR)
    store_collection(operations, taken(far, Vitals(used=1)))  # nothing of these names any more
    done = maintain(operations, KEEP, now=far + DAY + HOUR)
    assert done.dropped
    assert count(operations, "sample_hourly") > 0
    assert _hours(operations, "t0", LATER, 1) == [5, 5, 5, 5]


def test_a_day_that_changes_late_takes_nothing_from_those_that_were_like_it(
    operations: Engine,
) -> None:
    """Tuesday has no row as long as it is as Monday was."""
    for day in range(3):
        _a_day(operations, MONDAY + day * DAY, 5, 9)
    always, now = Retention(30, 60, 90), MONDAY + 3 * DAY + HOUR
    assert len(maintain(operations, always, now=now).rolled_up) == 3
    store_collection(operations, taken(MONDAY + 12 * HOUR, relations(8, 9)))
    maintain(operations, always, now=now)
    assert _hours(operations, "t0", MONDAY, 3) == [5, 5, 8, 5, 5] + 8 * [5]
    assert _hours(operations, "t1", MONDAY, 3) == 13 * [9]


def test_a_day_whose_turn_comes_late_takes_nothing_from_later_ones(
    operations: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _a_day(operations, MONDAY, 5, 9)
    _a_day(operations, MONDAY + DAY, 7, 9)
    _a_day(operations, MONDAY + 2 * DAY, 5, 9)
    always, now = Retention(30, 60, 90), MONDAY + 3 * DAY + HOUR
    tuesday = (MONDAY + DAY).date()

    def locked(operations: Engine, connection: Connection, day: date) -> int:
        if day == tuesday:  # as if a writer of a large collection had not come to its end
            with connection.begin():
                connection.execute(text("SET LOCAL lock_timeout = 1"))
                connection.execute(text("LOCK TABLE bounty_ops.sample_page"))
        return roll_up(operations, connection, day)

    monkeypatch.setattr(maintaining, "roll_up", locked)
    with operations.begin() as connection:
        connection.execute(text("LOCK TABLE bounty_ops.sample_page IN ACCESS SHARE MODE"))
        done = maintain(operations, always, now=now)
    monkeypatch.undo()
    assert [day.isoformat() for day in done.rolled_up] == ["2024-03-04", "2024-03-06"]
    maintain(operations, always, now=now)
    assert _hours(operations, "t0", MONDAY, 3) == [5, 5, 5, 5, 7, 7, 7, 7, 5, 5, 5, 5]


def test_a_day_for_which_something_came_is_not_dropped_before_that_was_rolled_up(
    operations: Engine, elsewhere: Engine
) -> None:
    """It came after `maintain` had looked, and before it could drop the day."""
    for day in range(4):
        _a_day(operations, FRIDAY + day * DAY, day, 9)
    now = FRIDAY + 4 * DAY + HOUR
    maintain(operations, Retention(9, 9, 60), now=now)

    def late() -> None:
        store_collection(elsewhere, taken(FRIDAY + 12 * HOUR, relations(777, 9)))

    _before(operations, ("DETACH", "pg_advisory_xact_lock"), late)
    assert "collection_20240301" not in maintain(operations, KEEP, now=now).dropped
    assert "collection_20240301" in maintain(operations, KEEP, now=now).dropped
    assert _hours(operations, "t0", FRIDAY, 1) == [0, 0, 777, 0, 0]


def test_a_sample_is_stored_while_its_day_gets_a_partition(
    operations: Engine, elsewhere: Engine
) -> None:
    """Who waits for the DEFAULT partition would be refused by its new bounds."""
    errors: list[BaseException] = []

    def store() -> None:
        try:
            store_collection(elsewhere, taken(FRIDAY + HOUR, relations(6)))
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    thread = threading.Thread(target=store)

    def begin_to_store() -> None:
        thread.start()
        eventually(lambda: _waits(operations))

    store_collection(operations, taken(FRIDAY, relations(5)))
    _before(operations, ("ATTACH PARTITION",), begin_to_store)
    maintain(operations, KEEP, now=FRIDAY)
    thread.join()
    assert errors == []
    assert [each.families["relations"] for each in latest_collections(operations, "development", 9)]
    assert _hours(operations, "t0", FRIDAY, 1) == [5, 6]


def _waits(operations: Engine) -> bool:
    with operations.connect() as connection:
        return bool(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'elsewhere' "
                    "AND datname = current_database() AND wait_event_type = 'Lock'"
                )
            )
        )


def test_who_reads_while_a_day_gets_a_partition_sees_its_samples(
    operations: Engine, elsewhere: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In his snapshot, rows that move are neither where they were sought nor where they are."""
    monkeypatch.setattr(partitions, "_LOCK_TIMEOUT", "200ms")
    store_collection(operations, taken(FRIDAY, relations(5)))

    def move() -> None:
        postponed.extend(maintain(elsewhere, KEEP, now=FRIDAY).postponed)

    postponed: list[str] = []
    _before(operations, ("FROM bounty_ops.sample_subject",), move)
    assert latest_collections(operations, "development") == [taken(FRIDAY, relations(5))]
    assert postponed
    assert maintain(elsewhere, KEEP, now=FRIDAY).postponed == []


def test_who_reads_while_a_day_is_dropped_is_no_victim(
    operations: Engine, elsewhere: Engine
) -> None:
    """Each would wait for the other, if they locked the same tables in different orders."""
    with operations.begin() as connection:
        here = connection.scalar(text("SELECT current_database()"))
        # The server looks for a deadlock after so long, for whoever began to wait last.
        connection.execute(text(f'ALTER DATABASE "{here}" SET deadlock_timeout = 10'))
    operations.dispose()
    maintain(operations, KEEP, now=FRIDAY)
    store_collection(operations, taken(FRIDAY, relations(5)))
    dropped: list[bool] = []

    def drop() -> None:
        with elsewhere.connect() as connection:
            try:
                with partitions.alone(connection):
                    partitions.drop(connection, partitions.COLLECTION, (FRIDAY + DAY).date())
            except OperationalError:  # the reader took longer than it waits
                dropped.append(False)
            else:
                dropped.append(True)

    dropping = threading.Thread(target=drop)

    def meets_the_reader() -> None:
        dropping.start()
        eventually(lambda: bool(dropped) or _waits_for_long(operations))

    _before(operations, ("FROM bounty_ops.collection",), meets_the_reader)
    assert latest_collections(operations, "development") == [taken(FRIDAY, relations(5))]
    dropping.join()
    assert len(dropped) == 1


def _waits_for_long(operations: Engine) -> bool:
    """Whether the other's time to look for a deadlock is over."""
    statement = (
        "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted "
        "AND waitstart < clock_timestamp() - interval '100 ms' AND application_name = 'elsewhere')"
    )
    with operations.connect() as connection:
        return bool(connection.scalar(text(statement)))


@pytest.fixture
def elsewhere(operations_url: DatabaseUrl) -> Engine:
    """Another process's, as it were."""
    return engine(operations_url, application_name="elsewhere")
