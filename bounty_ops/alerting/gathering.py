"""What rules need of the history: the newest of each family, and what to compare it with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.situation import Undecided
from bounty_ops.monitoring import Tables
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.replication import Replication
from bounty_ops.monitoring.history import collections_at, latest_collections
from bounty_ops.monitoring.outlooks import Outlook, outlooks
from bounty_ops.monitoring.regression import DAYS, IN_A_ROW, LEAST_INTERVALS, obstacle, regressions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring import CollectionResult
    from bounty_ops.monitoring.regression import Regression

#: With how old a look counters are compared, and whether a slot was inactive then.
_MINUTES_AGO: Final = timedelta(minutes=15)
_DAY_AGO: Final = timedelta(hours=24)
#: Two looks of the watcher and a half: what came before was compared then.
JUST_NOW: Final = timedelta(seconds=150)
#: How many weeks back the same hour is looked at.
_WEEKS: Final = 8


def stored_collections(
    engine: Engine, environment: str, *, now: datetime
) -> tuple[CollectionResult, ...]:
    """The collections that rules look at, in no order.

    The operations database must be at its head revision; errors are SQLAlchemy's.
    """
    cadences: dict[str, list[str]] = {}
    for name, (kind, _) in FAMILIES.items():
        cadences.setdefault(kind.cadence, []).append(name)
    wanted = [(names, now) for names in cadences.values()]
    wanted.append(([Database.family, Replication.family], now - _MINUTES_AGO))
    wanted.append(([Tables.family], now - _DAY_AGO))
    return tuple(collections_at(engine, environment, wanted))


def slower_statements(
    engine: Engine, environment: str, *, now: datetime
) -> tuple[Regression, ...] | Undecided:
    """Statements that are slower than usual, once for each new collection of them.

    The whole history of weeks would take longer to read than a look may: a sample of it shows
    what is usual, too. Errors are SQLAlchemy's.
    """
    newest = latest_collections(engine, environment, IN_A_ROW, [Queries.family], now=now)
    if not newest:
        return Undecided("statements were never collected")
    if now - newest[0].taken_at > JUST_NOW:
        at = newest[0].taken_at
        return Undecided(f"statements were compared when they came, {at:%H:%M} UTC", waits=True)
    week = timedelta(weeks=1)
    moments = [now - number * week for number in range(1, _WEEKS + 1)]
    step = DAYS / (LEAST_INTERVALS + 2)
    moments += [now - number * step for number in range(1, LEAST_INTERVALS + 2)]
    sample = collections_at(engine, environment, [([Queries.family], each) for each in moments])
    found = {each.taken_at: each for each in (*sample, *newest)}
    history = [queries for each in found.values() if (queries := each.family(Queries)) is not None]
    hindered = obstacle(history)
    return regressions(history) if hindered is None else Undecided(hindered)


def limits_in_sight(
    engine: Engine,
    environment: str,
    policy: Policy,
    stored: Sequence[CollectionResult],
    *,
    now: datetime,
) -> tuple[Outlook, ...] | Undecided:
    """When what grows reaches its limit, once for each new collection of tables.

    Args:
        engine: the operations database.
        environment: whose.
        policy: says how large its database may become.
        stored: what `stored_collections` gave.
        now: timezone-aware.

    Errors are SQLAlchemy's.
    """
    newest = max(
        (each.taken_at for each in stored if each.family(Tables) is not None), default=None
    )
    if newest is None:
        return Undecided("tables were never collected")
    if now - newest > JUST_NOW:
        return Undecided(f"it was looked ahead when tables came, {newest:%H:%M} UTC", waits=True)
    return outlooks(engine, environment, stored, policy, now=now)
