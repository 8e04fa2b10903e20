"""What the planner knows about columns that tell how rows are found and how long they live."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.collectors.relations import binary_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bounty_ops.monitoring.probe import Probe

#: pg_stats shows what the planner knows of a column to those who may read the column.
SELECT_REMEDY: Final = (
    "Make the function that `bounty-ops db grants` prints: it shows statistics and no rows; or "
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}, if it may read the data"
)
#: A column whose values are as good as unique identifies rows; the planner's estimate from a
#: sample is not exact.
IDENTIFYING: Final = 0.9
#: datetime cannot hold what lies after this, and nobody means it by an expiry.
_LATEST: Final = 253_000_000_000.0


class ColumnStatistics(NamedTuple):
    """What `column_statistics.sql` reads of one column."""

    width: int
    null_share: float
    distinct: float
    """Negative: as a share of the rows."""
    earliest: float | None
    past: float | None


@dataclass(frozen=True)
class ColumnFacts:
    """The columns of one table that say something about it."""

    lookup: tuple[str, ...] = ()
    """Texts and uuids without an index that are different in (nearly) every row, as far as is
    known."""
    created: str | None = None
    expiry: str | None = None
    declared: bool = False
    """Whether the default of `expiry` is some time from now."""
    earliest_expiry: datetime | None = None
    expired_share: float | None = None
    hidden: bool = False
    """The role may not read some of them, so pg_stats shows nothing of those."""


class _Column(NamedTuple):
    table: int
    name: str
    role: str
    readable: bool


def column_facts(probe: Probe, tables: Mapping[int, tuple[str, str]]) -> dict[int, ColumnFacts]:
    """Facts by oid of the table, given schemas and names.

    Raises:
        psycopg.Error: a statement failed.
    """
    columns = [_Column(*row) for row in binary_rows(probe, "table_columns") if row[0] in tables]
    known = column_statistics(
        probe,
        {column.name for column in columns if column.role != "created"},
        [
            ".".join((*tables[column.table], column.name))
            for column in columns
            if column.role in {"lifetime", "expiry"}
        ],
    )
    by_table: dict[int, list[_Column]] = defaultdict(list)
    for column in columns:
        by_table[column.table].append(column)
    return {
        oid: _facts(found, {c.name: known.get((*tables[oid], c.name)) for c in found})
        for oid, found in by_table.items()
    }


def column_statistics(
    probe: Probe, names: Iterable[str], moments: Iterable[str] = ()
) -> dict[tuple[str, str, str], ColumnStatistics]:
    """By schema, table and column: columns of these names that were analyzed and may be read.

    Raises:
        psycopg.Error: the statement failed.
    """
    wanted = {"names": sorted(names), "moments": sorted(moments)}
    ((granted,),) = probe.rows("granted_statistics")
    # Who may read some tables and was given the function sees the most in both together.
    sources = ["column_statistics_granted"] if granted else []
    return {
        (schema, table, name): ColumnStatistics(*facts)
        for source in [*sources, "column_statistics"]
        for schema, table, name, *facts in binary_rows(probe, source, wanted)
    }


def _facts(columns: list[_Column], known: dict[str, ColumnStatistics | None]) -> ColumnFacts:
    of = {role: [c.name for c in columns if c.role == role] for role in (c.role for c in columns)}
    declared = of.get("lifetime", [])
    expiry = next(iter([*declared, *of.get("expiry", [])]), None)
    values = known.get(expiry or "")
    return ColumnFacts(
        lookup=tuple(name for name in of.get("lookup", []) if _identifies(known[name])),
        created=next(iter(of.get("created", [])), None),
        expiry=expiry,
        declared=bool(declared),
        earliest_expiry=_moment(values.earliest) if values else None,
        expired_share=values.past if values else None,
        hidden=not all(column.readable for column in columns),
    )


def _identifies(values: ColumnStatistics | None) -> bool:
    return values is None or values.distinct <= -IDENTIFYING


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None or not 0 <= seconds < _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
