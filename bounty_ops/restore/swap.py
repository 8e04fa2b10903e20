"""Letting a finished copy take its target's place, and finishing what a dead run began.

Two renames: the target to its old name, the copy to the target's. PostgreSQL has no single
statement for both, so the copy is stamped `swapping` before the first. Whatever happens between
them, the stamp tells the next run what to do: the target's name is free, so the copy takes it.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Face:
    """What belongs to a database and to no archive: it stays when the content is replaced."""

    owner: str
    comment: str | None
    connection_limit: int
    acl: tuple[tuple[str | None, str, bool], ...] | None
    """Grantee (None: everybody), privilege, whether it may be passed on; None: the default."""
    settings: tuple[tuple[str | None, str, str], ...]
    """Role (None: every one), name, value."""


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


def read_face(connection: Connection, database: str) -> Face:
    """Read what belongs to a database itself."""
    row = connection.execute(
        "SELECT oid, pg_catalog.pg_get_userbyid(datdba),"
        " pg_catalog.shobj_description(oid, 'pg_database'), datconnlimit, datacl IS NULL"
        " FROM pg_catalog.pg_database WHERE datname = %s",
        [database],
    ).fetchone()
    if row is None:
        raise RestoreError(
            f"the database {database} has disappeared", hint="Plan the restore again."
        )
    oid, owner, comment, limit, default_acl = row
    acl = connection.execute(
        "SELECT CASE WHEN x.grantee <> 0 THEN pg_catalog.pg_get_userbyid(x.grantee)::text END,"
        " x.privilege_type, x.is_grantable"
        " FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) x WHERE d.oid = %s"
        " ORDER BY 1, 2",
        [oid],
    ).fetchall()
    settings = connection.execute(
        "SELECT CASE WHEN setrole <> 0 THEN pg_catalog.pg_get_userbyid(setrole)::text END,"
        " pg_catalog.split_part(one, '=', 1),"
        " pg_catalog.substr(one, pg_catalog.strpos(one, '=') + 1)"
        " FROM pg_catalog.pg_db_role_setting, pg_catalog.unnest(setconfig) one"
        " WHERE setdatabase = %s ORDER BY 1, 2",
        [oid],
    ).fetchall()
    return Face(
        owner=owner,
        comment=comment,
        connection_limit=limit,
        acl=None if default_acl else tuple((who, what, bool(more)) for who, what, more in acl),
        settings=tuple((role, name, value) for role, name, value in settings),
    )


def put_face(connection: Connection, database: str, face: Face) -> tuple[str, ...]:
    """Give a database what belongs to another one; returns what could not be given."""
    name = sql.Identifier(database)
    refused = []
    for what, statements in _face_statements(name, face):
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
        except psycopg.errors.DatabaseError as error:
            if error.sqlstate is None:  # the connection was lost
                raise
            refused.append(f"{what} was not taken over: {error.diag.message_primary}")
    return tuple(refused)


Statements = list[sql.Composed | sql.SQL]


def _face_statements(name: sql.Identifier, face: Face) -> list[tuple[str, Statements]]:
    found: list[tuple[str, Statements]] = []
    if face.connection_limit != -1:
        limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(
            name, sql.Literal(face.connection_limit)
        )
        found.append(("the connection limit", [limit]))
    for role, setting, value in face.settings:
        whom = (
            sql.SQL("ALTER DATABASE {}").format(name)
            if role is None
            else sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), name)
        )
        # A list such as search_path is stored quoted as it has to be; FROM CURRENT keeps it so.
        statements: Statements = [
            sql.SQL("SELECT pg_catalog.set_config({}, {}, true)").format(
                sql.Literal(setting), sql.Literal(value)
            ),
            sql.SQL("{} SET {} FROM CURRENT").format(whom, sql.Identifier(*setting.split("."))),
        ]
        found.append((f"the setting {setting}", statements))
    found.append(("the owner", [sql.SQL("ALTER DATABASE {} OWNER TO {}").format(
        name, sql.Identifier(face.owner))]))  # fmt: skip
    found.append(("the privileges", _acl_statements(name, face)))
    return found


def _acl_statements(name: sql.Identifier, face: Face) -> Statements:
    if face.acl is None:  # what every database has
        return [sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO PUBLIC").format(name)]
    return [
        sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
            sql.SQL(privilege),
            name,
            sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee),
            sql.SQL(" WITH GRANT OPTION") if grantable else sql.SQL(""),
        )
        for grantee, privilege, grantable in face.acl
    ]


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
