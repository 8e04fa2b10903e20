"""What did not change is not read again, what may have changed is, and the result is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring import (
    CollectionResult,
    Indexes,
    Tables,
    collect,
    latest_collections,
    report,
    store_collection,
)
from bounty_ops.monitoring.advice.past import earlier_collections
from bounty_ops.postgres.connect import engine
from bounty_ops.seeding import seed
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import (
    Session,
    counted,
    environment_of,
    eventually,
    execute,
    waiting_in_background,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

FLUSH = "SELECT pg_stat_force_next_flush()"


def _look(
    url: DatabaseUrl, former: CollectionResult | None = None
) -> tuple[CollectionResult, Tables, Indexes]:
    result = collect(environment_of(url), families=["tables", "indexes"], former=former)
    tables, indexes = result.family(Tables), result.family(Indexes)
    assert tables is not None
    assert indexes is not None
    return result, tables, indexes


def _settled(url: DatabaseUrl) -> CollectionResult:
    """A collection after which nothing waits to be counted any more."""
    counted(url)
    found = [_look(url)[0]]

    def quiet() -> bool:
        result, tables, _ = _look(url, found[-1])
        found.append(result)
        before = found[-2].family(Tables)
        return before is not None and before.catalogue == tables.catalogue and not tables.measured

    eventually(quiet)
    return found[-1]


def _rows(url: DatabaseUrl, count: int = 3) -> None:
    for number in range(count):
        execute(url, f"CREATE TABLE t{number} (id int PRIMARY KEY, body text)")
        execute(url, f"INSERT INTO t{number} SELECT i, 'x' FROM generate_series(1, 500) i")


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_what_did_not_change_is_taken_over_and_the_result_is_the_same(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    _rows(url)
    former = _settled(url)
    _, tables, indexes = _look(url, former)
    _, fresh_tables, fresh_indexes = _look(url)
    assert (tables.measured, indexes.measured) == (0, 0)
    assert (fresh_tables.measured, fresh_indexes.measured) == (3, 3)
    assert tables.tables == fresh_tables.tables
    since = {"unscanned_since"}
    assert [index.model_dump(exclude=since) for index in indexes.indexes] == [
        index.model_dump(exclude=since) for index in fresh_indexes.indexes
    ]
    assert indexes.foreign_keys == fresh_indexes.foreign_keys


def _sizes(tables: Tables, indexes: Indexes) -> dict[str, int]:
    return {
        **{table.subject: table.total_bytes for table in tables.tables},
        **{index.subject: index.bytes for index in indexes.indexes},
    }


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO t1 SELECT i, 'y' FROM generate_series(1001, 5000) i",
        "UPDATE t1 SET body = repeat(md5(id::text), 900)",
        "TRUNCATE t1",
        "VACUUM FULL t1",
        "CREATE INDEX made ON t1 (body)",
        "REINDEX TABLE t1",
        "ALTER TABLE t1 ADD COLUMN n int DEFAULT 7",
        "ALTER TABLE t1 RENAME TO renamed",
        "DROP TABLE t1",
        "CREATE TABLE made (id int PRIMARY KEY); INSERT INTO made VALUES (1)",
    ],
)
def test_what_changed_is_measured_anew(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session], change: str
) -> None:
    _rows(fresh_database)
    former = _settled(fresh_database)
    session = open_session(fresh_database)
    session.execute(change.encode())
    session.execute(FLUSH)
    session.execute("SELECT 1")
    _, tables, indexes = _look(fresh_database, former)
    _, fresh_tables, fresh_indexes = _look(fresh_database)
    assert _sizes(tables, indexes) == _sizes(fresh_tables, fresh_indexes)
    assert tables.measured is not None
    assert tables.measured <= 1  # the other tables did not change


def test_a_table_that_an_open_transaction_writes_to_is_measured_though_nothing_is_counted_yet(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    _rows(fresh_database)
    former = _settled(fresh_database)
    writer = open_session(fresh_database, autocommit="no")
    writer.execute("INSERT INTO t1 SELECT i, 'y' FROM generate_series(1001, 50000) i")
    _, tables, indexes = _look(fresh_database, former)
    _, fresh_tables, fresh_indexes = _look(fresh_database)
    assert _sizes(tables, indexes) == _sizes(fresh_tables, fresh_indexes)
    assert tables.measured == 1


def test_a_collection_that_was_stored_serves_as_well_and_older_ones_are_found_by_their_age(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url, operations = make_database(), make_database()
    migrate_ops(operations)
    ops = engine(operations, application_name="tests")
    _rows(url)
    former = _settled(url)
    aged = [replace(former, taken_at=former.taken_at - timedelta(days=days)) for days in (9, 8, 2)]
    for one in (*aged, former):
        store_collection(ops, one)
    (stored,) = latest_collections(ops, "development")
    _, tables, indexes = _look(url, stored)
    assert (tables.measured, indexes.measured) == (0, 0)
    earlier = earlier_collections(ops, "development", former.taken_at)
    assert [one.taken_at for one in earlier] == [one.taken_at for one in aged[1:]]


def test_after_a_day_everything_is_read_anew(fresh_database: DatabaseUrl) -> None:
    _rows(fresh_database)
    former = _settled(fresh_database)
    tables = former.family(Tables)
    assert tables is not None
    assert tables.described_at is not None
    old = tables.model_copy(update={"described_at": tables.described_at - timedelta(hours=25)})
    _, again, _ = _look(fresh_database, replace(former, families={"tables": old}))
    assert again.measured == 3
    assert again.described_at is not None
    assert again.described_at > tables.described_at


def test_an_index_is_unscanned_since_the_first_collection_that_saw_it_so(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    _rows(fresh_database)
    former = _settled(fresh_database)
    first = former.family(Indexes)
    session = open_session(fresh_database)
    session.execute("SET enable_seqscan = off")
    session.execute("SELECT * FROM t1 WHERE id = 7")
    session.execute(FLUSH)
    session.execute("SELECT 1")
    _, _, indexes = _look(fresh_database, former)
    assert first is not None
    before = {index.name: index.unscanned_since for index in first.indexes}
    after = {index.name: index.unscanned_since for index in indexes.indexes}
    assert {name for name in after if after[name] != before[name]} == {"t1_pkey"}


MANY = 500


@pytest.fixture
def many_tables(fresh_database: DatabaseUrl) -> DatabaseUrl:
    execute(
        fresh_database,
        f"DO $$ BEGIN FOR n IN 1..{MANY} LOOP "
        "EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, body text)', n); "
        "END LOOP; END $$".replace("{", "{{").replace("}", "}}"),
    )
    return fresh_database


def test_of_500_tables_all_but_the_locked_ones_are_exact_and_nothing_hangs(
    many_tables: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    holder = open_session(many_tables, autocommit="no")
    holder.execute("LOCK TABLE t7 IN ACCESS EXCLUSIVE MODE")
    holder.execute("REINDEX INDEX t8_pkey")
    reader = open_session(many_tables, autocommit="no")
    reader.execute("SELECT FROM t9")
    alter = "ALTER TABLE t9 ADD COLUMN n int"
    with waiting_in_background(open_session(many_tables), open_session(many_tables), alter):
        result, tables, indexes = _look(many_tables)
        _, again, _ = _look(many_tables, result)
    locked = {table.name for table in tables.tables if not table.exact}
    assert locked == {"t7", "t8", "t9"}
    assert (tables.count, tables.estimated, again.estimated) == (MANY, 3, 3)
    assert tables.estimated / tables.count < 0.01
    assert [index.name for index in indexes.indexes if not index.exact] == ["t8_pkey"]
    assert result.seconds < 20  # nothing waited behind a lock for ever
    assert {unknown.subject for unknown in result.unknown} <= {"since when index use is counted"}


def test_when_the_locks_are_gone_the_next_collection_measures_what_it_had_estimated(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    _rows(fresh_database)
    holder = open_session(fresh_database, autocommit="no")
    holder.execute("LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE")
    result, tables, _ = _look(fresh_database)
    assert tables.estimated == 1
    holder.rollback()
    _, tables, _ = _look(fresh_database, result)
    assert tables.estimated == 0
    assert tables.measured is not None
    assert tables.measured >= 1


def test_an_index_that_is_being_built_is_no_leftover(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    _rows(fresh_database)
    reader = open_session(fresh_database, autocommit="no")
    reader.execute("SELECT FROM t1")
    reader.execute("UPDATE t1 SET body = 'z' WHERE id = 1")
    build = "CREATE INDEX CONCURRENTLY slow ON t1 (body)"
    with waiting_in_background(open_session(fresh_database), open_session(fresh_database), build):
        result, _, indexes = _look(fresh_database)
    (built,) = [index for index in indexes.indexes if index.name == "slow"]
    assert built.building is not None
    (finding,) = [finding for finding in report(result) if finding.kind == "invalid_index"]
    assert "it is being built" in finding.evidence
    assert finding.severity == "info"
    result, _, _ = _look(fresh_database)
    (finding,) = [finding for finding in report(result) if finding.kind == "invalid_index"]
    assert finding.severity == "warning"


def test_bloat_is_estimated_and_unknown_to_a_role_that_may_not_read_the_table(
    fresh_database: DatabaseUrl,
    open_session: Callable[..., Session],
    make_role: Callable[..., DatabaseUrl],
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE t (id int PRIMARY KEY)")
    session.execute("INSERT INTO t SELECT generate_series(1, 20000)")
    session.execute("VACUUM (ANALYZE) t")
    _, _, fresh = _look(fresh_database)
    session.execute("DELETE FROM t WHERE id % 10 > 0")
    session.execute("VACUUM (ANALYZE) t")
    _, _, emptied = _look(fresh_database)
    (before,), (after,) = fresh.indexes, emptied.indexes
    assert before.bloat_bytes is not None
    assert after.bloat_bytes is not None
    assert before.bloat_bytes < 0.05 * before.bytes
    assert after.bloat_bytes > 0.8 * after.bytes
    blind, _, hidden = _look(make_role(fresh_database, "IN ROLE pg_monitor"))
    assert hidden.indexes[0].bloat_bytes is None
    assert "bloat of indexes" in {unknown.subject for unknown in blind.unknown}


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_on_bountys_schema_the_report_finds_what_is_wrong_by_itself(
    make_database: Callable[..., DatabaseUrl], open_session: Callable[..., Session], major: int
) -> None:
    url = make_database(major=major, line="bounty")
    environment = environment_of(url)
    seed(environment, rows=3000)
    made = {(finding.kind, finding.subject) for finding in report(collect(environment))}
    kinds = [kind for kind, _ in made]
    assert kinds.count("foreign_key_without_index") == 22
    assert kinds.count("redundant_index") == 6
    assert ("lookup_without_index", "public.rate_limit") in made
    assert ("never_purged", "public.admin_events") in made

    session = open_session(url)
    for (key,) in session.execute("SELECT key FROM rate_limit LIMIT 10").fetchall():
        session.execute("UPDATE rate_limit SET count = count + 1 WHERE key = %s", (key,))
    session.execute("DELETE FROM admin_events WHERE expires_at < now()")
    session.close()  # what it did is counted at the latest when it ends

    def seen() -> bool:
        found = {finding.subject: finding for finding in report(collect(environment))}
        return "is looked up by key" in found["public.rate_limit"].title

    eventually(seen)
    found = {(finding.kind, finding.subject) for finding in report(collect(environment))}
    assert ("never_purged", "public.admin_events") not in found
