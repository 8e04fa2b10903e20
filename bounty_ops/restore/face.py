"""What belongs to a database and to no archive: owner, privileges, settings, limit and comment.

A database whose content is replaced keeps its own. One that is made anew gets the source's from the
manifest. Verifications do not compare it, since it names roles that a drill's server lacks; a
restore reads it again after it was given, and tells what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import sql

from bounty_ops.errors import RestoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg.rows import TupleRow

    Connection = psycopg.Connection[TupleRow]
    Grant = tuple[str | None, str, bool]

Statements = list[sql.Composed | sql.SQL]
#: Stored as a list of quoted names, which one literal would turn into one name. As in pg_dump.
_QUOTED_LISTS: Final = frozenset(
    {
        "local_preload_libraries", "search_path", "session_preload_libraries",
        "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
    }
)  # fmt: skip

_PRIVILEGES: Final = frozenset({"CREATE", "CONNECT", "TEMPORARY"})


@dataclass(frozen=True)
class Face:
    """What belongs to a database itself."""

    owner: str
    comment: str | None
    connection_limit: int
    acl: tuple[Grant, ...] | None
    """Grantee (None: everybody), privilege, whether it may be passed on; None: the default."""
    settings: tuple[tuple[str | None, str, str], ...]
    """Role (None: every one), name, value."""


def read_face(connection: Connection, database: str) -> Face:
    """Read what belongs to a database itself.

    Raises:
        RestoreError: there is no such database.
    """
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


def recorded_face(about: Mapping[str, Any], user: str, *, no_owner: bool) -> Face:
    """What the manifest says of the source, for a database that is made anew. Pure.

    Without owners, everything belongs to ``user``, and nothing of other roles is taken over.
    Values that are in no backup, since they may be secrets, are left out.
    """
    known = [
        (one["role"], one["name"], one["value"])
        for one in about.get("values") or ()
        if one["value"] is not None and not (no_owner and one["role"] is not None)
    ]
    acl = about.get("acl")
    granted = None
    if acl is not None and not no_owner:
        granted = tuple(
            (one["grantee"], one["privilege"], bool(one["grantable"]))
            for one in acl
            if one["privilege"] in _PRIVILEGES  # it becomes a part of a statement
        )
    return Face(
        owner=user if no_owner else str(about.get("owner") or user),
        comment=about.get("comment"),
        connection_limit=int(about.get("connection_limit", -1)),
        acl=granted,
        settings=tuple(known),
    )


def withheld(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of settings whose values are in no backup. Pure."""
    return tuple(sorted({one["name"] for one in about.get("values") or () if one["value"] is None}))


def why_not_owner(connection: Connection, role: str) -> str | None:
    """Why a role cannot be made the owner of a database by whoever is connected; None if it can."""
    row = connection.execute(
        "SELECT pg_catalog.pg_has_role(oid, 'USAGE') FROM pg_catalog.pg_roles WHERE rolname = %s",
        [role],
    ).fetchone()
    if row is None:
        return f"there is no role {role} on this server"
    # Who has given a database away can neither comment on it nor rename it any more.
    return None if row[0] else f"whoever restores is no member of {role}"


def put_face(connection: Connection, database: str, face: Face) -> tuple[str, ...]:
    """Give a database what belongs to another one; returns what could not be given."""
    refused: dict[str, str] = {}
    for what, statements in _statements(sql.Identifier(database), face):
        try:
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement)
        except psycopg.errors.DatabaseError as error:
            if error.sqlstate is None:  # the connection was lost
                raise
            refused[what] = f": {error.diag.message_primary}"
    # Whoever may not grant is only warned.
    lost = _missing(read_face(connection, database), face)
    silent = [one for part, one in lost if part not in refused]
    told = [*(f"{what} was not taken over{why}" for what, why in refused.items())]
    return (*told, *(f"{one} was not taken over" for one in silent))


def _missing(found: Face, wanted: Face) -> list[tuple[str, str]]:
    """What is not there: of which part of the face, and what it is. Pure."""
    there = {(role, name) for role, name, _ in found.settings}
    settings = [(role, name) for role, name, _ in wanted.settings if (role, name) not in there]
    lost = [(_setting(*one), _setting(*one)) for one in settings]
    for grant in _acl(wanted):
        who = grant[0] or "PUBLIC"
        if grant not in _acl(found):
            lost.append((_privileges(grant[0]), f"the privilege {grant[1]} of {who}"))
    return lost


def _acl(face: Face) -> tuple[Grant, ...]:
    default: tuple[Grant, ...] = ((None, "CONNECT", False), (None, "TEMPORARY", False))
    return default if face.acl is None else face.acl


def _setting(role: str | None, name: str) -> str:
    return f"the setting {name}" + ("" if role is None else f" of {role}")


def _privileges(grantee: str | None) -> str:
    return f"what {grantee or 'PUBLIC'} may do with the database"


def _statements(name: sql.Identifier, face: Face) -> list[tuple[str, Statements]]:
    found: list[tuple[str, Statements]] = []
    if face.connection_limit != -1:
        limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(
            name, sql.Literal(face.connection_limit)
        )
        found.append(("the connection limit", [limit]))
    for role, setting, value in face.settings:
        found.append((_setting(role, setting), _set(name, role, setting, value)))
    owner = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, sql.Identifier(face.owner))
    found.append(("the owner", [owner]))
    for grantee, grants in groupby(_acl(face), key=lambda grant: grant[0]):
        found.append((_privileges(grantee), [_grant(name, grant) for grant in grants]))
    return found


def _set(name: sql.Identifier, role: str | None, setting: str, value: str) -> Statements:
    whom = (
        sql.SQL("ALTER DATABASE {}").format(name)
        if role is None
        else sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), name)
    )
    which = sql.Identifier(*setting.split("."))
    if setting.lower() not in _QUOTED_LISTS:
        return [sql.SQL("{} SET {} TO {}").format(whom, which, sql.Literal(value))]
    # Stored quoted as it has to be; FROM CURRENT keeps it so.
    return [
        sql.SQL("SELECT pg_catalog.set_config({}, {}, true)").format(
            sql.Literal(setting), sql.Literal(value)
        ),
        sql.SQL("{} SET {} FROM CURRENT").format(whom, which),
    ]


def _grant(name: sql.Identifier, grant: Grant) -> sql.Composed:
    grantee, privilege, grantable = grant
    return sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(
        sql.SQL(privilege),
        name,
        sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee),
        sql.SQL(" WITH GRANT OPTION") if grantable else sql.SQL(""),
    )
