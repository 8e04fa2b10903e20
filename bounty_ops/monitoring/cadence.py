"""Which families are due: what happens every minute, what counts every five, the rest every 15.

A family that fails is due again at once only at the next round of its kind: a server in trouble is
not asked for everything every minute.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bounty_ops.monitoring.result import Cadence

INTERVALS: Final[Mapping[Cadence, timedelta]] = {
    "vitals": timedelta(minutes=1),
    "deltas": timedelta(minutes=5),
    "tables": timedelta(minutes=15),
}
#: A look that comes a little early is not put off to the next one, a minute later.
_EARLY: Final = timedelta(seconds=20)


def due(last: Mapping[Cadence, datetime], now: datetime) -> frozenset[Cadence]:
    """The cadences whose time has come.

    Args:
        last: when each was measured last; a time in the future counts as never, since the clock
            was wrong then or is wrong now.
        now: timezone-aware.
    """
    return frozenset(
        cadence
        for cadence, interval in INTERVALS.items()
        if not timedelta() <= now - last.get(cadence, now - interval) < interval - _EARLY
    )


def families_of(cadences: frozenset[Cadence]) -> tuple[str, ...]:
    """The families that are measured at these cadences, in the order of collection."""
    return tuple(name for name, (kind, _) in FAMILIES.items() if kind.cadence in cadences)
