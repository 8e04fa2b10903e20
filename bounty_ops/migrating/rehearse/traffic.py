"""A reader and a writer at the touched tables, for as long as a migration runs in the copy.

A probe does what an application does, and changes nothing. The read is a SELECT of one row by its
place: planned, so that it takes a lock on the table and on each of its indexes. The write locks
the table as UPDATE does (ROW EXCLUSIVE), locks one row as UPDATE does (FOR NO KEY UPDATE), and is
rolled back: it waits for a SHARE lock and for a row that an unfinished UPDATE holds, and fires no
trigger, makes no dead row and touches no index.

A wait counts only if the server itself showed the probe waiting for a lock: a machine that was
busy for a moment is no finding. What is over within a hundredth of a second may go unseen.

A probe that waits gives up after a tenth of a second and begins again at once; the wait goes on
counting. Otherwise one that holds the table and waits for a row would be in a deadlock with the
migration that holds the row and wants the table.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import psycopg

from bounty_ops.migrating.rehearse.probe import (
    Attempt,
    Probed,
    Turns,
    read_once,
    renamed,
    write_once,
)
from bounty_ops.migrating.rehearse.waits import Span, Wait
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.rehearse.tables import Table

    Connection = psycopg.Connection[TupleRow]

APPLICATION_NAME: Final = "bounty-ops rehearsal traffic"
#: Sessions for each kind: as many tables can be found blocked at the same moment.
_SESSIONS: Final = 4
_PAUSE_SECONDS: Final = 0.01
_PATIENCE_MS: Final = 100
_LOOK_SECONDS: Final = 0.005

_WAITING: Final = """
SELECT pid FROM pg_catalog.pg_stat_activity
 WHERE datname = pg_catalog.current_database() AND application_name = %s
   AND wait_event_type = 'Lock'
"""
_LOCKED: Final = """
SELECT DISTINCT relation FROM pg_catalog.pg_locks
 WHERE locktype = 'relation' AND pid = ANY (%s)
"""


class Traffic:
    """Readers and writers; the waits that they had are there afterwards, and meanwhile."""

    def __init__(self, url: DatabaseUrl, tables: Sequence[Table]) -> None:
        self._url = url
        self._tables = {table.oid: table for table in tables}
        self._turns = (Turns("read"), Turns("write"))
        self._attended: set[int] = set()
        self._attending = threading.Lock()
        self._migrators: frozenset[int] = frozenset()
        self._under_way: dict[int, Attempt] = {}
        self._waits: list[Wait] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sessions = ExitStack()

    def __enter__(self) -> Self:
        try:
            for turns in self._turns:
                for _ in range(_SESSIONS):
                    self._start(partial(self._probe, turns=turns))
            self._start(self._look)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def attend(self, oids: Iterable[int]) -> None:
        """Probe these tables from now on, as far as they were there before the migration."""
        for oid in oids:
            table = self._tables.get(oid)
            with self._attending:
                if table is None or oid in self._attended:
                    continue
                self._attended.add(oid)
            for turns in self._turns:
                if turns.kind == "read" or not table.is_view:
                    turns.add(Probed(oid, table.label, table.identifier()))

    def follow(self, pid: int) -> None:
        """Attend to whatever the session with this pid locks, too."""
        self._migrators |= {pid}

    def waits(self) -> tuple[Wait, ...]:
        """Every wait that is over."""
        return tuple(self._waits)

    def stop(self) -> None:
        """End all probes, those that wait too."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._sessions.close()

    def _start(self, work: Callable[[Connection], None]) -> None:
        session = self._sessions.enter_context(
            connect(self._url, application_name=APPLICATION_NAME, lock_timeout_ms=_PATIENCE_MS)
        )
        thread = threading.Thread(
            target=work, args=(session,), name="bounty-ops-traffic", daemon=True
        )
        thread.start()
        self._threads.append(thread)

    def _probe(self, session: Connection, turns: Turns) -> None:
        once = read_once if turns.kind == "read" else write_once
        while not self._stopping.wait(_PAUSE_SECONDS):
            probed = turns.take()
            if probed is None:
                continue
            there = True
            try:
                there = self._attempt(session, turns, probed, once)
            except psycopg.OperationalError:
                return  # the server is gone; whoever migrates there is told
            finally:
                turns.give_back(probed, again=there)

    def _attempt(
        self,
        session: Connection,
        turns: Turns,
        probed: Probed,
        once: Callable[[Connection, Probed], float],
    ) -> bool:
        """Probe until it is done, however often that has to be tried; False: there is no table."""
        attempt = Attempt()
        pid = session.info.backend_pid
        self._under_way[pid] = attempt
        began = ended = time.monotonic()
        try:
            while True:
                try:
                    ended = once(session, probed)
                except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
                    ended = time.monotonic()
                    if self._stopping.is_set():
                        return True
                else:
                    return True
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            ended = time.monotonic()
            return renamed(session, probed)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise
            return False  # not for this role, or not of this kind of table
        finally:
            del self._under_way[pid]
            if attempt.seen_waiting:
                self._waits.append(Wait(probed.label, turns.kind, Span(began, ended)))

    def _look(self, session: Connection) -> None:
        """Ask the server which probes wait for a lock, and what the migration has locked."""
        while not self._stopping.wait(_LOOK_SECONDS):
            before = dict(self._under_way)
            try:
                waiting = session.execute(_WAITING, [APPLICATION_NAME]).fetchall()
                locked = session.execute(_LOCKED, [list(self._migrators)]).fetchall()
            except psycopg.OperationalError:
                return
            for (pid,) in waiting:
                attempt = before.get(pid)
                if attempt is not None:
                    attempt.seen_waiting = True
            self.attend(oid for (oid,) in locked)
