"""What each statement of a revision did to the copy: its locks, its waits, its WAL, its files."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.pool import Pool

from bounty_ops.migrating.rehearse.waits import Span
from bounty_ops.migrating.running.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from bounty_ops.journal.evidence import StatementRecord
    from bounty_ops.migrating.rehearse.traffic import Traffic
    from bounty_ops.migrating.running.observer import Underway

#: Of every relation with a file, and of the rows that this transaction has read or written; within
#: the migration's own transaction, because nobody else sees what a rewrite has put in its place.
_READING: Final = """
SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::bigint,
       pg_catalog.pg_database_size(pg_catalog.current_database()),
       (SELECT pg_catalog.array_agg(c.oid::bigint) FROM pg_catalog.pg_class c
         WHERE c.relkind IN ('r', 'm', 'i') AND c.relfilenode <> 0 AND c.oid >= 16384),
       (SELECT pg_catalog.array_agg(c.relfilenode::bigint) FROM pg_catalog.pg_class c
         WHERE c.relkind IN ('r', 'm', 'i') AND c.relfilenode <> 0 AND c.oid >= 16384),
       (SELECT coalesce(sum(t.seq_tup_read + coalesce(t.idx_tup_fetch, 0)
                            + t.n_tup_ins + t.n_tup_upd + t.n_tup_del), 0)::bigint
          FROM pg_catalog.pg_stat_xact_all_tables t
         WHERE t.schemaname NOT IN ('pg_catalog', 'pg_toast', 'information_schema'))
"""
_NAMES: Final = """
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relkind = 'i'
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = ANY (%s) AND n.nspname <> 'pg_toast'
   -- Not what TRUNCATE left behind; of an index its table counts, for it has a first page anyway.
   AND pg_catalog.pg_relation_size(coalesce(
         (SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = c.oid), c.oid)) > 0
 ORDER BY 2, 1
"""


@dataclass(frozen=True)
class Reading:
    """What the server's gauges show at one moment."""

    wal: int
    size_bytes: int
    files: dict[int, int]
    """Relation to file."""
    rows: int
    """Read or written by this session's transaction so far."""


@dataclass(frozen=True)
class Measured:
    """A statement that was carried out in the copy."""

    record: StatementRecord
    span: Span
    wal_bytes: int
    disk_bytes: int
    rewritten: tuple[str, ...]
    online: bool
    """Whether the runner lets it run for long, because it stops nobody."""
    constant: bool = False
    """Whether it is certain to have looked at no row: then it takes as long on any table."""


class Measuring(Observer):
    """Reads the gauges before and after each statement, and shows the traffic where to look."""

    def __init__(self, traffic: Traffic, sessions: Mapping[int, psycopg.Connection[Any]]) -> None:
        self._measured: dict[tuple[str, int], Measured] = {}
        self._traffic = traffic
        self._sessions = sessions
        self._before: Reading | None = None
        self._began = 0.0

    @property
    def measured(self) -> list[Measured]:
        """Every statement that was carried out, of its last attempt."""
        return list(self._measured.values())

    def began(self, statement: Underway) -> None:
        """Read the gauges."""
        self._traffic.follow(statement.pid)
        self._before = _read(self._sessions[statement.pid])
        self._began = time.monotonic()

    def ended(self, statement: Underway, record: StatementRecord) -> None:
        """Read them again, and note the difference."""
        span = Span(self._began, time.monotonic())
        session, before = self._sessions[statement.pid], self._before
        if before is None:
            return
        after = _read(session)
        changed = [oid for oid, file in after.files.items() if before.files.get(oid, file) != file]
        rewritten = _rewritten(session, changed)
        # PostgreSQL counts by transaction, so this is not known of one that is over.
        constant = not statement.autocommit and after.rows == before.rows and not rewritten
        # A transaction that is tried again carries its first statements out again.
        self._measured[(record.revision, record.number)] = Measured(
            record=record,
            span=span,
            wal_bytes=max(0, after.wal - before.wal),
            disk_bytes=after.size_bytes - before.size_bytes,
            rewritten=rewritten,
            online=statement.online,
            constant=constant,
        )


def _read(session: psycopg.Connection[Any]) -> Reading:
    row = session.execute(_READING).fetchone()
    if row is None:  # a SELECT without FROM always has one row
        message = "the server answered a one-row query with no row"
        raise AssertionError(message)
    wal, size_bytes, oids, files, rows = row
    return Reading(wal, size_bytes, dict(zip(oids or (), files or (), strict=True)), rows)


def _rewritten(session: psycopg.Connection[Any], changed: list[int]) -> tuple[str, ...]:
    """Names of tables, and of indexes only where no table was: they are made anew with it."""
    if not changed:
        return ()
    rows = session.execute(_NAMES, [changed]).fetchall()
    tables = tuple(name for name, is_index in rows if not is_index)
    return tables or tuple(name for name, _ in rows)


@contextmanager
def sessions_by_pid() -> Iterator[dict[int, psycopg.Connection[Any]]]:
    """Know every session that SQLAlchemy opens in this thread during the block.

    An observer is told the process of a statement and not its connection, and what a transaction
    has not committed can be seen from within it only.
    """
    sessions: dict[int, psycopg.Connection[Any]] = {}
    thread = threading.get_ident()

    def opened(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's word
        if threading.get_ident() == thread:
            sessions[connection.info.backend_pid] = connection

    event.listen(Pool, "connect", opened)
    try:
        yield sessions
    finally:
        event.remove(Pool, "connect", opened)
