"""How an environment went lately, and when it reaches a limit: charts from its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.forecast import forecast
from bounty_ops.monitoring.history import series
from bounty_ops.monitoring.result import SUMMARY
from bounty_ops.monitoring.telling.charts import Line, Unit, in_words, line_chart
from bounty_ops.monitoring.telling.view import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.result import CollectionResult, FamilyResult

#: What a chart shows.
SHOWN: Final = timedelta(days=7)
#: What a forecast goes by.
LEARNED_FROM: Final = timedelta(days=60)

Points = list[tuple["datetime", float | None]]


@dataclass(frozen=True)
class Picture:
    """One chart: measures of one family's headline."""

    title: str
    family: type[FamilyResult]
    unit: Unit
    measures: tuple[tuple[str, str], ...]
    """Name in the history, and in the legend."""
    rates: bool = False
    """Counters, shown as what they grew by a second."""
    limit: Callable[[CollectionResult, Policy], float | None] | None = None
    """Of what a forecast says when it is reached, drawn as a line."""


def _connections(result: CollectionResult, policy: Policy) -> float | None:
    found = result.family(Connections)
    return None if found is None else policy.connection_warning_ratio * found.usable.limit


def _xid(result: CollectionResult, _policy: Policy) -> float | None:
    found = result.family(Database)
    return None if found is None else 0.8 * found.xid_limit


def _four_fifths(_result: CollectionResult, _policy: Policy) -> float | None:
    return 0.8


PICTURES: Final = (
    Picture("Connections", Connections, "count", (("usable.used", "used"),), limit=_connections),
    Picture("Size", Database, "bytes", (("size_bytes", "size"),)),
    Picture("Transactions a second", Database, "per second",
            (("commits", "committed"), ("rollbacks", "rolled back")), rates=True),
    Picture("Rows changed a second", Database, "per second",
            (("rows_inserted", "inserted"), ("rows_updated", "updated"),
             ("rows_deleted", "deleted")), rates=True),
    Picture("Longest", Activity, "seconds",
            (("longest_query_seconds", "query"), ("longest_transaction_seconds", "transaction"),
             ("longest_wait_seconds", "wait for a lock"))),
    Picture("Transaction ids used", Database, "count", (("xid_age", "age"),), limit=_xid),
    Picture("Fullest sequence", Sequences, "ratio", (("worst_ratio", "used"),),
            limit=_four_fifths),
)  # fmt: skip


def pictures(
    engine: Engine, result: CollectionResult, policy: Policy, *, now: datetime
) -> tuple[Chart, ...]:
    """The charts; errors are SQLAlchemy's."""
    return tuple(_picture(engine, one, result, policy, now) for one in PICTURES)


def _picture(
    engine: Engine, one: Picture, result: CollectionResult, policy: Policy, now: datetime
) -> Chart:
    limit = None if one.limit is None else one.limit(result, policy)
    lines = [
        Line(legend, _points(engine, one, result.environment, measure, now - SHOWN))
        for measure, legend in one.measures
    ]
    note = ""
    if limit is not None:
        measure = one.measures[0][0]
        learned = _points(engine, one, result.environment, measure, now - LEARNED_FROM)
        told = forecast(learned, limit)
        if told is not None:
            note = f"Reaches {in_words(limit, one.unit)} {told.words()}."
    return Chart(one.title, line_chart(lines, one.unit, limit=_near(limit, lines)), note)


def _near(limit: float | None, lines: Sequence[Line]) -> float | None:
    """A limit that is far away would press the line to the floor."""
    highest = max((value or 0.0 for line in lines for _, value in line.points), default=0.0)
    return limit if limit is not None and highest >= limit / 5 else None


def _points(
    engine: Engine, one: Picture, environment: str, measure: str, since: datetime
) -> Points:
    found = series(engine, environment, one.family.family, SUMMARY, measure, since=since)
    points: Points = [
        (point.at, None if point.value is None else float(point.value)) for point in found.points
    ]
    return _rates(points) if one.rates else points


def _rates(points: Points) -> Points:
    """What counters grew by a second; unknown across a gap, and where they began anew."""
    rates: Points = []
    for (before, old), (after, new) in pairwise(points):
        seconds = (after - before).total_seconds()
        if old is None or new is None or new < old or seconds <= 0:
            rates.append((after, None))
        else:
            rates.append((after, (new - old) / seconds))
    return rates
