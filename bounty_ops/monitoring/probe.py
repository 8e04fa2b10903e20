"""The one connection that a collection works with, and what it may see."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import psycopg
from pglast import keywords
from psycopg.adapt import Loader
from psycopg.pq import Format
from psycopg.rows import dict_row

from bounty_ops.monitoring.queries import load
from bounty_ops.monitoring.result import Unknown
from bounty_ops.postgres.causes import SCHEMA_MISMATCH, cause_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg.rows import TupleRow

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.result import CollectionResult, FamilyResult

#: Words that are no name unless they are quoted.
_TAKEN: Final = keywords.RESERVED_KEYWORDS | keywords.TYPE_FUNC_NAME_KEYWORDS
#: What a role must be granted to see other roles' sessions and statements.
GRANT_STATS: Final = "GRANT pg_read_all_stats TO {user} (pg_monitor includes it)"

#: Names travel as UTF-8 whatever the database's encoding; compiling expressions would cost more
#: than these statements take.
_SESSION: Final = "SET client_encoding = 'UTF8'; SET jit = off"


class Measured(NamedTuple):
    """What one collector found, and what it could not see."""

    result: FamilyResult
    unknown: tuple[Unknown, ...] = ()
    memory: bytes | None = None
    """What the next collection of this family needs to know."""


@dataclass(frozen=True)
class Probe:
    """An open session of the collected database."""

    connection: psycopg.Connection[TupleRow]
    policy: Policy
    user: str
    database: str
    version_num: int
    reads_all_stats: bool
    former: CollectionResult | None = None
    """The collection before this one, where it is known: what did not change is not read again."""
    shared: dict[str, object] = field(default_factory=dict)
    """What one family read that another needs as well."""
    memory: Mapping[str, bytes] = field(default_factory=dict)
    """What each family left to be remembered the last time."""

    def rows(self, name: str, parameters: dict[str, Any] | None = None) -> list[TupleRow]:
        """The rows of the statement in `queries/<name>.sql`."""
        return self.connection.execute(load(name).encode(), parameters).fetchall()

    def records(self, name: str) -> list[dict[str, Any]]:
        """The rows of the statement in `queries/<name>.sql`, by column."""
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(load(name).encode()).fetchall()

    def record(self, name: str) -> dict[str, Any]:
        """Its only row, by column; empty without one."""
        return next(iter(self.records(name)), {})

    def part(self, name: str, family: str, subject: str) -> tuple[dict[str, Any], list[Unknown]]:
        """Like `record`, for something that a family can do without; a failure is an unknown.

        Raises:
            psycopg.Error: the connection is gone.
        """
        try:
            return self.record(name), []
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            return {}, [failed(family, subject, error, self.user)]

    def grant_stats(self) -> str:
        """How this role would see other roles' activity."""
        return GRANT_STATS.format(user=identifier(self.user))


def failed(family: str, subject: str, error: psycopg.Error, user: str) -> Unknown:
    """Why something is missing.

    The server's primary message names objects and roles, never values; details are left out.
    """
    message = error.diag.message_primary or type(error).__name__
    remedy = "Run it again with --debug, and report it with the server's version"
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
        remedy = "Try again when the server is less busy"
    elif isinstance(error, psycopg.errors.InsufficientPrivilege):
        remedy = f"GRANT pg_monitor TO {identifier(user)}"
    elif (cause := cause_of(error.sqlstate or "")) is not None and cause is not SCHEMA_MISMATCH:
        # (These statements ask for catalogs: that one is missing speaks of us, not of the schema.)
        remedy = cause.remedy
    return Unknown(family, subject, f"{message} (SQLSTATE {error.sqlstate})", remedy)


def identifier(name: str) -> str:
    """A name as it stands in a statement, quoted where it is not plain or means something else."""
    if re.fullmatch("[a-z_][a-z0-9_]*", name) and name not in _TAKEN:
        return name
    return '"' + name.replace('"', '""') + '"'


class _AnyBytes(Loader):
    def load(self, data: Any) -> str:  # noqa: ANN401 - psycopg's buffers
        return bytes(data).decode("utf-8", errors="backslashreplace")


class _AnyBinary(_AnyBytes):
    format = Format.BINARY


def read_any_bytes(connection: psycopg.Connection[TupleRow]) -> None:
    """Show bytes that are no UTF-8 by their numbers, instead of failing."""
    for kind in ("text", "varchar", "bpchar", "name"):
        connection.adapters.register_loader(kind, _AnyBytes)
        connection.adapters.register_loader(kind, _AnyBinary)


class Collector(Protocol):
    """Measures one family."""

    def __call__(self, probe: Probe) -> Measured:
        """Measure; a database error costs this family only."""
        ...


def open_probe(
    connection: psycopg.Connection[TupleRow],
    policy: Policy,
    former: CollectionResult | None = None,
    memory: Mapping[str, bytes] | None = None,
) -> Probe:
    """Prepare the session and find out what it may see.

    Raises:
        psycopg.Error: translated by the block of `connect` around it.
    """
    connection.execute(_SESSION)
    ((version_num, reads_all_stats, any_bytes),) = connection.execute(
        load("session").encode()
    ).fetchall()
    if any_bytes:
        # The server would refuse to send what is no UTF-8.
        connection.execute("SET client_encoding = 'SQL_ASCII'")
        read_any_bytes(connection)
    return Probe(
        connection=connection,
        policy=policy,
        user=connection.info.user,
        database=connection.info.dbname,
        version_num=version_num,
        reads_all_stats=reads_all_stats,
        former=former,
        memory=memory or {},
    )
