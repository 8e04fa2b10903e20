"""The one connection that a collection works with, and what it may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from bounty_ops.monitoring.queries import load

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.result import FamilyResult, Unknown

#: What a role must be granted to see other roles' sessions and statements.
GRANT_STATS: Final = "GRANT pg_read_all_stats TO {user} (pg_monitor includes it)"

#: Names travel as UTF-8 whatever the database's encoding; compiling expressions would cost more
#: than these statements take.
_SESSION: Final = "SET client_encoding = 'UTF8'; SET jit = off"


class Measured(NamedTuple):
    """What one collector found, and what it could not see."""

    result: FamilyResult
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True)
class Probe:
    """An open session of the collected database."""

    connection: psycopg.Connection[TupleRow]
    policy: Policy
    user: str
    database: str
    version_num: int
    reads_all_stats: bool

    def rows(self, name: str, parameters: dict[str, Any] | None = None) -> list[TupleRow]:
        """The rows of the statement in `queries/<name>.sql`."""
        return self.connection.execute(load(name).encode(), parameters).fetchall()

    def grant_stats(self) -> str:
        """How this role would see other roles' activity."""
        return GRANT_STATS.format(user=self.user)


class Collector(Protocol):
    """Measures one family."""

    def __call__(self, probe: Probe) -> Measured:
        """Measure; a database error costs this family only."""
        ...


def open_probe(connection: psycopg.Connection[TupleRow], policy: Policy) -> Probe:
    """Prepare the session and find out what it may see.

    Raises:
        psycopg.Error: translated by the block of `connect` around it.
    """
    connection.execute(_SESSION)
    ((version_num, reads_all_stats),) = connection.execute(load("session").encode()).fetchall()
    return Probe(
        connection=connection,
        policy=policy,
        user=connection.info.user,
        database=connection.info.dbname,
        version_num=version_num,
        reads_all_stats=reads_all_stats,
    )
