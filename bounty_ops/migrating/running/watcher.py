"""Watching a statement from a second connection: whom it waits for, and who waits behind it.

PostgreSQL serves a lock's queue in its order. While an ALTER TABLE waits for one long query,
everybody who comes later waits behind the ALTER TABLE, so a statement that waits is taken back as
soon as somebody has waited behind it for as long as it may wait itself: its ``lock_timeout``
bounds each of its waits, but not their sum, nor what waits for locks that its transaction took
before. A statement that runs is left alone; its ``statement_timeout`` bounds it.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from bounty_ops.errors import BountyOpsError, PostgresError
from bounty_ops.migrating.running.blockers import BLOCKERS, Blocker
from bounty_ops.migrating.running.locks import LEFT_OUT, NAMES, NOT_TOLD, OF_ANOTHER, stronger
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.running.observer import Observer, Underway

APPLICATION_NAME: Final = "bounty-ops migrate (watcher)"
#: Somebody who waits behind us is seen so much later than the wait began, at most.
_CLOSELY: Final = 0.05
_LOOSELY: Final = 0.5
_CLOSE_FOR: Final = 10.0
_FIRST_LOOK: Final = 0.02
_LONGEST_ANSWER_MS: Final = 5_000

_STATE: Final = """
    SELECT a.wait_event_type IS NOT DISTINCT FROM 'Lock',
        w.waitstart,
        extract(epoch FROM clock_timestamp() - w.waitstart)::float8,
        (SELECT max(extract(epoch FROM clock_timestamp() - o.waitstart))::float8
         FROM (
             SELECT l.pid, l.waitstart
             FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_locks m ON m.pid = a.pid
                 AND (m.relation = l.relation OR m.transactionid = l.transactionid)
             WHERE NOT l.granted AND l.pid <> a.pid AND l.waitstart IS NOT NULL
             ORDER BY l.waitstart LIMIT 20) o
         WHERE a.pid = ANY(pg_catalog.pg_blocking_pids(o.pid)))
    FROM pg_catalog.pg_stat_activity a
    LEFT JOIN LATERAL (
        SELECT l.waitstart FROM pg_catalog.pg_locks l WHERE l.pid = a.pid AND NOT l.granted
        LIMIT 1) w ON true
    WHERE a.pid = %s
"""
_GIVE_WAY: Final = """
    SELECT pg_catalog.pg_cancel_backend(a.pid) FROM pg_catalog.pg_stat_activity a
    WHERE a.pid = %s AND a.wait_event_type = 'Lock'
"""

logger = logging.getLogger(__name__)


@dataclass
class Sight:
    """What was seen of one statement while it ran."""

    blockers: tuple[Blocker, ...] = ()
    """Those that it waited for when it was last seen waiting."""
    locks: dict[str, str] = field(default_factory=dict)
    """The strongest lock on each relation, where the watcher was asked to look for them."""
    queue_seconds: float = 0.0
    """The longest time that somebody was seen waiting behind it."""
    gave_way: bool = False
    error: BaseException | None = None
    """What an observer raised."""
    waits: dict[object, float] = field(default_factory=dict)

    @property
    def waited_seconds(self) -> float:
        """How long it was seen waiting for locks."""
        return sum(self.waits.values())


class Watcher:
    """Its own connection to the database, and a thread for each statement that lasts.

    Without a connection nothing is seen, and the migration goes on: the timeouts hold without it.
    """

    def __init__(self, url: DatabaseUrl, observer: Observer) -> None:
        self._url = url
        self._observer = observer
        self._stack = ExitStack()
        self._connection: Connection[TupleRow] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def names(self, oids: list[int]) -> dict[int, str] | None:
        """Return the names of the relations that others can see; None: it could not be asked."""
        rows = self._ask(NAMES, (oids, NOT_TOLD))
        return None if rows is None else dict(rows)

    @contextmanager
    def watching(
        self, underway: Underway, *, patience_seconds: float, locks: bool
    ) -> Iterator[Sight]:
        """Look at a statement for the length of the block.

        ``patience_seconds`` is how long others may wait behind it while it waits itself; with
        ``locks`` its locks are listed while it holds them, for it may leave none behind.
        """
        sight, over = Sight(), threading.Event()
        thread = threading.Thread(
            target=self._watch,
            args=(underway, sight, over, patience_seconds, locks),
            name="bounty-ops-watcher",
            daemon=True,
        )
        thread.start()
        try:
            yield sight
        finally:
            over.set()
            thread.join()
        if sight.error is not None:
            raise sight.error

    def _watch(
        self,
        underway: Underway,
        sight: Sight,
        over: threading.Event,
        patience_seconds: float,
        locks: bool,
    ) -> None:
        began = time.monotonic()
        pause = 0.0 if locks else min(_FIRST_LOOK, patience_seconds / 4)
        try:
            while not over.wait(pause):
                if locks:
                    self._list_locks(underway, sight)
                waiting = self._look(underway, sight, patience_seconds)
                elapsed = time.monotonic() - began
                close = waiting or elapsed < _CLOSE_FOR
                pause = min(_CLOSELY, elapsed / 2) if locks and close else _CLOSELY
                pause = pause if close else _LOOSELY
        except Exception as error:  # noqa: BLE001 - an observer's; raised by the runner's thread
            sight.error = error

    def _look(self, underway: Underway, sight: Sight, patience_seconds: float) -> bool:
        rows = self._ask(_STATE, (underway.pid,))
        if not rows:
            return False
        waiting, since, seconds, behind = rows[0]
        sight.queue_seconds = max(sight.queue_seconds, behind or 0.0)
        if not waiting:
            return False
        if since is not None:
            sight.waits[since] = seconds
        found = self._ask(BLOCKERS, (underway.pid,))
        if found:
            sight.blockers = tuple(Blocker.of(row) for row in found)
            self._observer.waits(underway, sight.blockers, sight.waited_seconds)
        if behind is not None and behind >= patience_seconds - _CLOSELY and not sight.gave_way:
            logger.info("giving way: somebody has waited behind a migration for %.1f s", behind)
            sight.gave_way = bool(self._ask(_GIVE_WAY, (underway.pid,)))
        return True

    def _list_locks(self, underway: Underway, sight: Sight) -> None:
        for name, mode in self._ask(OF_ANOTHER, (*LEFT_OUT, underway.pid)) or ():
            sight.locks[name] = stronger(sight.locks.get(name), mode)

    def _ask(self, question: str, parameters: Sequence[Any]) -> list[TupleRow] | None:
        try:
            if self._connection is None:
                self._connection = self._stack.enter_context(
                    connect(
                        self._url,
                        application_name=APPLICATION_NAME,
                        statement_timeout_ms=_LONGEST_ANSWER_MS,
                    )
                )
            return self._connection.execute(question, parameters).fetchall()
        except Exception as error:  # noqa: BLE001 - whatever it is, the migration comes first
            logger.info("a migration could not be watched: %s", type(error).__name__)
            self._close()
            return None

    def _close(self) -> None:
        self._connection = None
        try:
            self._stack.close()
        except (BountyOpsError, PostgresError):
            logger.debug("the watcher's connection broke")
