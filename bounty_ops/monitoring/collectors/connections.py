"""Connections by state, user, application and database, against what can refuse the next one."""

from collections import Counter
from collections.abc import Iterable
from typing import ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Cadence, FamilyResult, Unknown

#: What stands for the state or application of sessions that the role may not look into.
HIDDEN = "unknown"
#: What stands for the application of sessions that did not give one.
NAMELESS = "(none)"


class ConnectionLimit(BaseModel):
    """One limit, and how much of it is used."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["server", "database", "role"]
    name: str | None
    """The database or role; None for the server."""
    limit: int
    used: int
    ratio: float


class Connections(FamilyResult):
    """All client connections of the server."""

    family: ClassVar[str] = "connections"
    cadence: ClassVar[Cadence] = "vitals"

    total: int
    hidden: int
    """Of `total`: connections whose state the role may not see."""
    usable: ConnectionLimit
    """The tightest limit: the one of which the largest share is used."""
    limits: tuple[ConnectionLimit, ...]
    by_state: dict[str, int]
    by_user: dict[str, int]
    by_application: dict[str, int]
    by_database: dict[str, int]


def collect_connections(probe: Probe) -> Measured:
    """Count connections.

    Raises:
        psycopg.Error: a statement failed.
    """
    groups = [_Group(*row) for row in probe.rows("connections")]
    by_database = _count((group.database, group.connections) for group in groups)
    by_user = _count((group.user, group.connections) for group in groups)
    total = sum(group.connections for group in groups)
    hidden = sum(group.connections for group in groups if group.hidden)
    used = {"server": {"": total}, "database": by_database, "role": by_user}
    limits = tuple(
        connection_limit(kind, name, limit, used[kind].get(name or "", 0))
        for kind, name, limit in probe.rows("connection_limits")
    )
    result = Connections(
        total=total,
        hidden=hidden,
        usable=tightest(limits),
        limits=limits,
        by_state=_count((group.state or HIDDEN, group.connections) for group in groups),
        by_user=by_user,
        by_application=_count((_application(group), group.connections) for group in groups),
        by_database=by_database,
    )
    return Measured(result, _unknown(probe, hidden))


def connection_limit(
    kind: Literal["server", "database", "role"], name: str | None, limit: int, used: int
) -> ConnectionLimit:
    """A limit with the share of it that is used; of a limit of 0 everything is."""
    ratio = used / limit if limit > 0 else 1.0
    return ConnectionLimit(kind=kind, name=name, limit=limit, used=used, ratio=ratio)


def tightest(limits: Iterable[ConnectionLimit]) -> ConnectionLimit:
    """The limit that is nearest to refusing a connection.

    Not simply the smallest: a role with 1 of 20 connections is no worry on a server where other
    roles use 95 of 97.
    """
    return max(limits, key=lambda limit: (limit.ratio, -limit.limit))


class _Group(NamedTuple):
    database: str | None
    user: str | None
    application: str | None
    state: str | None
    hidden: bool
    connections: int


def _application(group: _Group) -> str:
    return HIDDEN if group.hidden else group.application or NAMELESS


def _count(pairs: Iterable[tuple[str | None, int]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for key, count in pairs:
        counts[key or HIDDEN] += count
    return dict(sorted(counts.items()))


def _unknown(probe: Probe, hidden: int) -> tuple[Unknown, ...]:
    if not hidden:
        return ()
    return (
        Unknown(
            family=Connections.family,
            subject="states of other roles' connections",
            reason=f"{hidden} connections belong to other roles, and {probe.user} may not see "
            "their state and application",
            remedy=probe.grant_stats(),
        ),
    )
