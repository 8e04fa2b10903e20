"""The lock that makes sure of one migration runner per database.

It is a session advisory lock on a connection of its own, in autocommit mode, for three reasons:
on Alembic's connection it would open a transaction there; as a transaction lock it would be gone
as soon as a migration commits; and a runner that dies gives it back with its connection. It is
polled and never waited for: a blocked ``pg_advisory_lock`` holds a snapshot, and a CREATE INDEX
CONCURRENTLY of the holder would wait for that snapshot - a deadlock.

Session locks need a session: behind a pooler in transaction mode they mean nothing, so
`MigrationLock.require` asks the server whether this very session still holds it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

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

_HELD: Final = """
    FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'advisory' AND l.granted
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
"""
_HELD_BY_ME: Final = f"SELECT 1 {_HELD} AND l.pid = pg_backend_pid()"
_HOLDER: Final = f"""
    SELECT a.pid, a.application_name, a.usename
    FROM pg_catalog.pg_stat_activity a
    WHERE a.pid IN (SELECT l.pid {_HELD})
"""  # noqa: S608 - constants


class MigrationLock:
    """The lock while it is held."""

    def __init__(self, connection: Connection[TupleRow], address: str) -> None:
        self._connection = connection
        self._address = address

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


@contextmanager
def migration_lock(
    url: DatabaseUrl, *, wait_seconds: float = WAIT_SECONDS, poll_seconds: float = POLL_SECONDS
) -> Iterator[MigrationLock]:
    """Hold the database's migration lock for the length of the block.

    Raises LockHeldError, naming the holder, when it is not free within ``wait_seconds``.
    """
    with connect(url, application_name=APPLICATION_NAME) as connection:
        _acquire(connection, url.address(), wait_seconds, poll_seconds)
        lock = MigrationLock(connection, url.address())
        lock.require()
        yield lock
        # After an exception the closing connection gives the lock back; unlocking by hand
        # could fail on a dead connection and hide why.
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", _KEY)


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
                f"{address}: another migration is running: {_holder(connection)}",
                hint="Wait until it has finished. If it hangs, end it at the server with "
                "SELECT pg_terminate_backend(pid).",
            )
        time.sleep(poll_seconds)


def _holder(connection: Connection[TupleRow]) -> str:
    row = connection.execute(_HOLDER, _KEY).fetchone()
    if row is None:
        return "it finished just now"
    pid, application_name, role = row
    return f"pid {pid}, application {application_name or 'unnamed'!r}, role {role}"
