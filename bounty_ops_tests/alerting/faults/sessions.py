"""What sessions of the database do: too many, too long, in each other's way."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.alerting import Rule
from bounty_ops_tests.alerting.faults.table import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from bounty_ops_tests.alerting.faults.place import Place, Session

FAULTS: Final[list[Fault]] = []


@contextmanager
def running(place: Place, one: Session, statement: str) -> Iterator[None]:
    """A statement that runs, or waits, while the block is carried out."""

    def run() -> None:
        with suppress(psycopg.Error):
            one.execute(statement.encode())

    thread = threading.Thread(target=run)
    thread.start()
    pid = one.info.backend_pid
    while not place.value(
        f"SELECT state = 'active' AND clock_timestamp() - query_start > '0.3 s' "
        f"FROM pg_stat_activity WHERE pid = {pid}"
    ):
        time.sleep(0.02)
    try:
        yield
    finally:
        one.cancel()
        thread.join()


@fault(
    FAULTS,
    Rule.CONNECTIONS_NEAR_LIMIT,
    "a database with CONNECTION LIMIT 8 has 8 connections",
    "8 of 8",
    "worker",
    grave=True,
)
def a_crowd(place: Place) -> Generator[None, None, None]:
    place.execute("ALTER DATABASE {} CONNECTION LIMIT 8", place.url.database)
    yield
    crowd = [place.session("worker") for _ in range(7)]
    yield
    for one in crowd:
        one.close()
    while place.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'worker%'"
        " AND datname = current_database()"
    ):
        time.sleep(0.02)  # a server notices only after a moment that a client is gone


@fault(
    FAULTS,
    Rule.IDLE_IN_TRANSACTION,
    "a session keeps its transaction open and does nothing",
    "forgetful",
    "pg_terminate_backend(",
    unsaid=("a secret",),
    warning=0.2,
    critical=9999,
)
def a_forgetful_session(place: Place) -> Generator[None, None, None]:
    one = place.session("forgetful")
    yield
    one.execute("BEGIN; SELECT 'a secret'")
    time.sleep(0.3)
    yield
    one.execute("ROLLBACK")


@fault(
    FAULTS,
    Rule.LONG_QUERY,
    "a query runs, and one of our own beside it",
    "report",
    "pg_cancel_backend(",
    unsaid=("bounty-ops backup",),
    warning=0.2,
)
def a_long_query(place: Place) -> Generator[None, None, None]:
    one, ours = place.session("report"), place.session("bounty-ops backup")
    yield
    statement = "SELECT pg_sleep(60)"
    with running(place, one, statement), running(place, ours, statement):
        yield


@fault(
    FAULTS,
    Rule.LONG_TRANSACTION,
    "a transaction works, and one of our own beside it",
    "report has had a transaction open",
    "pg_terminate_backend(",
    unsaid=("bounty-ops backup",),
    warning=0.2,
)
def a_long_transaction(place: Place) -> Generator[None, None, None]:
    one, ours = place.session("report"), place.session("bounty-ops backup")
    yield
    for each in (one, ours):
        each.execute("BEGIN")
    with running(place, one, "SELECT pg_sleep(60)"), running(place, ours, "SELECT pg_sleep(60)"):
        yield
    for each in (one, ours):
        each.execute("ROLLBACK")


@fault(
    FAULTS,
    Rule.LONG_TRANSACTION,
    "a transaction pauses between its statements, for less long than idle_in_transaction tells of",
    "report has had a transaction open",
    "pg_terminate_backend(",
    warning=0.2,
)
def a_transaction_with_pauses(place: Place) -> Generator[None, None, None]:
    place.rules[Rule.IDLE_IN_TRANSACTION.value] = {"enabled": True}
    place.write()
    one = place.session("report")
    yield
    one.execute("BEGIN; CREATE TEMPORARY TABLE t (id int)")
    time.sleep(0.3)
    place.each_time = lambda: _works(one)
    yield
    place.each_time = lambda: None
    one.execute("ROLLBACK")


def _works(one: Session) -> None:
    one.execute("INSERT INTO t VALUES (1)")


@contextmanager
def _blocked_by(place: Place, application: str) -> Iterator[None]:
    one = place.session(application)
    one.execute("BEGIN; LOCK TABLE bounty")
    with running(place, place.session("web"), "SELECT * FROM bounty"):
        yield
        one.execute("ROLLBACK")


@fault(
    FAULTS,
    Rule.BLOCKING,
    "an import holds a lock that a session waits for",
    "(importer)",
    "1 session waits",
    "AccessShareLock",
    warning=0.2,
    critical=9999,
    minimum=0.2,
)
def an_import_in_the_way(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE bounty (id int)")
    yield
    with _blocked_by(place, "importer"):
        yield


@fault(
    FAULTS,
    Rule.BLOCKING,
    "a migration of our own holds a lock that a session waits for; it is critical at once",
    "our own migration",
    "1 session waits",
    "AccessShareLock",
    grave=True,
    warning=0.2,
    critical=9999,
    minimum=0.2,
)
def a_migration_in_the_way(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE bounty (id int)")
    yield
    with _blocked_by(place, "bounty-ops migrate (runner)"):
        yield
