"""Drills on a server that somebody provides, instead of a throw-away cluster on this machine.

`VERIFY_SERVER_URL` names it: another machine has the room, the extensions or the locale that this
one lacks. It must be a server that holds nothing else, because a restore runs code of the backup
with that role's privileges. A drill works in a database of its own, removed at the end together
with the roles that it made. What a killed drill left is removed by the next one: an advisory lock
lets only one at a time.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.server import server_facts
from bounty_ops.restore.findings import Inconclusive
from bounty_ops.restore.sandbox import ROLE_COMMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest

    Connection = psycopg.Connection[TupleRow]

APPLICATION_NAME: Final = "bounty-ops drill"
_PREFIX: Final = "bounty_ops_drill_"
#: "drill" in ASCII.
_ADVISORY_KEY: Final = 0x6472696C6C


@contextmanager
def borrowed_server(server: DatabaseUrl, manifest: Manifest) -> Iterator[str]:
    """Have a server for one drill; yields the name that its database must have.

    Args:
        server: the URL of a database on it that exists, by a role that may make databases and
            roles.
        manifest: of the backup that will be restored.

    Raises:
        Inconclusive: another drill is under way there, or it is of another major version.
        PostgresError: it does not answer, or the role may not do that.
    """
    with connect(server, application_name=APPLICATION_NAME) as connection:
        _require_major(server_facts(connection).major, manifest)
        _alone(connection, server)
        _clear(connection)
        try:
            yield f"{_PREFIX}{secrets.token_hex(6)}"
        finally:
            _clear(connection)


def _require_major(major: int, manifest: Manifest) -> None:
    if major != manifest.server_major:
        raise Inconclusive(
            f"VERIFY_SERVER_URL is a PostgreSQL {major}, the backup is of "
            f"{manifest.server_major}; a drill has to happen on the same major version"
        )


def _alone(connection: Connection, server: DatabaseUrl) -> None:
    row = connection.execute(
        "SELECT pg_catalog.pg_try_advisory_lock(%s)", [_ADVISORY_KEY]
    ).fetchone()
    if row is None or not row[0]:
        raise Inconclusive(f"another drill is under way at {server.address()}")


def _clear(connection: Connection) -> None:
    """Remove databases and roles of drills: by their name, and by what their comment says."""
    databases = connection.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s)",
        [_PREFIX],
    ).fetchall()
    for (name,) in databases:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
    roles = connection.execute(
        "SELECT rolname FROM pg_catalog.pg_roles"
        " WHERE pg_catalog.shobj_description(oid, 'pg_authid') = %s",
        [ROLE_COMMENT],
    ).fetchall()
    for (name,) in roles:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
