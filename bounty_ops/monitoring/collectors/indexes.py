"""Every index and foreign key: size, use, and the facts that tell a useless one from a needed."""

from typing import Any, ClassVar, NamedTuple

from bounty_ops.monitoring.collectors.sizes import locked_relations, measure
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Entry, FamilyResult, SchemaName, Unknown, UtcTime


class IndexFacts(Entry):
    """One index; counters since `Indexes.statistics_since`."""

    schema_name: SchemaName
    table: str
    name: str
    method: str
    unique: bool
    primary: bool
    constraint: str | None
    """The constraint that it enforces; it cannot be dropped without that."""
    valid: bool
    """False after a failed CREATE INDEX CONCURRENTLY, and while one is running."""
    replica_identity: bool
    referenced: bool
    """A foreign key of some table relies on its uniqueness; it cannot be dropped without that."""
    partitioned: bool
    """The template on a partitioned table; it has no data and is never scanned itself."""
    partial: bool
    columns: tuple[str | None, ...]
    """The key columns; None stands for an expression."""
    included: tuple[str, ...]
    keys: tuple[str, ...]
    """Signature of each key: equal means interchangeable."""
    predicate: str | None
    """Signature of the WHERE clause; None when there is none."""
    nulls_not_distinct: bool
    bytes: int
    exact: bool
    """False: somebody had locked it, and the size is that of its table's last VACUUM."""
    scans: int | None
    rows_read: int | None
    last_scan: UtcTime | None
    """None before PostgreSQL 16, and where there was none."""

    @property
    def subject(self) -> str:
        """Schema and name."""
        return f"{self.schema_name}.{self.name}"


class ForeignKey(Entry):
    """One foreign key."""

    schema_name: SchemaName
    table: str
    name: str
    columns: tuple[str, ...]
    references: str
    """Schema and name of the other table."""

    @property
    def subject(self) -> str:
        """Schema, table and name: names of constraints are unique in their table only."""
        return f"foreign key {self.schema_name}.{self.table}.{self.name}"


class Indexes(FamilyResult):
    """All indexes and foreign keys of the database."""

    family: ClassVar[str] = "indexes"
    lists: ClassVar[tuple[str, ...]] = ("indexes", "foreign_keys")

    count: int
    total_bytes: int
    estimated: int
    """How many could not be measured exactly."""
    statistics_since: UtcTime | None
    """When the counters began; None where the server does not say."""
    statistics_seconds: float | None
    indexes: tuple[IndexFacts, ...]
    foreign_keys: tuple[ForeignKey, ...]


class _Row(NamedTuple):
    oid: int
    schema: str
    table: str
    name: str
    method: str
    unique: bool
    primary: bool
    constraint: str | None
    valid: bool
    replica_identity: bool
    referenced: bool
    partitioned: bool
    partial: bool
    columns: list[str | None]
    keys: list[str]
    included: list[str]
    predicate: str | None
    nulls_not_distinct: bool
    estimated_bytes: int
    statistics: dict[str, Any] | None


def collect_indexes(probe: Probe) -> Measured:
    """Measure every index and list the foreign keys.

    Raises:
        psycopg.Error: a statement failed.
    """
    rows = [_Row(*row) for row in probe.rows("indexes")]
    locked = locked_relations(probe)
    free = [row.oid for row in rows if not row.partitioned and row.oid not in locked.relations]
    exact = measure(probe, "index_sizes", free)
    indexes = sorted(
        (_facts(row, exact.get(row.oid)) for row in rows),
        key=lambda index: (-index.bytes, index.subject),
    )
    ((since, seconds),) = probe.rows("statistics_age")
    result = Indexes(
        count=len(indexes),
        total_bytes=sum(index.bytes for index in indexes),
        estimated=sum(not index.exact for index in indexes),
        statistics_since=since,
        statistics_seconds=seconds,
        indexes=tuple(indexes),
        foreign_keys=tuple(_foreign_key(*row) for row in probe.rows("foreign_keys")),
    )
    return Measured(result, _unknown(result))


def _facts(row: _Row, exact: tuple[int, ...] | None) -> IndexFacts:
    statistics = row.statistics or {}
    size = 0 if row.partitioned else row.estimated_bytes
    if exact is not None:
        (size,) = exact
    return IndexFacts(
        schema_name=row.schema,
        table=row.table,
        name=row.name,
        method=row.method,
        unique=row.unique,
        primary=row.primary,
        constraint=row.constraint,
        valid=row.valid,
        replica_identity=row.replica_identity,
        referenced=row.referenced,
        partitioned=row.partitioned,
        partial=row.partial,
        columns=tuple(row.columns),
        included=tuple(row.included),
        keys=tuple(row.keys),
        predicate=row.predicate,
        nulls_not_distinct=row.nulls_not_distinct,
        bytes=size,
        exact=exact is not None or row.partitioned,
        scans=statistics.get("idx_scan"),
        rows_read=statistics.get("idx_tup_read"),
        last_scan=statistics.get("last_idx_scan"),
    )


def _foreign_key(
    schema: str, table: str, name: str, columns: list[str], references: str
) -> ForeignKey:
    return ForeignKey(
        schema_name=schema, table=table, name=name, columns=tuple(columns), references=references
    )


def _unknown(result: Indexes) -> tuple[Unknown, ...]:
    if result.statistics_since is not None:
        return ()
    return (
        Unknown(
            family=Indexes.family,
            subject="since when index use is counted",
            reason="the server does not say when its statistics began, so an index without scans "
            "may be new to them rather than unused",
            remedy="Compare collections over time; pg_stat_reset() would make the moment known "
            "but loses what was counted",
        ),
    )
