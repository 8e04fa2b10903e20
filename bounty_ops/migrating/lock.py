"""The lock that makes sure of one migration runner per database.

It is a session advisory lock on a connection of its own, in autocommit mode, for three reasons:
on Alembic's connection it would open a transaction there; as a transaction lock it would be gone
as soon as a migration commits; and a runner that dies gives it back with its connection. It is
polled and never waited for: a blocked ``pg_advisory_lock`` holds a snapshot, and a CREATE INDEX
CONCURRENTLY of the holder would wait for that snapshot - a deadlock.

The session that carries revisions out holds a second lock, the fence. A runner whose connection
for the first one broke may be at work still, or its server process may be while it is dead itself;
its successor ends the process that holds the fence before it looks at anything. So two sessions
never carry out revisions at once, whatever dies when.

Session locks need a session: behind a pooler in transaction mode they mean nothing, so
`MigrationLock.require` asks the server whether this very session still holds it.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bounty_ops.migrating.errors import LockHeldError
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

APPLICATION_NAME: Final = "bounty-ops migrate"
WAIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2

_KEY: Final = (0x626F7073, 1)  # "bops": two integers, so that pg_locks shows them as they are
_FENCE: Final = (0x626F7073, 2)
_ENDING_SECONDS: Final = 30.0

_HELD: Final = """
    FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
"""
#: A network that fell silent, or something between here and the server that holds on to the
#: connection of a client that is gone, must not keep the lock: who holds it is heard of regularly.
HEARTBEAT_SECONDS: Final = 20.0
SILENCE_SECONDS: Final = 90.0
_LEASE: Final = """
    SELECT pg_catalog.set_config('idle_session_timeout', %s, false),
           pg_catalog.set_config('tcp_keepalives_idle', '30', false),
           pg_catalog.set_config('tcp_keepalives_interval', '10', false),
           pg_catalog.set_config('tcp_keepalives_count', '6', false)
"""
_OTHERS: Final = f"SELECT l.pid {_HELD} AND l.pid <> pg_backend_pid()"
_HELD_BY_ME: Final = f"SELECT 1 {_HELD} AND l.pid = pg_backend_pid()"
_HOLDER: Final = f"""
    SELECT a.pid, a.application_name, a.usename
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid IN (SELECT l.pid {_HELD})
"""  # noqa: S608 - constants


logger = logging.getLogger(__name__)


class MigrationLock:
    """The lock while it is held."""

    def __init__(self, connection: Connection[TupleRow], address: str) -> None:
        self._connection = connection
        self._address = address

    @property
    def connection(self) -> Connection[TupleRow]:
        """The connection that holds the lock, in autocommit mode."""
        return self._connection

    def require(self) -> None:
        """Raise LockHeldError unless this session holds the lock at this moment.

        A lost connection is a ServerUnavailable: the lock went with it.
        """
        if self._connection.execute(_HELD_BY_ME, _KEY).fetchone() is None:
            raise LockHeldError(
                f"{self._address}: the migration lock was lost",
                hint="Connect to the server itself: behind a pooler in transaction mode no "
                "session lock holds.",
            )

    def fence(self, session: Connection[Any]) -> None:
        """Make ``session`` the only one that carries out revisions, for as long as it lives.

        Raises LockHeldError when this runner has lost its lock, or another's process does not end.
        """
        deadline = time.monotonic() + _ENDING_SECONDS
        while True:
            row = session.execute("SELECT pg_try_advisory_lock(%s, %s)", _FENCE).fetchone()
            session.commit()
            if row is not None and row[0]:
                break
            if time.monotonic() >= deadline:
                raise self._not_ended()
            self.end_orphans()
        # Whoever lost the lock before this is told so here; whoever loses it later is ended by
        # the successor through the fence.
        self.require()

    def end_orphans(self) -> None:
        """End the server processes of runners that do not hold the lock any more.

        Raises LockHeldError when this runner has lost its lock, or may not end them.
        """
        self.require()
        deadline = time.monotonic() + _ENDING_SECONDS
        while pids := [pid for (pid,) in self._connection.execute(_OTHERS, _FENCE)]:
            if time.monotonic() >= deadline:
                raise self._not_ended()
            for pid in pids:
                logger.warning("ending the process %d of a migration runner that is gone", pid)
                try:
                    self._connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                except psycopg.errors.InsufficientPrivilege:
                    raise self._not_ended() from None
            time.sleep(POLL_SECONDS / 4)

    def _not_ended(self) -> LockHeldError:
        holder = _holder(self._connection, _FENCE)
        return LockHeldError(
            f"{self._address}: a runner is gone, but its server process goes on: {holder}",
            hint="End it as its role or as a superuser, with SELECT pg_terminate_backend(pid).",
        )


@contextmanager
def migration_lock(
    url: DatabaseUrl, *, wait_seconds: float = WAIT_SECONDS, poll_seconds: float = POLL_SECONDS
) -> Iterator[MigrationLock]:
    """Hold the database's migration lock for the length of the block.

    Raises LockHeldError, naming the holder, when it is not free within ``wait_seconds``.
    """
    with connect(url, application_name=APPLICATION_NAME) as connection:
        connection.execute(_LEASE, (f"{round(SILENCE_SECONDS * 1000)}ms",))
        _acquire(connection, url.address(), wait_seconds, poll_seconds)
        lock = MigrationLock(connection, url.address())
        lock.end_orphans()
        with _heartbeat(connection):
            yield lock
        # After an exception the closing connection gives the lock back; unlocking by hand
        # could fail on a dead connection and hide why.
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", _KEY)


@contextmanager
def _heartbeat(connection: Connection[TupleRow]) -> Iterator[None]:
    """Let the server hear of us for the length of the block."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            try:
                connection.execute("SELECT 1")
            except psycopg.Error:  # who needs the lock asks for it and is told
                return

    thread = threading.Thread(target=beat, name="bounty-ops-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _acquire(
    connection: Connection[TupleRow], address: str, wait_seconds: float, poll_seconds: float
) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _KEY).fetchone()
        if row is not None and row[0]:
            return
        if time.monotonic() >= deadline:
            raise LockHeldError(
                f"{address}: another migration is running: {_holder(connection, _KEY)}",
                hint="Wait until it has finished. If it hangs, end it at the server with "
                "SELECT pg_terminate_backend(pid).",
            )
        time.sleep(poll_seconds)


def _holder(connection: Connection[TupleRow], key: tuple[int, int]) -> str:
    row = connection.execute(_HOLDER, key).fetchone()
    if row is None:
        return "it finished just now"
    pid, application_name, role = row
    return f"pid {pid}, application {application_name or 'unnamed'!r}, role {role}"
