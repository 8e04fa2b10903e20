"""When what grows reaches its limit: for each limit of an environment a forecast, or why not.

Looked at are those that are used to a fifth at least: a forecast reaches three times as far as its
history, and reading the history of everything would take longer than a look may.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.forecast import Forecast, Silence, foretold
from bounty_ops.monitoring.history import series
from bounty_ops.monitoring.result import SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.result import CollectionResult

Kind = Literal["storage", "table", "sequence", "transaction ids", "multixact ids", "connections"]
Points = list[tuple["datetime", float | None]]

#: Of a limit; what is left is the time to act in.
SHARE: Final = 0.8
#: Below that nobody looks.
_WORTH: Final = 0.2
#: Of each kind, the fullest.
_MOST: Final = 10
LEARNED_FROM: Final = timedelta(days=60)
_GIB: Final = 1024**3
#: PostgreSQL's own limit of a relation with pages of 8 KiB (its manual, appendix "Limits").
TABLE_LIMIT: Final = 32 * 1024 * _GIB


@dataclass(frozen=True)
class Ceiling:
    """What cannot grow beyond a whole, and where its history is."""

    kind: Kind
    subject: str
    family: str
    measured: str
    """The subject in the history."""
    measure: str
    used: float
    whole: float
    """In the unit of `used`."""


@dataclass(frozen=True)
class Outlook:
    """When `SHARE` of a whole is used, or why nobody says."""

    ceiling: Ceiling
    told: Forecast | Silence


def ceilings(collections: Sequence[CollectionResult], policy: Policy) -> list[Ceiling]:
    """What has a limit, of that which was measured last, where a fifth of it is used. Pure."""
    found: list[Ceiling] = []
    for kind in (Connections, Database, Tables, Sequences):
        newest = max(
            (each for each in collections if each.family(kind) is not None),
            key=lambda each: each.taken_at,
            default=None,
        )
        if newest is not None:
            found.extend(_READERS[kind](newest, policy))
    near = [each for each in found if each.used >= _WORTH * each.whole]
    kinds: dict[Kind, list[Ceiling]] = {}
    for each in sorted(near, key=lambda one: -one.used / one.whole):
        kinds.setdefault(each.kind, []).append(each)
    return [each for several in kinds.values() for each in several[:_MOST]]


def _connections(result: CollectionResult, _policy: Policy) -> Iterator[Ceiling]:
    found = result.family(Connections)
    if found is not None and found.usable.limit > 0:
        used, limit = float(found.usable.used), float(found.usable.limit)
        yield Ceiling(
            "connections", "connections", Connections.family, SUMMARY, "usable.used", used, limit
        )


def _database(result: CollectionResult, policy: Policy) -> Iterator[Ceiling]:
    found = result.family(Database)
    if found is None:
        return
    family = Database.family
    if policy.storage_limit_gb is not None and found.size_bytes is not None:
        whole = policy.storage_limit_gb * _GIB
        yield Ceiling(
            "storage", "storage", family, SUMMARY, "size_bytes", float(found.size_bytes), whole
        )
    ids: tuple[tuple[Kind, str, int, int], ...] = (
        ("transaction ids", "oldest_xid_age", found.oldest_xid_age, found.xid_limit),
        ("multixact ids", "oldest_mxid_age", found.oldest_mxid_age, found.mxid_limit),
    )
    for kind, measure, age, limit in ids:
        if limit > 0:
            yield Ceiling(kind, kind, family, SUMMARY, measure, float(age), float(limit))


def _tables(result: CollectionResult, _policy: Policy) -> Iterator[Ceiling]:
    found = result.family(Tables)
    for each in () if found is None else found.tables:
        used, whole = float(each.table_bytes), float(TABLE_LIMIT)
        yield Ceiling(
            "table", each.subject, Tables.family, each.subject, "table_bytes", used, whole
        )


def _sequences(result: CollectionResult, _policy: Policy) -> Iterator[Ceiling]:
    found = result.family(Sequences)
    for each in () if found is None else found.sequences:
        if each.used_ratio is not None and not each.cycles:
            used = each.used_ratio
            yield Ceiling(
                "sequence", each.subject, Sequences.family, each.subject, "used_ratio", used, 1.0
            )


_READERS: Final[
    dict[type, Callable[[CollectionResult, Policy], Iterator[Ceiling]]]
] = {
    Connections: _connections,
    Database: _database,
    Tables: _tables,
    Sequences: _sequences,
}  # fmt: skip


def outlooks(
    engine: Engine,
    environment: str,
    collections: Sequence[CollectionResult],
    policy: Policy,
    *,
    now: datetime,
) -> tuple[Outlook, ...]:
    """Look ahead; some milliseconds for each ceiling. Errors are SQLAlchemy's.

    Args:
        engine: the operations database.
        environment: whose.
        collections: the newest of each family.
        policy: says how large the database may become.
        now: timezone-aware.
    """
    return tuple(
        Outlook(each, foretold(_points(engine, environment, each, now), SHARE * each.whole))
        for each in ceilings(collections, policy)
    )


def _points(engine: Engine, environment: str, each: Ceiling, now: datetime) -> Points:
    found = series(
        engine,
        environment,
        each.family,
        each.measured,
        each.measure,
        since=now - LEARNED_FROM,
        until=now + timedelta(seconds=1),
    )
    return [
        (point.at, None if point.value is None else float(point.value)) for point in found.points
    ]
