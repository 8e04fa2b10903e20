"""What was stored comes back as it was, and old samples go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring import (
    CollectionResult,
    collect,
    latest_collections,
    prune,
    report,
    store_collection,
)
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.monitoring.conftest import Session, environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def operations(make_database: Callable[..., DatabaseUrl]) -> Engine:
    url = make_database()
    migrate_ops(url)
    return engine(url, application_name="tests")


def _empty(taken_at: datetime, environment: str = "development") -> CollectionResult:
    return CollectionResult(environment, taken_at, 0.5, {})


def test_a_stored_collection_comes_back_equal(
    fresh_database: DatabaseUrl, operations: Engine, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "CREATE TABLE parent (id int PRIMARY KEY)")
    execute(fresh_database, "CREATE TABLE child (parent int REFERENCES parent)")
    open_session(fresh_database, autocommit="no").execute("SELECT 'data' AS x")
    result = collect(environment_of(fresh_database, slow_query_seconds=0.000_001))

    store_collection(operations, result)
    (stored,) = latest_collections(operations, "development")

    assert stored == result
    assert report(stored) == report(result)
    assert stored.to_json() == result.to_json()


def test_collections_come_newest_first_and_of_one_environment(operations: Engine) -> None:
    for hours in (3, 1, 2):
        store_collection(operations, _empty(NOW - timedelta(hours=hours)))
    store_collection(operations, _empty(NOW, environment="production"))
    found = latest_collections(operations, "development", limit=2)
    assert [each.taken_at for each in found] == [
        NOW - timedelta(hours=1),
        NOW - timedelta(hours=2),
    ]
    assert latest_collections(operations, "staging") == []


def test_old_collections_are_deleted_with_their_samples_and_no_others(
    fresh_database: DatabaseUrl, operations: Engine
) -> None:
    measured = collect(environment_of(fresh_database))
    for days in (0, 29, 31, 400):
        store_collection(operations, replace(measured, taken_at=NOW - timedelta(days=days)))
    other = replace(measured, environment="production", taken_at=NOW - timedelta(days=400))
    store_collection(operations, other)

    assert prune(operations, "development", 30, now=NOW) == 2

    left = latest_collections(operations, "development", limit=10)
    assert [(NOW - each.taken_at).days for each in left] == [0, 29]
    assert len(latest_collections(operations, "production")) == 1
    assert prune(operations, "development", 30, now=NOW) == 0


def test_the_newest_collection_stays_however_old_it_is(operations: Engine) -> None:
    for days in (100, 101):
        store_collection(operations, _empty(NOW - timedelta(days=days)))
    assert prune(operations, "development", 30, now=NOW) == 1
    (left,) = latest_collections(operations, "development", limit=10)
    assert left.taken_at == NOW - timedelta(days=100)
