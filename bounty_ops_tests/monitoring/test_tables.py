"""Every table is measured: exactly where nobody has it locked, by estimate where somebody has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import Indexes, Tables, collect
from bounty_ops.monitoring.collectors.sizes import locked_relations, measure
from bounty_ops.monitoring.probe import open_probe
from bounty_ops.monitoring.session import LOCK_TIMEOUT_MS
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import (
    Session,
    environment_of,
    eventually,
    execute,
    waiting_in_background,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

TABLES = 20


@pytest.fixture
def filled(make_database: Callable[..., DatabaseUrl]) -> Callable[[int], DatabaseUrl]:
    def fill(major: int) -> DatabaseUrl:
        url = make_database(major=major)
        for number in range(TABLES):
            execute(url, f"CREATE TABLE t{number} (id int PRIMARY KEY, body text)")
            execute(
                url,
                f"INSERT INTO t{number} SELECT i, repeat('x', 500) FROM generate_series(1, 200) i",
            )
        return url

    return fill


def _measured(url: DatabaseUrl) -> tuple[Tables, Indexes]:
    result = collect(environment_of(url), families=["tables", "indexes"])
    tables, indexes = result.family(Tables), result.family(Indexes)
    assert tables is not None
    assert indexes is not None
    return tables, indexes


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_sizes_are_those_of_the_server_and_add_up(
    filled: Callable[[int], DatabaseUrl], open_session: Callable[..., Session], major: int
) -> None:
    url = filled(major)
    tables, indexes = _measured(url)
    assert (tables.count, tables.estimated) == (TABLES, 0)
    session = open_session(url)
    for table in tables.tables:
        row = session.execute(
            "SELECT pg_total_relation_size(%(t)s), pg_indexes_size(%(t)s), pg_table_size(%(t)s)",
            {"t": table.subject},
        ).fetchone()
        expected = (table.total_bytes, table.index_bytes, table.table_bytes + table.toast_bytes)
        assert row == expected
        assert table.exact
    assert tables.total_bytes == sum(table.total_bytes for table in tables.tables)
    assert indexes.count == TABLES
    assert indexes.total_bytes == sum(table.index_bytes for table in tables.tables)


def test_counters_and_maintenance_are_those_of_the_server(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute("CREATE TABLE t (id int PRIMARY KEY)")
    session.execute("INSERT INTO t SELECT generate_series(1, 100)")
    session.execute("DELETE FROM t WHERE id > 90")
    session.execute("SELECT pg_stat_force_next_flush()")
    session.execute("SELECT count(*) FROM t")
    (before,) = _measured(fresh_database)[0].tables
    assert (before.rows_inserted, before.rows_deleted) == (100, 10)
    assert before.dead_rows == 10
    assert before.rows is None  # the planner has never looked
    assert before.last_vacuum is None

    session.execute("VACUUM (ANALYZE) t")
    session.execute("SELECT pg_stat_force_next_flush()")
    (after,) = _measured(fresh_database)[0].tables
    assert after.dead_rows == 0
    assert (after.rows, after.live_rows) == (90, 90)
    assert after.last_vacuum is not None
    assert after.last_analyze is not None


def test_tables_of_every_kind_and_schema_are_listed_but_not_the_servers_own(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    session = open_session(fresh_database)
    session.execute('CREATE SCHEMA "Other Schema"')
    session.execute('CREATE TABLE "Other Schema"."user" (id int)')
    session.execute("CREATE TABLE measured (day date) PARTITION BY RANGE (day)")
    session.execute(
        "CREATE TABLE measured_2026 PARTITION OF measured "
        "FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
    )
    session.execute("CREATE MATERIALIZED VIEW summary_of AS SELECT 1 AS x")
    session.execute("CREATE UNLOGGED TABLE cache (x int)")
    session.execute("CREATE VIEW seen AS SELECT 1 AS x")
    session.execute("CREATE TEMPORARY TABLE mine (x int)")
    tables, _ = _measured(fresh_database)
    assert {table.subject: table.kind for table in tables.tables} == {
        "Other Schema.user": "table",
        "public.measured": "partitioned table",
        "public.measured_2026": "table",
        "public.summary_of": "materialized view",
        "public.cache": "table",
    }


def test_an_empty_database_has_no_tables(fresh_database: DatabaseUrl) -> None:
    tables, indexes = _measured(fresh_database)
    assert (tables.count, tables.total_bytes, tables.tables) == (0, 0, ())
    assert indexes.count == 0


def _assert_only_estimated(url: DatabaseUrl, table: str, index: bool = False) -> None:
    """All tables but one are measured exactly, and that one is there all the same."""
    tables, indexes = _measured(url)
    assert [t.subject for t in tables.tables if not t.exact] == [table]
    assert tables.count == TABLES
    assert tables.estimated == 1
    inexact = [i.subject for i in indexes.indexes if not i.exact]
    assert inexact == ([f"{table}_pkey"] if index else [])


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_table_that_somebody_has_locked_is_estimated_and_the_others_are_exact(
    filled: Callable[[int], DatabaseUrl], open_session: Callable[..., Session], major: int
) -> None:
    url = filled(major)
    execute(url, "VACUUM t7")
    holder = open_session(url, autocommit="no")
    holder.execute("LOCK TABLE t7 IN ACCESS EXCLUSIVE MODE")
    _assert_only_estimated(url, "public.t7")
    tables, _ = _measured(url)
    (estimated,) = [table for table in tables.tables if not table.exact]
    (exact,) = [table for table in tables.tables if table.name == "t8"]
    assert estimated.table_bytes == pytest.approx(exact.table_bytes, rel=0.5)
    assert estimated.rows == 200


def test_a_waiting_alter_table_makes_only_its_own_table_an_estimate(
    filled: Callable[[int], DatabaseUrl],
    open_session: Callable[..., Session],
    pg_programs: Programs,
) -> None:
    url = filled(pg_programs.major)
    reader = open_session(url, autocommit="no")
    reader.execute("SELECT count(*) FROM t3")
    with waiting_in_background(
        open_session(url), open_session(url), "ALTER TABLE t3 ADD COLUMN n int"
    ):
        _assert_only_estimated(url, "public.t3")


def test_a_running_reindex_makes_only_its_index_and_table_estimates(
    filled: Callable[[int], DatabaseUrl],
    open_session: Callable[..., Session],
    pg_programs: Programs,
) -> None:
    url = filled(pg_programs.major)
    # REINDEX holds its exclusive lock on the index until the end of its transaction.
    reindexing = open_session(url, autocommit="no")
    reindexing.execute("REINDEX INDEX t5_pkey")
    _assert_only_estimated(url, "public.t5", index=True)


def test_a_locked_toast_table_makes_its_table_an_estimate(
    filled: Callable[[int], DatabaseUrl],
    open_session: Callable[..., Session],
    pg_programs: Programs,
) -> None:
    url = filled(pg_programs.major)
    session = open_session(url, autocommit="no")
    row = session.execute(
        "SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 't9'"
    ).fetchone()
    assert row is not None
    session.execute(f"REINDEX TABLE {row[0]}".encode())
    _assert_only_estimated(url, "public.t9")


def test_the_look_at_the_lock_table_finds_tables_behind_locked_indexes_and_toast_tables(
    filled: Callable[[int], DatabaseUrl],
    open_session: Callable[..., Session],
    pg_programs: Programs,
) -> None:
    # Without it everything would still be measured, by running into one lock after the other.
    url = filled(pg_programs.major)
    session = open_session(url)
    found = session.execute(
        "SELECT relname, oid::int, reltoastrelid::regclass::text FROM pg_class "
        "WHERE relname IN ('t1', 't2', 't3', 't2_pkey')"
    ).fetchall()
    oids = {name: oid for name, oid, _ in found}
    (toast,) = [toast for name, _, toast in found if name == "t3"]
    holder = open_session(url, autocommit="no")
    holder.execute("LOCK TABLE t1 IN ACCESS EXCLUSIVE MODE")
    holder.execute("REINDEX INDEX t2_pkey")
    holder.execute(f"REINDEX TABLE {toast}".encode())
    holder.execute("LOCK TABLE t4 IN SHARE MODE")
    with connect(url, application_name="tests") as connection:
        locked = locked_relations(open_probe(connection, environment_of(url).policy))
    users = {oid for (oid,) in session.execute("SELECT oid::int FROM pg_class WHERE relkind = 'r'")}
    assert locked.tables & users == {oids["t1"], oids["t2"], oids["t3"]}
    assert oids["t2_pkey"] in locked.relations
    assert oids["t2"] not in locked.relations


def test_a_lock_that_comes_after_the_look_at_the_lock_table_costs_one_table_only(
    filled: Callable[[int], DatabaseUrl],
    open_session: Callable[..., Session],
    pg_programs: Programs,
) -> None:
    url = filled(pg_programs.major)
    session = open_session(url)
    oids = [
        oid for (oid,) in session.execute("SELECT oid FROM pg_class WHERE relname ~ '^t[0-9]+$'")
    ]
    row = session.execute("SELECT 't11'::regclass::oid").fetchone()
    assert row is not None
    holder = open_session(url, autocommit="no")
    holder.execute("LOCK TABLE t11 IN ACCESS EXCLUSIVE MODE")
    with connect(url, application_name="tests", lock_timeout_ms=LOCK_TIMEOUT_MS) as connection:
        probe = open_probe(connection, environment_of(url).policy)
        sizes = measure(probe, "table_sizes", oids)
    assert set(oids) - set(sizes) == {row[0]}


def test_a_table_that_was_dropped_meanwhile_is_left_out(
    fresh_database: DatabaseUrl,
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        probe = open_probe(connection, environment_of(fresh_database).policy)
        assert measure(probe, "table_sizes", [999_999_999]) == {}
        assert measure(probe, "index_sizes", []) == {}


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_what_makes_autovacuum_come_follows_the_tables_own_settings(
    make_database: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(
        url,
        "CREATE TABLE own (id int) WITH (autovacuum_vacuum_threshold = 10, "
        "autovacuum_vacuum_scale_factor = 0.5)",
    )
    execute(url, "CREATE TABLE usual (id int)")
    for name in ("own", "usual"):
        execute(url, "INSERT INTO {} SELECT generate_series(1, 100)", name)
        execute(url, "ANALYZE {}", name)
        execute(url, "DELETE FROM {} WHERE id <= 30", name)

    def told() -> dict[str, tuple[float | None, float | None]]:
        return {
            table.name: (table.vacuum_trigger_rows, table.dead_ratio_of_trigger)
            for table in _measured(url)[0].tables
        }

    eventually(lambda: told() == {"own": (60.0, 0.5), "usual": (70.0, 30 / 70)})
