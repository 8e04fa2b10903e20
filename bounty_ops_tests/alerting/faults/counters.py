"""What the server counts: deadlocks, blocks, statements, transaction ids, bytes of WAL."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bounty_ops.alerting import Rule
from bounty_ops_tests.alerting.faults.place import HOUR, MINUTE, Place
from bounty_ops_tests.alerting.faults.table import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Generator

FAULTS: Final[list[Fault]] = []


@fault(
    FAULTS,
    Rule.DEADLOCKS,
    "two sessions lock two tables in different orders",
    "1 deadlocks within 16 min",
    "40P01",
    lingers=16 * MINUTE,
    warning=1,
)
def two_orders(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    yield
    place.passes(16 * MINUTE)
    sides = [place.session(), place.session()]
    for one in sides:
        one.execute("SET deadlock_timeout = '20ms'")
    for one, table in zip(sides, "ab", strict=True):
        one.execute(f"BEGIN; LOCK TABLE {table}".encode())

    def crosses(one: psycopg.Connection[Any], table: str) -> None:
        with suppress(psycopg.errors.DeadlockDetected):  # the server ends this one or that one
            one.execute(f"LOCK TABLE {table}".encode())
        one.execute("ROLLBACK")

    threads = [
        threading.Thread(target=crosses, args=pair) for pair in zip(sides, "ba", strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in sides:
        one.close()  # which reports what it did
    _wait(place, "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()")
    yield


def _wait(place: Place, condition: str) -> None:
    """What a server counts can be seen only after a moment."""
    while not place.value(condition):
        time.sleep(0.05)


@fault(
    FAULTS,
    Rule.CACHE_HITS_LOW,
    "a table that the cache cannot hold is read again and again; recorded, and told to nobody",
    "of the blocks were in the cache",
    lingers=16 * MINUTE,
    minimum=20_000,
)
def a_table_too_large(place: Place) -> Generator[None, None, None]:
    place.url = place.make_database(place.server_with_statistics())
    place.execute(
        "CREATE TABLE large AS SELECT repeat('x', 2000) AS text FROM generate_series(1, 4000)"
    )
    place.execute("VACUUM large")
    place.write()
    yield

    def read() -> None:
        one = place.session("reader")
        for _ in range(30):
            one.execute("SELECT count(text) FROM large")
        one.execute("SELECT pg_stat_force_next_flush()")
        one.close()

    place.each_time = read
    place.passes(16 * MINUTE)
    yield
    place.each_time = lambda: None


@fault(
    FAULTS,
    Rule.SLOW_QUERY_REGRESSION,
    "a function of a statement becomes slow, after a week of samples",
    "times as long as usual",
    "slowly",
    lingers=5 * MINUTE,
)
def a_slower_function(place: Place) -> Generator[None, None, None]:
    place.url = place.make_database(place.server_with_statistics())
    place.execute("CREATE EXTENSION pg_stat_statements")
    define = (
        "CREATE OR REPLACE FUNCTION slowly() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep({})'"
    )
    place.execute(define.replace("{}", "0.002"))
    place.write()
    place.measures = False
    work = place.session("app")

    def interval(**ago: float) -> None:
        for _ in range(6):
            work.execute("SELECT slowly()")
        at, place.now = place.now, place.now - timedelta(**ago)
        place.measure()
        place.now = at

    for number in range(14, 0, -1):
        interval(hours=number * 12)
    interval(minutes=5)
    interval()
    yield
    place.execute(define.replace("{}", "0.03"))
    place.passes(10 * MINUTE)
    interval(minutes=5)
    interval()
    yield
    place.execute(define.replace("{}", "0.002"))
    place.each_time = interval


@fault(
    FAULTS,
    Rule.TRANSACTION_IDS,
    "3,000 transaction ids are used, and nothing is frozen",
    "VACUUM (FREEZE)",
    grave=False,
)
def ids_are_used(place: Place) -> Generator[None, None, None]:
    server = place.server_with_statistics()
    place.url = place.make_database(server)
    limit = 2**31 - 3_000_000
    place.execute("CREATE TABLE t (id int)")
    _freeze(place)
    age = place.value("SELECT max(age(datfrozenxid)) FROM pg_database")
    place.rules[Rule.TRANSACTION_IDS.value] |= {"warning": (age + 2_000) / limit, "critical": 1}
    place.write()
    yield
    place.execute(
        "DO $$ BEGIN FOR i IN 1..3000 LOOP BEGIN INSERT INTO t VALUES (i);"
        " EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$"
    )
    yield
    _freeze(place)


def _freeze(place: Place) -> None:
    """Every database of the server, also those that nobody connects to."""
    place.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    here = place.url
    conninfo: dict[str, Any] = here.conninfo()
    with psycopg.connect(**conninfo, autocommit=True) as one:
        names = [row[0] for row in one.execute("SELECT datname FROM pg_database").fetchall()]
    for name in names:
        place.url = here.with_database(name)
        place.execute("VACUUM (FREEZE)")
    place.url = here
    place.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS false")


#: What the standby was behind when it was at its beginning, or paused, is told for a while.
_CAUGHT_UP: Final = (
    "SELECT count(*) = 1 AND bool_and(coalesce(replay_lag, '0') < '0.2 s'"
    " AND replay_lsn = pg_current_wal_lsn()) FROM pg_stat_replication"
)


@fault(
    FAULTS,
    Rule.REPLICATION_LAG,
    "a standby is told not to replay what it gets",
    "behind",
    "long queries there",
    warning=0.2,
    critical=9999,
)
def a_standby_that_waits(place: Place) -> Generator[None, None, None]:
    primary, standby = place.server_with_standby()
    place.url = primary
    place.write()
    follower = place.session("operator", standby)
    _wait(place, _CAUGHT_UP)
    yield
    follower.execute("SELECT pg_wal_replay_pause()")
    place.execute("CREATE TABLE IF NOT EXISTS moving (id int)")
    place.each_time = lambda: _writes(place)
    yield
    place.each_time = lambda: None
    follower.execute("SELECT pg_wal_replay_resume()")
    place.execute("INSERT INTO moving VALUES (1)")
    _wait(place, _CAUGHT_UP)


def _writes(place: Place) -> None:
    place.execute("INSERT INTO moving VALUES (1)")
    time.sleep(0.6)


@fault(
    FAULTS,
    Rule.REPLICATION_SLOT,
    "a slot keeps WAL that nobody reads",
    "replication slot reader keeps",
    "pg_drop_replication_slot('reader')",
    warning=100_000,
    critical=1e12,
)
def a_slot_that_keeps_much(place: Place) -> Generator[None, None, None]:
    place.url = place.make_database(place.server_with_statistics())
    place.write()
    yield
    place.execute("SELECT pg_create_physical_replication_slot('reader', true)")
    place.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 20000)")
    yield
    place.execute("SELECT pg_drop_replication_slot('reader')")


@fault(
    FAULTS,
    Rule.REPLICATION_SLOT,
    "a slot is read by nobody for 15 minutes",
    "replication slot left is not read by anybody",
    "pg_drop_replication_slot('left')",
)
def a_slot_that_is_left(place: Place) -> Generator[None, None, None]:
    place.url = place.make_database(place.server_with_statistics())
    place.write()
    yield
    place.execute("SELECT pg_create_physical_replication_slot('left', true)")
    place.look()
    place.passes(HOUR / 4 + MINUTE)
    yield
    place.execute("SELECT pg_drop_replication_slot('left')")
