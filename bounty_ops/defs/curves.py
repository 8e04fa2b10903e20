"""How the measured assets went in the last week: line charts from the history, as images.

Every event is stored for ever and there is one an hour, so a chart has few points: it stays below
some 8 KB, and the page of the asset says the rest in tables.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import dagster as dg
from sqlalchemy import Engine

from bounty_ops.defs.chart import image
from bounty_ops.defs.names import CONNECTION_STATS, SLOW_QUERIES, TABLE_SIZES
from bounty_ops.monitoring import CollectionResult, Connections, Tables
from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.history import series
from bounty_ops.monitoring.result import SUMMARY
from bounty_ops.monitoring.telling.charts import Line, Unit, line_chart

SHOWN: Final = timedelta(days=7)
#: Of a line: one every three hours.
MOST_POINTS: Final = 56
#: Of the largest tables.
MOST_TABLES: Final = 5
_TOO_FEW: Final = 8
_NEAR: Final = 0.2
_WIDTH: Final = 440
_HEIGHT: Final = 130

Points = Sequence[tuple[datetime, float | None]]


@dataclass(frozen=True)
class _Source:
    """A line: what it is called, and where its points are."""

    name: str
    family: str
    subject: str
    measure: str


@dataclass(frozen=True)
class _Curve:
    """A chart of one asset."""

    key: str
    told: str
    unit: Unit
    sources: Callable[[CollectionResult], Iterator[_Source]]
    limit: Callable[[CollectionResult], float | None] = lambda _: None


def _used(_: CollectionResult) -> Iterator[_Source]:
    yield _Source("used", Connections.family, SUMMARY, "usable.used")


def _usable(result: CollectionResult) -> float | None:
    found = result.family(Connections)
    return None if found is None else float(found.usable.limit)


def _database(_: CollectionResult) -> Iterator[_Source]:
    yield _Source("database", Database.family, SUMMARY, "size_bytes")


def _largest(result: CollectionResult) -> Iterator[_Source]:
    found = result.family(Tables)
    tables = () if found is None else found.tables
    for each in sorted(tables, key=lambda one: -one.total_bytes)[:MOST_TABLES]:
        yield _Source(each.subject, Tables.family, each.subject, "total_bytes")


def _longest(_: CollectionResult) -> Iterator[_Source]:
    yield _Source("query", Activity.family, SUMMARY, "longest_query_seconds")
    yield _Source("transaction", Activity.family, SUMMARY, "longest_transaction_seconds")
    yield _Source("wait for a lock", Activity.family, SUMMARY, "longest_wait_seconds")


_CURVES: Final[dict[str, tuple[_Curve, ...]]] = {
    CONNECTION_STATS: (
        _Curve("used_over_time", "usable connections in use", "count", _used, _usable),
    ),
    SLOW_QUERIES: (
        _Curve("longest_over_time", "longest query, transaction and wait", "seconds", _longest),
    ),
    TABLE_SIZES: (
        _Curve("size_over_time", "size of the database", "bytes", _database),
        _Curve("growth_over_time", "the largest tables", "bytes", _largest),
    ),
}


def curves(engine: Engine, result: CollectionResult) -> dict[str, dict[str, dg.MetadataValue]]:
    """The charts of each asset, by its name, as of this collection; errors are SQLAlchemy's."""
    return {
        asset: {
            each.key: dg.MetadataValue.md(_drawn(engine, each, result)) for each in several
        }
        for asset, several in _CURVES.items()
    }  # fmt: skip


def _drawn(engine: Engine, curve: _Curve, result: CollectionResult) -> str:
    lines = [Line(each.name, _points(engine, each, result)) for each in curve.sources(result)]
    limit = curve.limit(result)
    highest = max((value or 0.0 for line in lines for _, value in line.points), default=0.0)
    if limit is not None and highest < limit * _NEAR:
        limit = None  # far away it would press the line to the floor
    svg = line_chart(lines, curve.unit, limit=limit, width=_WIDTH, height=_HEIGHT)
    if svg is None:
        return "nothing was measured yet"
    return image(svg, f"{curve.told}, the 7 days until {result.taken_at:%Y-%m-%d %H:%M} UTC")


def _points(engine: Engine, source: _Source, result: CollectionResult) -> Points:
    """By the hour; as measured, as long as there are few hours."""
    until = result.taken_at + timedelta(seconds=1)
    for resolution in ("hourly", "raw"):
        found = series(
            engine,
            result.environment,
            source.family,
            source.subject,
            source.measure,
            since=until - SHOWN,
            until=until,
            resolution=resolution,
        )
        if len(found.points) >= _TOO_FEW:
            break
    return thinned(
        [(each.at, None if each.value is None else float(each.value)) for each in found.points]
    )


def thinned(points: Points) -> Points:
    """At most `MOST_POINTS`, of each group the highest, so that no peak disappears; gaps stay."""
    group = -(-len(points) // MOST_POINTS) or 1
    kept = []
    for begin in range(0, len(points), group):
        several = points[begin : begin + group]
        kept.append(max(several, key=lambda pair: float("-inf") if pair[1] is None else pair[1]))
    return kept
