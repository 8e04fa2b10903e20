"""A snapshot that tables cannot change under: first the locks, then the snapshot.

An exported snapshot alone is not enough. A TRUNCATE, or an ALTER TABLE that rewrites the table,
committed after the export and before pg_dump has locked the table, leaves an empty table for every
reader of that snapshot: pg_dump ends well, a fingerprint taken in the same snapshot agrees, and the
backup holds nothing. So ACCESS SHARE locks on all tables come first, in a transaction that has no
snapshot yet (LOCK TABLE takes none), and the snapshot is taken behind them.

Everything that is compared later is read over this one connection: it holds the locks already, so
no ALTER TABLE that waits for them can get in its way.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import errors, sql

from bounty_ops.errors import BackupError, LockNotAvailable
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.preflight import refuse_pooler_address, refuse_unfit
from bounty_ops.postgres.relations import Relation, list_relations, query
from bounty_ops.postgres.server import ServerFacts, server_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

APPLICATION_NAME: Final = "bounty-ops backup"
#: "bounty" in ASCII: one backup of a database at a time, whoever takes it.
_ADVISORY_KEY: Final = 0x626F756E7479
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0
_TRANSACTION_TIMEOUT_SINCE: Final = 170_000

#: The tables changed between being listed and being locked: begin again.
_CHANGED: Final = (
    errors.UndefinedTable,
    errors.InvalidSchemaName,
    errors.WrongObjectType,
    errors.DeadlockDetected,
)


@dataclass(frozen=True)
class LockedSnapshot:
    """An open transaction that holds ACCESS SHARE on all tables and sees one moment."""

    id: str
    """For pg_dump's --snapshot, or SET TRANSACTION SNAPSHOT."""
    connection: psycopg.Connection[TupleRow]
    relations: tuple[Relation, ...]
    facts: ServerFacts
    taken_at: datetime
    attempts: int
    url: DatabaseUrl
    pid: int

    def somebody_waits(self) -> bool:
        """Whether another session waits for a lock that this transaction is in the way of.

        It gets in the way of every later reader in its turn, pg_dump among them. Asked over
        another connection, since this one may be in the middle of a long statement.
        """
        with connect(self.url, application_name=APPLICATION_NAME) as other:
            row = other.execute(
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks w WHERE NOT w.granted"
                " AND %s::int = ANY (pg_catalog.pg_blocking_pids(w.pid)))",
                [self.pid],
            ).fetchone()
        return bool(row and row[0])

    def release_tables(self) -> None:
        """Give the tables free before the end of the block; other backups stay shut out."""
        with suppress(psycopg.Error):  # a connection that is gone holds nothing any more
            self.connection.execute("ROLLBACK")


@contextmanager
def locked_snapshot(
    url: DatabaseUrl,
    *,
    lock_timeout_seconds: float,
    lock_attempts: int,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[LockedSnapshot]:
    """A locked snapshot of the whole database, for the length of the block.

    Args:
        url: a direct connection, not a transaction pooler.
        lock_timeout_seconds: how long one attempt waits for a lock; while it waits, everybody
            else who wants the table waits behind it.
        lock_attempts: how many attempts are made, each in a fresh transaction.
        pause: waits between them.

    Raises:
        LockNotAvailable: somebody holds a table for too long; names who.
        InsufficientPrivilege: the role would not see everything.
        BackupError: a pooler, a standby, or another backup of this database under way.
    """
    refuse_pooler_address(url)
    milliseconds = max(1, round(lock_timeout_seconds * 1000))
    with connect(
        url, application_name=APPLICATION_NAME, lock_timeout_ms=milliseconds
    ) as connection:
        facts = server_facts(connection)
        refuse_unfit(connection, url, facts)
        _settle(connection, facts)
        attempts = _Attempts(lock_attempts, pause)
        _alone(connection, url, attempts)
        yield _take(connection, url, facts, attempts)


class _Attempts:
    """A number of attempts, with growing pauses between them."""

    def __init__(self, allowed: int, pause: Callable[[float], None]) -> None:
        self.allowed = allowed
        self._pause = pause

    def __iter__(self) -> Iterator[int]:
        seconds = _FIRST_PAUSE_SECONDS
        for number in range(1, self.allowed + 1):
            if number > 1:
                self._pause(seconds)
                seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
            yield number


def _settle(connection: psycopg.Connection[TupleRow], facts: ServerFacts) -> None:
    """Pin what values look like, and let this session sit idle for hours."""
    pin_settings(connection)
    timeouts = ["statement_timeout", "idle_in_transaction_session_timeout"]
    if facts.version_num >= _TRANSACTION_TIMEOUT_SINCE:
        timeouts.append("transaction_timeout")
    for name in timeouts:
        connection.execute(sql.SQL("SET {} = 0").format(sql.Identifier(name)))
    # If this process is killed in the middle of a long scan, the server notices within seconds
    # and drops the locks, instead of at the end of the scan.
    with suppress(errors.InvalidParameterValue):  # a server on a platform that cannot
        connection.execute("SET client_connection_check_interval = '2s'")


def _alone(connection: psycopg.Connection[TupleRow], url: DatabaseUrl, attempts: _Attempts) -> None:
    """Keep other backups of this database out; polls, since a waiter would hold up VACUUM."""
    for _ in attempts:
        row = connection.execute(
            "SELECT pg_catalog.pg_try_advisory_lock(%s)", [_ADVISORY_KEY]
        ).fetchone()
        if row and row[0]:
            return
    raise BackupError(
        f"another backup of {url.address()} is under way",
        hint="Wait for it to end; a dead one releases the database within seconds.",
    )


def _take(
    connection: psycopg.Connection[TupleRow],
    url: DatabaseUrl,
    facts: ServerFacts,
    attempts: _Attempts,
) -> LockedSnapshot:
    """Lock and take the snapshot, starting over where tables change or locks are not to be had."""
    relations: Sequence[Relation] = ()
    in_the_way = ""
    for number in attempts:
        try:
            relations = list_relations(connection)
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _lock(connection, relations)
            snapshot, pid = _export(connection)
            taken_at = datetime.now(UTC)
            seen = list_relations(connection)
        except errors.LockNotAvailable:
            connection.execute("ROLLBACK")
            in_the_way = _holders(connection, relations)
        except errors.OutOfMemory:
            connection.execute("ROLLBACK")
            raise LockNotAvailable(
                f"the server has no room for locks on {len(relations)} tables",
                hint="Raise max_locks_per_transaction on the server and restart it.",
            ) from None
        except _CHANGED:
            connection.execute("ROLLBACK")
            in_the_way = "tables keep being created, dropped or renamed"
        else:
            if [one.identity for one in seen] == [one.identity for one in relations]:
                return LockedSnapshot(snapshot, connection, seen, facts, taken_at, number, url, pid)
            connection.execute("ROLLBACK")
            in_the_way = "tables keep being created, dropped or renamed"
    raise LockNotAvailable(
        f"the tables could not be locked in {attempts.allowed} attempts: {in_the_way}",
        hint="Wait for that session or end it (SELECT pg_terminate_backend(pid)); "
        "lock_timeout_seconds and lock_attempts in bounty_ops.toml say how long to try.",
    )


def _lock(connection: psycopg.Connection[TupleRow], relations: Sequence[Relation]) -> None:
    if relations:
        tables = sql.SQL(", ").join(
            sql.SQL("ONLY {}").format(relation.identifier()) for relation in relations
        )
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(tables))


def _export(connection: psycopg.Connection[TupleRow]) -> tuple[str, int]:
    row = connection.execute(
        "SELECT pg_catalog.pg_export_snapshot(), pg_catalog.pg_backend_pid()"
    ).fetchone()
    if row is None:  # a SELECT without FROM always has one row
        message = "the server answered a one-row query with no row"
        raise AssertionError(message)
    return str(row[0]), int(row[1])


def _holders(connection: psycopg.Connection[TupleRow], relations: Sequence[Relation]) -> str:
    """Who is in the way, for an operator who has to decide whether to end them."""
    rows = connection.execute(
        query("lock_holders.sql"), [[relation.oid for relation in relations]]
    ).fetchall()
    told = [
        f"process {pid} ({application or 'no application name'}, {state or 'state unknown'}"
        + (f", for {seconds} s" if seconds is not None else "")
        + f") {'holds' if granted else 'waits for'} {table}"
        for pid, application, state, seconds, table, granted in rows
    ]
    return "; ".join(told) or "whoever was in the way is gone by now"
