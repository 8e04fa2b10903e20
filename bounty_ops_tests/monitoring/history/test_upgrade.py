"""An operations database with samples of before is upgraded, and keeps the newest of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import create_engine

from bounty_ops.migrating import migrate_ops
from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.runner import render_downgrade_sql, render_sql
from bounty_ops.monitoring import Unknown
from bounty_ops.monitoring.history import (
    Retention,
    history_size,
    latest_collections,
    maintain,
    store_collection,
)
from bounty_ops_tests.monitoring.history.conftest import (
    DAY,
    FRIDAY,
    HOUR,
    Relation,
    Relations,
    Vitals,
    taken,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_KEEP = Retention(7, 90, 730)
_FILL = """
    INSERT INTO bounty_ops.collection (environment, taken_at, seconds, unknown)
    SELECT environment, timestamptz '2024-03-01 00:00:00Z' + hour * interval '1 hour', 0.25,
           '[{"family": "indexes", "subject": "x", "reason": "why", "remedy": "do"}]'
    FROM unnest(ARRAY['development', 'production']) AS environment,
         generate_series(0, CASE environment WHEN 'production' THEN 2 ELSE 1 END) AS hour;
    INSERT INTO bounty_ops.collection (environment, taken_at, seconds)
    VALUES ('empty', '2024-03-01 00:00:00Z', 1);
    INSERT INTO bounty_ops.sample
    SELECT id, 'relations', 'summary', jsonb_build_object('total', id, 'share', NULL)
    FROM bounty_ops.collection WHERE environment <> 'empty'
    UNION ALL
    SELECT id, 'relations', 't' || number,
           jsonb_build_object('list', 'relations', 'name', 't' || number, 'size', 10 * id + number)
    FROM bounty_ops.collection, generate_series(0, 2) AS number WHERE environment <> 'empty'
    UNION ALL
    SELECT id, 'vitals', 'summary', '{"used": 3}' FROM bounty_ops.collection
    WHERE environment <> 'empty'
"""


def _execute(url: DatabaseUrl, statements: str) -> None:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute(statements.encode())


def test_the_newest_collection_of_each_environment_is_carried_over(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url = make_database()
    _execute(url, render_sql(OPS.directory(), None, "ops_0001"))
    _execute(url, _FILL)

    migrate_ops(url)

    operations = create_engine(url.sqlalchemy())
    why = Unknown("indexes", "x", "why", "do")
    for environment, number, hours in (("development", 3, 1), ("production", 5, 2)):
        # Numbers were handed out in this order: development 1 and 3, production 2, 4 and 5.
        (carried,) = latest_collections(operations, environment, 9)
        assert carried.taken_at == FRIDAY + hours * HOUR
        assert carried.unknown == (why,)
        found = carried.family(Relations)
        assert found is not None
        assert found.total in {2, 3, 5}
        assert found.relations == tuple(
            Relation(name=f"t{each}", size=10 * found.total + each) for each in range(3)
        )
        assert carried.family(Vitals) == Vitals(used=3)
        assert number >= found.total
    (empty,) = latest_collections(operations, "empty")
    assert (dict(empty.families), empty.unknown, empty.seconds) == ({}, (), 1)

    # And it goes on from there.
    after = taken(FRIDAY + DAY, Vitals(used=4))
    assert store_collection(operations, after) == 7
    assert latest_collections(operations, "development") == [after]
    (older,) = latest_collections(operations, "development", families=["relations"])
    assert older.taken_at == FRIDAY + HOUR
    done = maintain(operations, _KEEP, now=FRIDAY + DAY + HOUR)
    assert done.left_in_default == {}
    assert history_size(operations).in_default == {}
    assert latest_collections(operations, "production")[0].taken_at == FRIDAY + 2 * HOUR
    operations.dispose()


def test_a_downgrade_goes_back_to_the_tables_of_before(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url = make_database()
    directory = OPS.directory()
    for before, revision in ((None, "ops_0001"), ("ops_0001", "ops_0002")):
        _execute(url, render_sql(directory, before, revision))
    _execute(url, render_downgrade_sql(directory, "ops_0001", "ops_0002"))
    _execute(url, _FILL)
    migrate_ops(url)
    operations = create_engine(url.sqlalchemy())
    assert len(latest_collections(operations, "development", 9)) == 1
    operations.dispose()
