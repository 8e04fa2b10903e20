"""Earlier collections that a new one is judged against."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.settings import ServerSettings
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.history import latest_collections

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.monitoring.result import CollectionResult

#: Long enough to call something unused or never purged; a week of growth; a day.
_DAYS: Final = (31, 7, 1)
_FAMILIES: Final = (Tables.family, Indexes.family, Database.family, ServerSettings.family)
#: Of settings also the newest before: when one changed should be known to the minute.
_JUST_BEFORE: Final = (ServerSettings.family,)


def earlier_collections(
    engine: Engine, environment: str, taken_at: datetime
) -> list[CollectionResult]:
    """For each of some ages the newest that was at least so old, the oldest first."""
    found = {
        one.taken_at: one
        for one in latest_collections(engine, environment, 2, _JUST_BEFORE, now=taken_at)
        if one.taken_at < taken_at
    }
    for days in _DAYS:
        then = taken_at - timedelta(days=days)
        for one in latest_collections(engine, environment, 1, _FAMILIES, now=then):
            if one.taken_at < taken_at:
                found[one.taken_at] = one
    return [found[moment] for moment in sorted(found)]
