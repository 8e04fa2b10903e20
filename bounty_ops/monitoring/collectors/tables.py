"""How big every table is, and how it is used and vacuumed."""

from datetime import datetime
from typing import Any, ClassVar, Final, Literal, NamedTuple

from psycopg.rows import TupleRow

from bounty_ops.monitoring.collectors.columns import SELECT_REMEDY, ColumnFacts, column_facts
from bounty_ops.monitoring.collectors.counting import counted_of, nothing_counted
from bounty_ops.monitoring.collectors.relations import (
    Relations,
    binary_rows,
    relations,
)
from bounty_ops.monitoring.collectors.sizes import measure
from bounty_ops.monitoring.probe import Measured, Probe, identifier
from bounty_ops.monitoring.result import Entry, FamilyResult, SchemaName, Unknown, UtcTime


class TableFacts(Entry):
    """One table; sizes in bytes, counters since the statistics began."""

    schema_name: SchemaName
    name: str
    kind: Literal["table", "partitioned table", "materialized view"]
    exact: bool
    """False: somebody had locked it, and the sizes are those of before."""
    total_bytes: int
    table_bytes: int
    index_bytes: int
    toast_bytes: int
    rows: int | None
    """Rows as the planner estimates them; None before the first VACUUM or ANALYZE."""
    live_rows: int | None
    dead_rows: int | None
    rows_changed_since_analyze: int | None
    sequential_scans: int | None
    sequential_rows_read: int | None
    index_scans: int | None
    rows_inserted: int | None
    rows_updated: int | None
    rows_deleted: int | None
    last_vacuum: UtcTime | None
    last_autovacuum: UtcTime | None
    last_analyze: UtcTime | None
    last_autoanalyze: UtcTime | None
    last_sequential_scan: UtcTime | None
    """None before PostgreSQL 16, and where there was none."""
    last_index_scan: UtcTime | None
    vacuum_trigger_rows: float | None = None
    """So many dead rows make autovacuum come; its settings and the table's own decide."""
    dead_ratio_of_trigger: float | None = None
    rows_inserted_since_vacuum: int | None = None
    insert_trigger_rows: float | None = None
    """The same for inserted rows; None where inserts alone do not make it come."""
    autovacuum: bool | None = None
    """False: it comes only before transaction ids run out."""
    xid_age: int | None = None
    """In whole millions: every transaction makes every table older."""
    freeze_max_age: int | None = None
    """At this `xid_age` autovacuum comes in any case."""
    multixact_age: int | None = None
    multixact_freeze_max_age: int | None = None
    referenced: bool | None = None
    """Foreign keys point to it."""
    lookup_columns: tuple[str, ...] = ()
    """Texts and uuids that identify rows, as far as is known, and that no index begins with."""
    created_column: str | None = None
    """A moment that is set when a row is made."""
    expiry_column: str | None = None
    """A moment after which a row has expired."""
    expiry_declared: bool = False
    """Whether the default of that column is some time from now."""
    earliest_expiry: UtcTime | None = None
    expired_share: float | None = None
    """Of the rows, by what the planner remembers; None where it remembers nothing."""
    columns_hidden: bool = False
    """The role may not read some of these columns, so nothing is known about their values."""
    options: tuple[str, ...] = ()
    """Storage parameters that are about autovacuum."""
    oid: int | None = None
    storage: int | None = None
    """Changes as soon as the sizes may have changed."""

    @property
    def subject(self) -> str:
        """Schema and name."""
        return f"{self.schema_name}.{self.name}"


class Tables(FamilyResult):
    """All tables of the database; none is left out for being small."""

    family: ClassVar[str] = "tables"
    lists: ClassVar[tuple[str, ...]] = ("tables",)

    count: int
    total_bytes: int
    estimated: int
    """How many could not be measured exactly."""
    statistics_since: UtcTime | None = None
    """When the counters began; None where the server does not say."""
    catalogue: str | None = None
    """Equal in two collections: no table was made, changed or dropped in between."""
    described_at: UtcTime | None = None
    measured: int | None = None
    """How many were measured anew; the others cannot have changed."""
    tables: tuple[TableFacts, ...]
    """Biggest first."""


class _Sizes(NamedTuple):
    all: int
    indexes: int
    toast: int


class _Known(NamedTuple):
    """What holds of a table until something changes."""

    facts: dict[str, Any]
    sizes: _Sizes
    storage: int | None = None
    """What the sizes belong to; None where they are estimates."""


#: What of a table stays as it is until the catalogs change.
_LASTING: Final = (
    "schema_name", "name", "kind", "options", "referenced", "oid", "lookup_columns",
    "created_column", "expiry_column", "expiry_declared", "earliest_expiry", "expired_share",
    "columns_hidden",
)  # fmt: skip


def collect_tables(probe: Probe) -> Measured:
    """Measure every table.

    Raises:
        psycopg.Error: a statement failed.
    """
    seen = relations(probe)
    known, described_at = _known(probe, seen)
    storage = seen.storage()
    stale = [
        oid
        for oid in known.keys() & storage.keys()
        if known[oid].storage != storage[oid] or oid in seen.written
    ]
    exact = measure(probe, "table_sizes", stale, seen.locked.tables)
    estimated = set(stale) - exact.keys()
    scans = _index_scans(seen)
    tables = [
        _facts(
            seen,
            facts,
            _Sizes(*exact.get(oid, sizes)),
            scans.get(oid, (0, None)),
            None if oid in estimated else storage.get(oid),
        )
        for oid, (facts, sizes, _) in known.items()
        if oid in seen.tables or facts["kind"] == "partitioned table"
    ]
    result = Tables(
        count=len(tables),
        total_bytes=sum(table.total_bytes for table in tables),
        estimated=len(estimated),
        statistics_since=seen.statistics_since,
        catalogue=seen.catalogue,
        described_at=described_at,
        measured=len(exact),
        tables=tuple(sorted(tables, key=lambda table: (-table.total_bytes, table.subject))),
    )
    return Measured(result, _unknown(probe, result))


def _known(probe: Probe, seen: Relations) -> tuple[dict[int, _Known], datetime]:
    """What each table is, and since when nothing of that was merely taken over."""
    former = None if probe.former is None else probe.former.family(Tables)
    if former is None or former.described_at is None or not seen.fresh(former.described_at):
        return _described(probe), seen.at
    before = {table.oid: _taken_over(table) for table in former.tables if table.oid is not None}
    if former.catalogue == seen.catalogue and before.keys() >= seen.tables.keys():
        return before, former.described_at
    described = _described(probe)
    for oid in described.keys() & before.keys():
        # The catalogs changed, but perhaps not this table.
        _, sizes, storage = before[oid]
        described[oid] = described[oid]._replace(sizes=sizes, storage=storage)
    return described, former.described_at


def _taken_over(table: TableFacts) -> _Known:
    """A table as the former collection had it."""
    sizes = _Sizes(table.total_bytes, table.index_bytes, table.toast_bytes)
    return _Known({name: getattr(table, name) for name in _LASTING}, sizes, table.storage)


def _described(probe: Probe) -> dict[int, _Known]:
    """Every table as the catalogs have it now, with its estimated sizes."""
    rows = binary_rows(probe, "tables")
    columns = column_facts(probe, {oid: (schema, name) for oid, schema, name, *_ in rows})
    return {row[0]: _description(row, columns.get(row[0], ColumnFacts())) for row in rows}


def _description(row: TupleRow, columns: ColumnFacts) -> _Known:
    oid, schema, name, kind, options, referenced, table_bytes, index_bytes, toast_bytes = row
    facts = {
        "oid": oid,
        "schema_name": schema,
        "name": name,
        "kind": kind,
        "options": tuple(options or ()),
        "referenced": referenced,
        "lookup_columns": columns.lookup,
        "created_column": columns.created,
        "expiry_column": columns.expiry,
        "expiry_declared": columns.declared,
        "earliest_expiry": columns.earliest_expiry,
        "expired_share": columns.expired_share,
        "columns_hidden": columns.hidden,
    }
    return _Known(facts, _Sizes(table_bytes + index_bytes + toast_bytes, index_bytes, toast_bytes))


def _index_scans(seen: Relations) -> dict[int, tuple[int, datetime | None]]:
    """How often all indexes of a table were scanned, and when the last time."""
    scans: dict[int, tuple[int, datetime | None]] = {}
    for index in seen.indexes.values():
        count, last = scans.get(index.table, (0, None))
        latest = max(filter(None, (last, index.last_scan)), default=None)
        scans[index.table] = count + index.scans, latest
    return scans


def _facts(
    seen: Relations,
    facts: dict[str, Any],
    sizes: _Sizes,
    scans: tuple[int, datetime | None],
    storage: int | None,
) -> TableFacts:
    counters = seen.tables.get(facts["oid"])
    counted = nothing_counted() if counters is None else counted_of(seen, facts, counters)
    return TableFacts(
        **facts,
        **counted,
        exact=counters is None or storage is not None,
        total_bytes=sizes.all,
        table_bytes=sizes.all - sizes.indexes - sizes.toast,
        index_bytes=sizes.indexes,
        toast_bytes=sizes.toast,
        index_scans=None if counters is None else scans[0],
        last_index_scan=scans[1],
        storage=storage,
    )


def _unknown(probe: Probe, result: Tables) -> tuple[Unknown, ...]:
    hidden = [table for table in result.tables if table.columns_hidden]
    if not hidden:
        return ()
    return (
        Unknown(
            family=Tables.family,
            subject="how rows are found and when they expire",
            reason=f"{probe.user} may not read columns of {len(hidden)} tables "
            f"({hidden[0].subject} among them), so pg_stats shows nothing of their values",
            remedy=SELECT_REMEDY.format(user=identifier(probe.user)),
        ),
    )
