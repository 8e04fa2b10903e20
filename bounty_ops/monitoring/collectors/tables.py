"""How big every table is, and how it is used and vacuumed."""

from typing import Any, ClassVar, Literal, NamedTuple

from bounty_ops.monitoring.collectors.sizes import locked_relations, measure
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Entry, FamilyResult, SchemaName, UtcTime


class TableFacts(Entry):
    """One table; sizes in bytes, counters since the statistics began."""

    schema_name: SchemaName
    name: str
    kind: Literal["table", "partitioned table", "materialized view"]
    exact: bool
    """False: somebody had locked it, and the sizes are those of its last VACUUM or ANALYZE."""
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
    tables: tuple[TableFacts, ...]
    """Biggest first."""


class _Row(NamedTuple):
    oid: int
    schema: str
    name: str
    kind: Literal["table", "partitioned table", "materialized view"]
    rows: int | None
    table_bytes: int
    index_bytes: int
    toast_bytes: int
    statistics: dict[str, Any] | None


def collect_tables(probe: Probe) -> Measured:
    """Measure every table.

    Raises:
        psycopg.Error: a statement failed.
    """
    rows = [_Row(*row) for row in probe.rows("tables")]
    locked = locked_relations(probe)
    free = [row.oid for row in rows if row.oid not in locked.tables]
    exact = measure(probe, "table_sizes", free)
    tables = sorted(
        (_facts(row, exact.get(row.oid)) for row in rows),
        key=lambda table: (-table.total_bytes, table.subject),
    )
    return Measured(
        Tables(
            count=len(tables),
            total_bytes=sum(table.total_bytes for table in tables),
            estimated=sum(not table.exact for table in tables),
            tables=tuple(tables),
        )
    )


def _facts(row: _Row, exact: tuple[int, ...] | None) -> TableFacts:
    statistics = row.statistics or {}
    table, index, toast = row.table_bytes, row.index_bytes, row.toast_bytes
    if exact is not None:
        total, index, toast = exact
        table = total - index - toast
    return TableFacts(
        schema_name=row.schema,
        name=row.name,
        kind=row.kind,
        exact=exact is not None,
        total_bytes=table + index + toast,
        table_bytes=table,
        index_bytes=index,
        toast_bytes=toast,
        rows=row.rows,
        live_rows=statistics.get("n_live_tup"),
        dead_rows=statistics.get("n_dead_tup"),
        rows_changed_since_analyze=statistics.get("n_mod_since_analyze"),
        sequential_scans=statistics.get("seq_scan"),
        sequential_rows_read=statistics.get("seq_tup_read"),
        index_scans=statistics.get("idx_scan"),
        rows_inserted=statistics.get("n_tup_ins"),
        rows_updated=statistics.get("n_tup_upd"),
        rows_deleted=statistics.get("n_tup_del"),
        last_vacuum=statistics.get("last_vacuum"),
        last_autovacuum=statistics.get("last_autovacuum"),
        last_analyze=statistics.get("last_analyze"),
        last_autoanalyze=statistics.get("last_autoanalyze"),
        last_sequential_scan=statistics.get("last_seq_scan"),
        last_index_scan=statistics.get("last_idx_scan"),
    )
