"""What rules need of the history: the newest of each family, and what to compare it with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring import Tables
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.replication import Replication
from bounty_ops.monitoring.history import latest_collections

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.monitoring import CollectionResult

#: With how old a look counters are compared, and whether a slot was inactive then.
_MINUTES_AGO: Final = timedelta(minutes=15)
_DAY_AGO: Final = timedelta(hours=24)


def stored_collections(
    engine: Engine, environment: str, *, now: datetime
) -> tuple[CollectionResult, ...]:
    """The collections that rules look at, in no order.

    The operations database must be at its head revision; errors are SQLAlchemy's.
    """
    wanted: list[tuple[list[str], datetime]] = [([name], now) for name in FAMILIES]
    wanted.append(([Database.family, Replication.family], now - _MINUTES_AGO))
    wanted.append(([Tables.family], now - _DAY_AGO))
    return tuple(
        collection
        for families, moment in wanted
        for collection in latest_collections(engine, environment, 1, families, now=moment)
    )
