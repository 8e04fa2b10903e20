"""Letting a finished copy take its target's place, and finishing what a dead run began.

Two renames: the target to its old name, the copy to the target's. PostgreSQL has no single
statement for both, so the copy is stamped `swapping` before the first. Whatever happens between
them, the stamp tells the next run what to do: the target's name is free, so the copy takes it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops.errors import RestoreError
from bounty_ops.restore.beside import set_comment, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.rows import TupleRow

    from bounty_ops.restore.beside import Beside

    Connection = psycopg.Connection[TupleRow]

_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.25
#: "restor" in ASCII; the second key is the target's.
_LOCK_CLASS: Final = 0x72657374


@contextmanager
def alone(connection: Connection, target: str) -> Iterator[None]:
    """Keep other restores into the same target out, for the length of the block.

    Raises:
        RestoreError: another one is under way.
    """
    key = [_LOCK_CLASS, target]
    row = connection.execute(
        "SELECT pg_catalog.pg_try_advisory_lock(%s, pg_catalog.hashtext(%s))", key
    ).fetchone()
    if not row or not row[0]:
        raise RestoreError(
            f"another restore into {target} is under way",
            hint="Wait for it to end; a dead one releases the database within seconds.",
        )
    try:
        yield
    finally:
        with suppress(psycopg.Error):  # a connection that is gone holds nothing
            connection.execute(
                "SELECT pg_catalog.pg_advisory_unlock(%s, pg_catalog.hashtext(%s))", key
            )


def swap(connection: Connection, copy: Beside, *, exists: bool, end_sessions: bool) -> None:
    """Let the copy take its target's place.

    Args:
        connection: to a database that is neither of both.
        copy: a finished copy, to which nobody is connected.
        exists: whether there is a target that has to be renamed.
        end_sessions: whether those of the target may be ended.

    Raises:
        RestoreError: somebody is connected to the target. Nothing was changed then.
        PostgresError: the server refused; the target is there as before, or (if the server went
            away at the worst moment) the next run brings it back.
    """
    copy = replace(copy, stage="swapping")
    stamp(connection, copy)
    if not exists:
        _rename(connection, copy.name, copy.target)
        set_comment(connection, copy.target, copy.comment)
        return
    try:
        _admit(connection, copy.target, admit=False)
        if end_sessions:
            _end_sessions(connection, copy.target)
        _rename(connection, copy.target, copy.old_name)
        _rename(connection, copy.name, copy.target)
    except BaseException as error:
        _take_back(connection, copy, error)
        raise
    _admit(connection, copy.old_name, admit=True)
    set_comment(connection, copy.target, copy.comment)


def finish(connection: Connection, copy: Beside) -> bool:
    """Bring to an end what was broken off between the two renames.

    Returns:
        Whether the copy has taken its target's place. If not, the run ended before the first
        rename: the target is as before, and lets its users in again.
    """
    names = {row[0] for row in connection.execute("SELECT datname::text FROM pg_database")}
    if copy.target in names:
        _admit(connection, copy.target, admit=True)
        stamp(connection, replace(copy, stage="filling"))
        return False
    _rename(connection, copy.name, copy.target)
    if copy.old_name in names:
        _admit(connection, copy.old_name, admit=True)
    set_comment(connection, copy.target, copy.comment)
    return True


def _take_back(connection: Connection, copy: Beside, error: BaseException) -> None:
    try:
        names = {row[0] for row in connection.execute("SELECT datname::text FROM pg_database")}
        if copy.target not in names and copy.old_name in names:
            _rename(connection, copy.old_name, copy.target)
        _admit(connection, copy.target, admit=True)
        stamp(connection, replace(copy, stage="filling"))
    except psycopg.Error:
        error.add_note(
            f"{copy.target} could not be given its name or its users back; run the same restore "
            "again, which finds out and finishes it"
        )


def _admit(connection: Connection, database: str, *, admit: bool) -> None:
    connection.execute(
        sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
            sql.Identifier(database), sql.Literal(admit)
        )
    )


def _end_sessions(connection: Connection, database: str) -> None:
    connection.execute(
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
        " WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid()"
        "   AND backend_type = 'client backend'",
        [database],
    )


def _rename(connection: Connection, old: str, new: str) -> None:
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
        sql.Identifier(old), sql.Identifier(new)
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            connection.execute(statement)
        except psycopg.errors.ObjectInUse as error:
            # A session that was ended needs a moment; the server itself waits for five seconds.
            if attempt == _ATTEMPTS:
                raise RestoreError(
                    f"{old} is in use: {error.diag.message_detail or error.diag.message_primary}",
                    hint="Stop what is connected to it, or repeat the restore with --apply and "
                    "the digest of its plan, which ends those sessions.",
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            return
