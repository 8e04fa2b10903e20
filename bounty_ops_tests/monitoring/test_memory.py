"""What a collection leaves to the next one is kept with its samples, and only the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import CollectionResult
from bounty_ops.monitoring.history import recall, store_collection
from bounty_ops.postgres.connect import engine

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def operations(fresh_operations: DatabaseUrl) -> Engine:
    return engine(fresh_operations, application_name="tests")


def _leaving(taken_at: datetime, environment: str = "staging", **left: bytes) -> CollectionResult:
    return CollectionResult(environment, taken_at, 0.5, {}, memory=left)


def test_each_family_is_remembered_until_a_later_collection_of_it(operations: Engine) -> None:
    assert recall(operations, "staging") == {}
    store_collection(operations, _leaving(NOW, queries=b"first", tables=b"t"))
    store_collection(operations, _leaving(NOW + timedelta(minutes=5), queries=b"second"))
    # Two at a time: the one that began earlier is stored later.
    store_collection(operations, _leaving(NOW + timedelta(minutes=4), queries=b"overtaken"))
    store_collection(operations, _leaving(NOW, "production", queries=b"other"))
    assert recall(operations, "staging") == {"queries": b"second", "tables": b"t"}
    assert recall(operations, "production") == {"queries": b"other"}
