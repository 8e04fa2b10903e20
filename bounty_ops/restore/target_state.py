"""What is at a target now: all that a plan promises about it is read here, and nothing changed.

Over two connections: one to a database beside the target, since a database that is to be renamed
must not be in use, and one to the target itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops.errors import AuthenticationFailed, InsufficientPrivilege
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.relations import list_relations
from bounty_ops.postgres.server import server_facts
from bounty_ops.restore.beside import Beside, databases_beside
from bounty_ops.restore.target import APPLICATION_NAME, maintenance_connection

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.relations import Relation
    from bounty_ops.postgres.server import ServerFacts

    Connection = psycopg.Connection[TupleRow]

#: Larger tables are estimated: a plan must not take as long as a restore.
_COUNTED_BYTES: Final = 256 * 1024**2
_EXACT_ROWS: Final = 1000

#: What stands in the way of an archive, besides tables, without members of extensions.
_OTHER_OBJECTS: Final = """
WITH member (class, oid) AS (
    SELECT classid, objid FROM pg_catalog.pg_depend WHERE deptype = 'e'
), own (oid, name) AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
     WHERE nspname <> 'information_schema' AND NOT pg_catalog.starts_with(nspname::text, 'pg_')
)
SELECT (SELECT count(*) FROM own WHERE name <> 'public'
           AND NOT EXISTS (SELECT FROM member m WHERE m.class = 'pg_namespace'::regclass
                              AND m.oid = own.oid))
     + (SELECT count(*) FROM pg_catalog.pg_class c JOIN own ON own.oid = c.relnamespace
         WHERE c.relkind IN ('v', 'm', 'S', 'f')
           AND NOT EXISTS (SELECT FROM member m WHERE m.class = 'pg_class'::regclass
                              AND m.oid = c.oid))
     + (SELECT count(*) FROM pg_catalog.pg_type t JOIN own ON own.oid = t.typnamespace
         WHERE t.typtype IN ('e', 'd', 'r')
           AND NOT EXISTS (SELECT FROM member m WHERE m.class = 'pg_type'::regclass
                              AND m.oid = t.oid))
     + (SELECT count(*) FROM pg_catalog.pg_proc p JOIN own ON own.oid = p.pronamespace
         WHERE NOT EXISTS (SELECT FROM member m WHERE m.class = 'pg_proc'::regclass
                              AND m.oid = p.oid))
     + (SELECT count(*) FROM pg_catalog.pg_largeobject_metadata)
"""
_SESSIONS: Final = """
SELECT coalesce(usename::text, '?'), coalesce(nullif(application_name, ''), 'no application name'),
       coalesce(state, 'state unknown'), count(*)
  FROM pg_catalog.pg_stat_activity
 WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND backend_type = 'client backend'
   AND application_name <> %s
 GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""
_DATABASE: Final = """
SELECT d.oid, pg_catalog.pg_get_userbyid(d.datdba), d.datallowconn,
       pg_catalog.pg_has_role(d.datdba, 'USAGE')
  FROM pg_catalog.pg_database d WHERE d.datname = %s
"""
_MAY_CREATE: Final = (
    "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"
)


@dataclass(frozen=True)
class TableThere:
    """A table that would be replaced."""

    label: str
    rows: int | None
    """None: this role may not read it."""
    estimated: bool
    size_bytes: int


@dataclass(frozen=True)
class SessionsThere:
    """Sessions of one kind that are connected to the target."""

    user: str
    application: str
    state: str
    count: int


@dataclass(frozen=True)
class TargetState:
    """What is there now."""

    server: str
    """Which cluster it is, whatever its address: its system identifier where it tells it."""
    version: str
    major: int
    user: str
    is_superuser: bool
    roles: frozenset[str]
    exists: bool
    oid: int | None
    owner: str | None
    reachable: bool
    """Whether the target itself can be connected to."""
    size_bytes: int
    tables: tuple[TableThere, ...]
    other_objects: int
    sessions: tuple[SessionsThere, ...]
    maintenance: str | None
    """The database to work from; None where there is none besides the target."""
    why_not_beside: str | None
    """Why no new database can be made and swapped in."""
    beside: tuple[Beside, ...]
    """What earlier restores into this target left."""

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost, and nothing stands in an archive's way."""
        return not self.tables and not self.other_objects

    @property
    def rows(self) -> int:
        """Rows of all tables together, as far as they are known."""
        return sum(table.rows or 0 for table in self.tables)

    def content(self) -> str:
        """A hash of what somebody agreed to lose.

        Larger tables count with two digits: an operator who agreed to lose 12,345 rows did so for
        12,346 too, and a plan for a database in use must not be stale before it can be read.
        """
        told = [self.server, self.oid, self.exists, self.other_objects, self.owner] + [
            [table.label, _rounded(table.rows)] for table in self.tables
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _rounded(rows: int | None) -> int | None:
    if rows is None or rows < _EXACT_ROWS:
        return rows
    digits = str(rows)
    return int(digits[:2].ljust(len(digits), "0"))


def read_state(url: DatabaseUrl) -> TargetState:
    """Read what is at the target now.

    Raises:
        PostgresError: the server does not answer, or refuses this role altogether.
    """
    try:
        with maintenance_connection(url) as connection:
            return _state(connection, url, beside=True)
    except (AuthenticationFailed, InsufficientPrivilege):
        # Some providers let a role into its own database only.
        with connect(url, application_name=APPLICATION_NAME) as connection:
            return _state(connection, url, beside=False)


def _state(connection: Connection, url: DatabaseUrl, *, beside: bool) -> TargetState:
    facts = server_facts(connection)
    row = connection.execute(_DATABASE, [url.database]).fetchone()
    sessions = connection.execute(_SESSIONS, [url.database, APPLICATION_NAME]).fetchall()
    roles = connection.execute("SELECT rolname::text FROM pg_catalog.pg_roles").fetchall()
    oid, owner, open_for_all, owned = row or (None, None, False, True)
    tables: tuple[TableThere, ...] = ()
    others = size = 0
    if row and open_for_all:
        tables, others, size = _content(url)
    return TargetState(
        server=_server(connection, url),
        version=facts.version,
        major=facts.major,
        user=facts.user,
        is_superuser=facts.is_superuser,
        roles=frozenset(str(one[0]) for one in roles),
        exists=row is not None,
        oid=oid,
        owner=owner,
        reachable=bool(row and open_for_all),
        size_bytes=size,
        tables=tables,
        other_objects=others,
        sessions=tuple(SessionsThere(*one) for one in sessions),
        maintenance=facts.database if beside else None,
        why_not_beside=_why_not_beside(connection, facts, owner, beside=beside, owned=owned),
        beside=databases_beside(connection, url.database),
    )


def _why_not_beside(
    connection: Connection, facts: ServerFacts, owner: str | None, *, beside: bool, owned: bool
) -> str | None:
    if not beside:
        return f"{facts.user} may connect to no other database of the server"
    row = connection.execute(_MAY_CREATE).fetchone()
    if not row or not row[0]:
        return f"{facts.user} may not create databases"
    if not owned:
        return f"the database belongs to {owner}, and {facts.user} is no member of that role"
    return None


def _server(connection: Connection, url: DatabaseUrl) -> str:
    try:
        row = connection.execute(
            "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
        ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        row = None
    return str(row[0]) if row else f"{url.host}:{url.port}"


def _content(url: DatabaseUrl) -> tuple[tuple[TableThere, ...], int, int]:
    with connect(url, application_name=APPLICATION_NAME, read_only=True) as connection:
        found = list_relations(connection)
        tables = [_table(connection, one) for one in found if not one.is_partitioned]
        tables += [TableThere(one.label, 0, False, 0) for one in found if one.is_partitioned]
        others = connection.execute(_OTHER_OBJECTS.encode()).fetchone()
        size = server_facts(connection).size_bytes
    ordered = sorted(tables, key=lambda each: each.label)
    return tuple(ordered), int(others[0]) if others else 0, size


def _table(connection: Connection, table: Relation) -> TableThere:
    row = connection.execute(
        "SELECT pg_catalog.pg_total_relation_size(oid), greatest(reltuples, 0)::bigint"
        " FROM pg_catalog.pg_class WHERE oid = %s",
        [table.oid],
    ).fetchone()
    size, estimate = row or (0, 0)
    if int(size or 0) > _COUNTED_BYTES:
        return TableThere(table.label, int(estimate), estimated=True, size_bytes=int(size))
    try:
        counted = connection.execute(
            sql.SQL("SELECT count(*) FROM ONLY {}").format(table.identifier())
        ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return TableThere(table.label, None, estimated=False, size_bytes=int(size or 0))
    rows = int(counted[0]) if counted else 0
    return TableThere(table.label, rows, estimated=False, size_bytes=int(size or 0))
