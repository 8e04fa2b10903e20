"""What was counted of a table over which time: since an earlier collection, where one is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bounty_ops.monitoring.collectors.tables import TableFacts
    from bounty_ops.monitoring.result import CollectionResult

_COUNTERS: Final = (
    "rows_inserted",
    "rows_updated",
    "rows_deleted",
    "sequential_scans",
    "sequential_rows_read",
    "index_scans",
)


@dataclass(frozen=True)
class Counted:
    """How much the counters of one table grew."""

    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    sequential_scans: int
    sequential_rows_read: int
    index_scans: int
    seconds: float | None
    """Over how long; None: since a moment that the server does not say."""
    grown_bytes: int | None
    """None where no earlier size is known."""

    @property
    def over(self) -> str:
        """The time for people."""
        if self.seconds is None:
            return "since the server began to count, which it does not say"
        return f"within {duration(self.seconds)}"


class Window:
    """The earliest of some collections with which the newest can be compared."""

    def __init__(self, result: CollectionResult, history: Iterable[CollectionResult] = ()) -> None:
        self._at = result.taken_at
        self._since = tables.statistics_since if (tables := result.family(Tables)) else None
        self._before: list[tuple[datetime, dict[str, TableFacts]]] = [
            (one.taken_at, {table.subject: table for table in found.tables})
            for one in sorted(history, key=lambda one: one.taken_at)
            if one.taken_at < result.taken_at and (found := one.family(Tables)) is not None
        ]

    def counted(self, table: TableFacts) -> Counted:
        """What was counted of a table: since it was first seen with counters that went on."""
        for taken_at, tables in self._before:
            before = tables.get(table.subject)
            if before is not None and _goes_on(before, table):
                return _difference(table, before, _seconds(self._at, taken_at))
        since = self._since
        return _difference(table, None, None if since is None else _seconds(self._at, since))


def _seconds(at: datetime, since: datetime) -> float:
    return (at - since).total_seconds()


def _goes_on(before: TableFacts, after: TableFacts) -> bool:
    """Whether it is the same table, and no counter was emptied in between."""
    return before.oid == after.oid and all(
        (getattr(before, name) or 0) <= (getattr(after, name) or 0) for name in _COUNTERS
    )


def _difference(after: TableFacts, before: TableFacts | None, seconds: float | None) -> Counted:
    counts = {
        name: (getattr(after, name) or 0) - ((getattr(before, name) or 0) if before else 0)
        for name in _COUNTERS
    }
    grown = None if before is None else after.total_bytes - before.total_bytes
    return Counted(**counts, seconds=seconds, grown_bytes=grown)
