"""What was stored comes back exactly as it was, whatever happened before and between."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bounty_ops.monitoring import Unknown
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history import (
    Retention,
    collections_at,
    latest_collections,
    maintain,
    store_collection,
    subjects,
)
from bounty_ops.monitoring.history.storing import lock_environment
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.monitoring.conftest import eventually
from bounty_ops_tests.monitoring.history.conftest import (
    DAY,
    FRIDAY,
    HOUR,
    Relation,
    Relations,
    Vitals,
    count,
    relations,
    taken,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring import CollectionResult

MINUTE = timedelta(minutes=1)
ALWAYS = Retention(100, 1000, 1000)

_NAMES = st.sampled_from(["a", "b", "c", "public.x y", "schéma.z", "pid 12"])
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=4)
_RELATION = st.builds(
    Relation,
    name=_NAMES,
    kind=_TEXT,
    size=st.integers(0, 3) | st.integers(-(2**65), 2**65),
    rows=st.none() | st.integers(0, 2),
    ratio=st.sampled_from([0.0, -0.0, 0.1, 1e300]),
    exact=st.booleans(),
    vacuumed=st.none() | st.sampled_from([FRIDAY, FRIDAY + timedelta(microseconds=1)]),
    columns=st.sampled_from([(), ("a",), (None, "b")]),
)
_LISTS = st.lists(_RELATION, max_size=5).map(tuple)
_RELATIONS = st.builds(
    Relations, total=st.integers(0, 3), share=st.none() | st.floats(0, 1), relations=_LISTS,
    others=_LISTS,
)  # fmt: skip
_VITALS = st.builds(
    Vitals, used=st.integers(0, 3), by_state=st.dictionaries(_TEXT, st.integers(0, 2), max_size=3)
)
_UNKNOWN = st.lists(st.builds(Unknown, st.just("vitals"), _TEXT, _TEXT, _TEXT), max_size=2)
#: How far the clock goes until the next collection, and what that has.
_STEP = st.tuples(
    st.sampled_from([timedelta(), MINUTE, 9 * HOUR, 30 * HOUR, -2 * HOUR, -40 * HOUR]),
    st.none() | _RELATIONS,
    st.none() | _VITALS,
    _UNKNOWN,
    st.sampled_from([False, False, True]),
)
_environments = itertools.count()


_settings = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_STEPS = st.lists(_STEP, min_size=1, max_size=6)


@settings(_settings, max_examples=5)
@given(_STEPS)
def test_whatever_was_collected_comes_back(operations: Engine, steps: list[Any]) -> None:
    _check(operations, [(*step[:4], False) for step in steps])


@pytest.mark.soak
@settings(_settings, max_examples=100)
@given(_STEPS)
def test_whatever_was_collected_comes_back_between_maintenance(
    operations: Engine, steps: list[Any]
) -> None:
    _check(operations, steps)


def _check(operations: Engine, steps: list[Any]) -> None:
    environment = f"generated-{next(_environments)}"
    clock, stored = FRIDAY + 10 * DAY, []
    for advance, tables, vitals, unknown, maintained in steps:
        clock += advance
        found = [each for each in (tables, vitals) if each is not None]
        result = taken(clock, *found, environment=environment)
        result = replace(result, unknown=tuple(unknown))
        number = store_collection(operations, result)
        stored.append((clock, number, result))
        if maintained:
            maintain(operations, ALWAYS, now=clock)
    expected = [result for _, _, result in sorted(stored, key=lambda each: each[:2], reverse=True)]
    assert latest_collections(operations, environment, 100) == expected
    with_vitals = [_only(each, "vitals") for each in expected if "vitals" in each.families]
    assert latest_collections(operations, environment, 100, ["vitals"]) == with_vitals
    _check_read_together(operations, environment, [clock for clock, _, _ in stored])


def _check_read_together(operations: Engine, environment: str, clocks: list[datetime]) -> None:
    """What is read of several moments at once is what is read of each."""
    wanted = [(["vitals"], clock) for clock in clocks]
    wanted += [(["relations", "vitals"], clock - 6 * HOUR) for clock in clocks]
    one_by_one = [
        each
        for families, clock in wanted
        for each in latest_collections(operations, environment, 1, families, now=clock)
    ]
    assert collections_at(operations, environment, wanted) == one_by_one


def _only(result: CollectionResult, family: str) -> CollectionResult:
    return replace(
        result,
        families={family: result.families[family]},
        unknown=tuple(each for each in result.unknown if each.family == family),
    )


def test_what_did_not_change_takes_no_row_but_was_looked_at(operations: Engine) -> None:
    store_collection(operations, taken(FRIDAY, relations(5, 6, 7)))
    rows = count(operations, "sample")
    for minutes in range(1, 5):
        store_collection(operations, taken(FRIDAY + minutes * MINUTE, relations(5, 6, 7)))
    assert count(operations, "sample") == rows
    assert count(operations, "collection") == 5
    store_collection(operations, taken(FRIDAY + HOUR, relations(5, 6, 8)))
    assert count(operations, "sample") == rows + 2  # the headline and the page of tables
    (newest,) = latest_collections(operations, "development")
    assert newest == taken(FRIDAY + HOUR, relations(5, 6, 8))


def test_a_day_begins_with_everything(operations: Engine) -> None:
    for day in range(3):
        store_collection(operations, taken(FRIDAY + day * DAY, relations(5, 6)))
        with operations.begin() as connection:
            connection.execute(text("DELETE FROM bounty_ops.sample WHERE taken_at < :before"),
                               {"before": FRIDAY + day * DAY})  # fmt: skip
        (newest,) = latest_collections(operations, "development")
        assert newest.families == {"relations": relations(5, 6)}


def test_subjects_that_vanish_and_return_keep_their_place(operations: Engine) -> None:
    told = [relations(1, 2, 3), relations(1, None, 3), relations(None, None, None),
            relations(1, 2, 3), relations(4, None, 3, 9)]  # fmt: skip
    for day in range(0, 40, 8):  # longer than a subject is looked for without being asked for
        for hour, each in enumerate(told):
            store_collection(operations, taken(FRIDAY + day * DAY + hour * HOUR, each))
    newest = latest_collections(operations, "development", len(told))
    assert [each.families["relations"] for each in newest] == told[::-1]
    assert subjects(operations, "development", "relations") == ["summary", "t0", "t1", "t2", "t3"]
    assert count(operations, "sample_subject") == 5


def test_many_subjects_need_many_pages(operations: Engine) -> None:
    many = relations(*range(150))
    store_collection(operations, taken(FRIDAY, many))
    more = relations(*range(7, 207))
    store_collection(operations, taken(FRIDAY + HOUR, more))
    newest = latest_collections(operations, "development", 2)
    assert [each.families["relations"] for each in newest] == [more, many]
    assert count(operations, "sample_page") == 1 + 4


def test_a_family_is_not_known_from_a_collection_that_did_not_have_it(operations: Engine) -> None:
    store_collection(operations, taken(FRIDAY, relations(5), Vitals(used=1)))
    store_collection(operations, taken(FRIDAY + MINUTE, Vitals(used=1)))
    first, second = latest_collections(operations, "development", 2)
    assert set(first.families) == {"vitals"}
    assert set(second.families) == {"relations", "vitals"}
    (tables,) = latest_collections(operations, "development", families=["relations"])
    assert tables == taken(FRIDAY, relations(5))
    assert latest_collections(operations, "development", families=["indexes"]) == []


def test_after_many_changes_reading_begins_at_a_new_key_frame(operations: Engine) -> None:
    for minute in range(65):
        store_collection(operations, taken(FRIDAY + minute * MINUTE, Vitals(used=minute)))
    newest = latest_collections(operations, "development", 65)
    assert [each.families["vitals"] for each in newest] == [
        Vitals(used=minute) for minute in reversed(range(65))
    ]
    with operations.connect() as connection:
        frames = connection.scalar(text("SELECT count(*) FROM bounty_ops.sample WHERE is_key"))
    assert frames == 2


def test_fields_of_a_later_version_do_not_make_earlier_samples_unreadable(
    operations: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LaterRelation(Relation):
        pages: int | None = None

    class LaterRelations(Relations):
        relations: tuple[LaterRelation, ...] = ()

    before = relations(5, 6)
    after = LaterRelations(
        total=11,
        relations=(LaterRelation(name="t1", size=6, pages=2), LaterRelation(name="t0", size=5)),
    )
    store_collection(operations, taken(FRIDAY, before))
    store_collection(operations, taken(FRIDAY + MINUTE, after))
    store_collection(operations, taken(FRIDAY + 2 * MINUTE, before))
    monkeypatch.setitem(FAMILIES, "relations", (LaterRelations, None))
    third, second, first = latest_collections(operations, "development", 3)
    assert second.family(LaterRelations) == after
    found = first.family(LaterRelations)
    assert found is not None
    assert [each.pages for each in found.relations] == [None, None]
    monkeypatch.setitem(FAMILIES, "relations", (Relations, None))
    newest = latest_collections(operations, "development", 3)
    assert newest[0].families == newest[2].families == {"relations": before}
    assert third.taken_at == newest[0].taken_at


def test_samples_of_a_version_that_measured_otherwise_are_unknown_and_not_empty(
    operations: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Strict(Relations):
        needed: int

    store_collection(operations, taken(FRIDAY, relations(5), Vitals(used=1)))
    monkeypatch.setitem(FAMILIES, "relations", (Strict, None))
    (stored,) = latest_collections(operations, "development")
    assert set(stored.families) == {"vitals"}
    (unknown,) = stored.unknown
    assert (unknown.family, unknown.subject) == ("relations", "everything")
    assert "another version" in unknown.reason


def test_samples_that_somebody_deleted_are_unknown_and_not_empty(operations: Engine) -> None:
    store_collection(operations, taken(FRIDAY, relations(5)))
    with operations.begin() as connection:
        connection.execute(text("DELETE FROM bounty_ops.sample"))
    (stored,) = latest_collections(operations, "development")
    assert stored.families == {}
    assert [each.reason for each in stored.unknown] == ["its samples are no longer there"]


def test_a_clock_that_went_back_breaks_nothing_and_hides_nothing(operations: Engine) -> None:
    ahead, right = FRIDAY + 3 * DAY + HOUR, FRIDAY + HOUR
    store_collection(operations, taken(FRIDAY, relations(1, 2)))
    store_collection(operations, taken(ahead, relations(1, 3)))
    store_collection(operations, taken(right, relations(1, 3)))
    store_collection(operations, taken(right - 30 * MINUTE, relations(2, 3)))
    found = latest_collections(operations, "development", 4, now=right + MINUTE)
    assert found == [
        taken(right, relations(1, 3)),
        taken(right - 30 * MINUTE, relations(2, 3)),
        taken(FRIDAY, relations(1, 2)),
        taken(ahead, relations(1, 3)),  # the future comes last
    ]


def test_two_who_store_at_once_both_do(operations_url: DatabaseUrl) -> None:
    def store(hour: int) -> None:
        own = engine(operations_url, application_name="tests")
        for minute in range(8):
            at = FRIDAY + hour * HOUR + minute * MINUTE
            store_collection(own, taken(at, relations(minute, hour, 7), Vitals(used=minute)))

    threads = [threading.Thread(target=store, args=(hour,)) for hour in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own = engine(operations_url, application_name="tests")
    assert latest_collections(own, "development", 100) == [
        taken(
            FRIDAY + hour * HOUR + minute * MINUTE,
            relations(minute, hour, 7),
            Vitals(used=minute),
        )
        for hour in (3, 2, 1)
        for minute in reversed(range(8))
    ]
    assert count(own, "sample_subject") == 5


def test_one_that_is_killed_in_the_middle_stores_nothing(
    operations: Engine, operations_url: DatabaseUrl
) -> None:
    store_collection(operations, taken(FRIDAY, relations(1, 2)))
    errors: list[BaseException] = []

    def store() -> None:
        own = engine(operations_url, application_name="killed")
        try:
            store_collection(own, taken(FRIDAY + HOUR, relations(1, 2, 3)))
        except OperationalError as error:
            errors.append(error)

    with operations.begin() as connection:
        lock_environment(connection, "development")
        thread = threading.Thread(target=store)
        thread.start()
        eventually(lambda: _kill(operations))
        thread.join()
    assert len(errors) == 1
    assert latest_collections(operations, "development", 5) == [taken(FRIDAY, relations(1, 2))]
    store_collection(operations, taken(FRIDAY + HOUR, relations(1, 2, 3)))
    assert latest_collections(operations, "development") == [
        taken(FRIDAY + HOUR, relations(1, 2, 3))
    ]


def _kill(operations: Engine) -> bool:
    """Whether the one that waits for the lock was found and ended."""
    with operations.connect() as connection:
        ended = connection.scalars(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'killed' AND wait_event = 'advisory'"
            )
        )
        return ended.all() == [True]


def test_environments_know_nothing_of_each_other(operations: Engine) -> None:
    store_collection(operations, taken(FRIDAY, relations(1), environment="production"))
    store_collection(operations, taken(FRIDAY + HOUR, relations(1)))
    assert len(latest_collections(operations, "development", 5)) == 1
    assert latest_collections(operations, "staging") == []
    assert subjects(operations, "staging", "relations") == []
