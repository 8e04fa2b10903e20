"""Tables and indexes as collections would have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bounty_ops.monitoring import CollectionResult, FamilyResult, Indexes, Tables
from bounty_ops.monitoring.collectors.indexes import ForeignKey, IndexFacts
from bounty_ops.monitoring.collectors.tables import TableFacts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIB = 1024 * 1024


def table(name: str = "rate_limit", /, **facts: object) -> TableFacts:
    """A table of 2 MiB that was analyzed; counters are 0."""
    values: dict[str, object] = {
        field: None for field, info in TableFacts.model_fields.items() if info.is_required()
    }
    counters = [field for field in values if field.endswith(("_scans", "_read", "ed", "_rows"))]
    values |= dict.fromkeys(counters, 0)
    values |= {"schema_name": "public", "name": name, "kind": "table", "exact": True, "rows": 1000}
    values |= {"total_bytes": 3 * MIB, "table_bytes": 2 * MIB, "index_bytes": MIB, "oid": 1}
    values |= {"toast_bytes": 0, "live_rows": 1000, "rows_inserted": 1000, "referenced": False}
    return TableFacts.model_validate({**values, **facts})


def index(*columns: str | None, on: str = "rate_limit", **facts: object) -> IndexFacts:
    """A valid btree."""
    values: dict[str, object] = {
        "schema_name": "public",
        "table": on,
        "name": f"{on}_{'_'.join(column or 'expression' for column in columns)}_idx",
        "method": "btree",
        "constraint": None,
        "valid": True,
        "columns": columns,
        "included": (),
        "keys": tuple(map(str, columns)),
        "predicate": None,
        "bytes": 8192,
        "exact": True,
        "scans": 0,
        "rows_read": 0,
        "last_scan": None,
    }
    flags = ("unique", "primary", "replica_identity", "referenced", "partitioned", "partial")
    values |= dict.fromkeys((*flags, "nulls_not_distinct"), False)
    return IndexFacts.model_validate({**values, **facts})


def tables(*found: TableFacts, days_counted: float | None = None) -> Tables:
    since = None if days_counted is None else NOW - timedelta(days=days_counted)
    total = sum(one.total_bytes for one in found)
    return Tables(
        count=len(found), total_bytes=total, estimated=0, statistics_since=since, tables=found
    )


def indexes(
    *found: IndexFacts, keys: tuple[ForeignKey, ...] = (), days_counted: float | None = None
) -> Indexes:
    return Indexes(
        count=len(found),
        total_bytes=0,
        estimated=0,
        statistics_since=None if days_counted is None else NOW - timedelta(days=days_counted),
        statistics_seconds=None if days_counted is None else days_counted * 86_400,
        indexes=found,
        foreign_keys=keys,
    )


def collection(*families: FamilyResult, days_ago: float = 0) -> CollectionResult:
    taken = NOW - timedelta(days=days_ago)
    return CollectionResult(
        "development", taken, 0.1, {family.family: family for family in families}
    )
