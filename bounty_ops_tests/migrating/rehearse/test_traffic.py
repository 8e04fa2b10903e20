"""The probes wait for what an application would wait for, and for nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.migrating.rehearse.tables import read_tables
from bounty_ops.migrating.rehearse.traffic import APPLICATION_NAME, Traffic
from bounty_ops.migrating.rehearse.waits import longest
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_backups import run, sessions, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.rehearse.tables import Table

HELD_SECONDS = 0.6


@pytest.fixture
def things(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A table with rows, and others."""
    run(
        fresh_database,
        "CREATE TABLE thing (id int PRIMARY KEY, name text)",
        "INSERT INTO thing SELECT g, 'thing' FROM generate_series(1, 1000) g",
        "CREATE TABLE other (id int)",
        "CREATE TABLE event (at date) PARTITION BY RANGE (at)",
        "CREATE TABLE event_now PARTITION OF event DEFAULT",
        "CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM thing",
    )
    return fresh_database


def tables_of(url: DatabaseUrl) -> tuple[Table, ...]:
    with connect(url, application_name="tests") as connection:
        return read_tables(connection)


def hold(traffic: Traffic, stopped: int) -> None:
    """Keep what is locked for a while after so many probes were seen waiting for it."""
    assert wait_until(
        lambda: sum(one.seen_waiting for one in (*traffic._under_way.values(),)) >= stopped, 30
    )
    time.sleep(HELD_SECONDS)


def observe(
    url: DatabaseUrl, *statements: str, attended: bool = True, stopped: int = 2
) -> dict[str, float]:
    """Which probes waited for how long while a transaction with these statements was open."""
    tables = tables_of(url)
    with Traffic(url, tables) as traffic:
        if attended:
            traffic.attend(table.oid for table in tables)
        with connect(url, application_name="migrator", autocommit=False) as session:
            traffic.follow(session.info.backend_pid)
            for statement in statements:
                session.execute(statement.encode())
            hold(traffic, stopped)
            session.rollback()
        time.sleep(0.1)
        traffic.stop()
        waits = traffic.waits()
    return {kind: longest(waits, kind) for kind in ("read", "write")}


@pytest.mark.parametrize(
    ("statement", "stopped"),
    [
        ("LOCK TABLE thing IN ACCESS EXCLUSIVE MODE", {"read", "write"}),
        ("LOCK TABLE thing IN SHARE MODE", {"write"}),
        ("LOCK TABLE thing IN SHARE UPDATE EXCLUSIVE MODE", set()),
        ("UPDATE thing SET name = 'x'", {"write"}),
        ("SELECT 1 FROM thing FOR KEY SHARE", set()),
        # An index that is locked stops whoever plans a query of its table.
        ("DROP INDEX thing_name", {"read", "write"}),
        ("REFRESH MATERIALIZED VIEW summary", {"read"}),
        ("CREATE TABLE brand_new (id int)", set()),
        ("LOCK TABLE ONLY event IN ACCESS EXCLUSIVE MODE", {"read", "write"}),
        ("LOCK TABLE event_now IN SHARE MODE", {"write"}),
    ],
)
@pytest.mark.many(every=3)
def test_a_lock_stops_whom_it_conflicts_with(
    things: DatabaseUrl, statement: str, stopped: set[str]
) -> None:
    run(things, "CREATE INDEX thing_name ON thing (name)")

    waited = observe(things, statement, stopped=len(stopped))

    assert {kind for kind, seconds in waited.items() if seconds > 0} == stopped
    assert all(waited[kind] > HELD_SECONDS / 2 for kind in stopped)


def test_a_table_that_nobody_named_is_probed_once_it_is_locked(things: DatabaseUrl) -> None:
    waited = observe(things, "LOCK TABLE other IN ACCESS EXCLUSIVE MODE", attended=False)

    assert waited["read"] > HELD_SECONDS / 4
    assert waited["write"] > HELD_SECONDS / 4


def test_probes_make_no_deadlock_with_a_migration_that_wants_the_table_after_its_rows(
    things: DatabaseUrl,
) -> None:
    # The probe holds the table and waits for the row, the migration the other way round.
    waited = observe(
        things, "UPDATE thing SET name = 'x'", "SELECT pg_sleep(0.2)", "ALTER TABLE thing ADD x int"
    )

    assert waited["write"] > HELD_SECONDS


def test_probes_change_nothing_and_fire_no_trigger(things: DatabaseUrl) -> None:
    run(
        things,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE 'touched'; END $$",
        "CREATE TRIGGER refuse BEFORE UPDATE OR INSERT OR DELETE ON thing"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
        "ALTER TABLE thing ENABLE ALWAYS TRIGGER refuse",
    )
    content = "SELECT md5(string_agg(thing::text, ',' ORDER BY id)) FROM thing"
    size = "SELECT pg_relation_size('thing')"
    before = (value(things, content), value(things, size))

    observe(things, "LOCK TABLE thing IN ACCESS EXCLUSIVE MODE")

    assert (value(things, content), value(things, size)) == before


def test_a_table_that_is_renamed_or_dropped_meanwhile(things: DatabaseUrl) -> None:
    tables = tables_of(things)
    with Traffic(things, tables) as traffic:
        traffic.attend(table.oid for table in tables)
        time.sleep(0.1)
        run(things, "ALTER TABLE thing RENAME TO item", "DROP TABLE other")
        time.sleep(0.1)
        with connect(things, application_name="migrator", autocommit=False) as session:
            session.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
            hold(traffic, stopped=2)
        time.sleep(0.1)
        traffic.stop()

        assert longest(traffic.waits(), "read") > HELD_SECONDS / 2


def test_probes_end_at_once_even_while_they_wait(things: DatabaseUrl) -> None:
    tables = tables_of(things)
    with connect(things, application_name="in the way", autocommit=False) as session:
        session.execute("LOCK TABLE thing IN ACCESS EXCLUSIVE MODE")
        with Traffic(things, tables) as traffic:
            traffic.attend(table.oid for table in tables)
            assert wait_until(lambda: _waiting(things) > 0, 30)
            # Not before the traffic has seen it too.
            assert wait_until(
                lambda: any(one.seen_waiting for one in (*traffic._under_way.values(),)), 30
            )

        assert {wait.table for wait in traffic.waits()} == {"public.thing"}


def _waiting(url: DatabaseUrl) -> int:
    found: int = value(
        url,
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        f" AND datname = '{url.database}'",
    )
    return found


@pytest.fixture(autouse=True)
def _no_probe_stays(things: DatabaseUrl) -> Iterator[None]:
    yield
    assert wait_until(lambda: APPLICATION_NAME not in sessions(things), 30)
