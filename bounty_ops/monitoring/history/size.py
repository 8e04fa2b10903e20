"""How much room history takes, and how far it goes back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Float, cast, func, select, text

from bounty_ops.monitoring.history import partitions
from bounty_ops.monitoring.history.partitions import (
    COLLECTION,
    FIVE_MINUTES,
    HOURLY,
    SAMPLE,
    TREES,
)
from bounty_ops.schema.ops import SCHEMA, Collection, Sample, SamplePage

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.history.partitions import Tree

_DICTIONARIES: Final = ("sample_text", "sample_subject", "sample_page", "sample_rolled_day")
#: What a row takes beside its body: headers, keys and the index.
_ROW_BYTES: Final = 80
_LOOKED_AT: Final = timedelta(days=1)


@dataclass(frozen=True)
class HistorySize:
    """Sizes in bytes, with indexes and TOAST."""

    total_bytes: int
    samples_bytes: int
    """Samples as they were taken, and the collections that they belong to."""
    five_minutes_bytes: int
    hourly_bytes: int
    dictionaries_bytes: int
    """Names, definitions and layouts that samples refer to."""
    by_environment: dict[str, int]
    """The total, shared out by what each environment stored in the last day that has samples."""
    samples_since: datetime | None
    five_minutes_since: date | None
    hourly_since: date | None
    partitions: int
    in_default: dict[str, tuple[date, ...]]
    """Days of which rows lie in a DEFAULT partition, by partition; should be empty."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def history_size(engine: Engine) -> HistorySize:
    """Measure the tables of history; a page of each is looked at, not their rows."""
    with engine.connect() as connection:
        samples = _tree_bytes(connection, SAMPLE) + _tree_bytes(connection, COLLECTION)
        five_minutes = _tree_bytes(connection, FIVE_MINUTES)
        hourly = _tree_bytes(connection, HOURLY)
        dictionaries = sum(_bytes(connection, name) for name in _DICTIONARIES)
        total = samples + five_minutes + hourly + dictionaries
        left = {tree.default: partitions.days_in_default(connection, tree) for tree in TREES}
        return HistorySize(
            total_bytes=total,
            samples_bytes=samples,
            five_minutes_bytes=five_minutes,
            hourly_bytes=hourly,
            dictionaries_bytes=dictionaries,
            by_environment=_shares(connection, total),
            samples_since=connection.scalar(select(func.min(Collection.taken_at))),
            five_minutes_since=_since(connection, FIVE_MINUTES),
            hourly_since=_since(connection, HOURLY),
            partitions=sum(len(partitions.existing(connection, tree)) for tree in TREES),
            in_default={name: tuple(days) for name, days in left.items() if days},
        )


def _since(connection: Connection, tree: Tree) -> date | None:
    """The first day that has rows; the partition that it is in may begin earlier."""
    oldest: datetime | None = connection.scalar(
        text(f"SELECT min({tree.column}) FROM {SCHEMA}.{tree.table}")  # noqa: S608 - our own names
    )
    return None if oldest is None else oldest.date()


def _tree_bytes(connection: Connection, tree: Tree) -> int:
    return int(
        connection.scalar(
            text(
                "SELECT coalesce(sum(pg_catalog.pg_total_relation_size(inhrelid)), 0) "
                "FROM pg_catalog.pg_inherits WHERE inhparent = pg_catalog.to_regclass(:parent)"
            ),
            {"parent": f"{SCHEMA}.{tree.table}"},
        )
        or 0
    )


def _bytes(connection: Connection, table: str) -> int:
    size = text("SELECT pg_catalog.pg_total_relation_size(pg_catalog.to_regclass(:name))")
    return int(connection.scalar(size, {"name": f"{SCHEMA}.{table}"}) or 0)


def _shares(connection: Connection, total: int) -> dict[str, int]:
    newest = connection.scalar(select(func.max(Sample.taken_at)))
    if newest is None:
        return {}
    stored = cast(func.sum(func.octet_length(Sample.body) + _ROW_BYTES), Float)
    rows = connection.execute(
        select(SamplePage.environment, stored.label("bytes"))
        .join(Sample, Sample.page_id == SamplePage.id)
        .where(Sample.taken_at > newest - _LOOKED_AT)
        .group_by(SamplePage.environment)
        .order_by(SamplePage.environment)
    ).all()
    every = sum(row.bytes for row in rows)
    return {row.environment: round(total * row.bytes / every) for row in rows}
