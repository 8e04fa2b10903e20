"""Every index and foreign key: size, use, and the facts that tell a useless one from a needed."""

from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple

from bounty_ops.monitoring.collectors.blind_indexes import blind_spots
from bounty_ops.monitoring.collectors.columns import column_statistics
from bounty_ops.monitoring.collectors.entries import bloat_bytes, entry_bytes
from bounty_ops.monitoring.collectors.relations import (
    IndexCounters,
    Relations,
    binary_rows,
    relations,
)
from bounty_ops.monitoring.collectors.sizes import measure
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Entry, FamilyResult, SchemaName, UtcTime


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

    unscanned_since: UtcTime | None = None
    """The first collection since which no scan was counted: it was there then."""
    building: str | None = None
    """The phase of the statement that is building it; None when none is seen to."""
    rows: int | None = None
    """Entries as the catalog has them; None before the first VACUUM or ANALYZE."""
    entry_bytes: float | None = None
    """What an entry of a btree takes on average; None where the planner knows too little."""
    bloat_bytes: int | None = None
    """Estimate of what a REINDEX would give back; None where it cannot be estimated."""
    fillfactor: int | None = None
    hidden: bool = False
    """The role may not read its columns, so nothing is known of their widths."""
    oid: int | None = None
    storage: int | None = None
    """Changes as soon as the size may have changed."""

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
    catalogue: str | None = None
    """Equal in two collections: no relation was made, changed or dropped in between."""
    described_at: UtcTime | None = None
    measured: int | None = None
    """How many were measured anew; the others cannot have changed."""
    hidden_builds: int = 0
    """Statements that build indexes which the role may not know."""
    indexes: tuple[IndexFacts, ...]
    foreign_keys: tuple[ForeignKey, ...]


class _Known(NamedTuple):
    """What holds of an index until something changes."""

    facts: dict[str, Any]
    bytes: int
    storage: int | None = None
    """What the size belongs to; None where it is an estimate."""
    before: IndexFacts | None = None
    """As the former collection had it."""


#: What of an index stays as it is until the catalogs change, in the order of `indexes.sql`.
_DESCRIBED: Final = (
    "schema_name", "table", "name", "method", "unique", "primary", "constraint", "valid",
    "replica_identity", "referenced", "partitioned", "partial", "columns", "keys", "included",
    "predicate", "nulls_not_distinct",
)  # fmt: skip
_LASTING: Final = (*_DESCRIBED, "oid", "fillfactor", "entry_bytes", "hidden")


def collect_indexes(probe: Probe) -> Measured:
    """Measure every index and list the foreign keys.

    Raises:
        psycopg.Error: a statement failed.
    """
    seen = relations(probe)
    known, keys, described_at = _known(probe, seen)
    storage = seen.index_storage()
    stale = [
        oid
        for oid in known.keys() & storage.keys()
        if known[oid].storage != storage[oid] or seen.indexes[oid].table in seen.written
    ]
    exact = measure(probe, "index_sizes", stale, seen.locked.relations)
    estimated = set(stale) - exact.keys()
    building = {oid: phase for oid, phase, *_ in binary_rows(probe, "index_builds")}
    indexes = [
        _facts(
            seen,
            one,
            exact[oid][0] if oid in exact else one.bytes,
            None if oid in estimated else storage.get(oid),
            building.get(oid),
        )
        for oid, one in known.items()
        if oid in seen.indexes or one.facts["partitioned"]
    ]
    since = seen.statistics_since
    result = Indexes(
        count=len(indexes),
        total_bytes=sum(index.bytes for index in indexes),
        estimated=len(estimated),
        statistics_since=since,
        statistics_seconds=None if since is None else (seen.at - since).total_seconds(),
        catalogue=seen.catalogue,
        described_at=described_at,
        measured=len(exact),
        hidden_builds=sum(oid is None for oid in building),
        indexes=tuple(sorted(indexes, key=lambda index: (-index.bytes, index.subject))),
        foreign_keys=keys,
    )
    return Measured(result, blind_spots(probe, result))


def _known(
    probe: Probe, seen: Relations
) -> tuple[dict[int, _Known], tuple[ForeignKey, ...], datetime]:
    """What each index is, the foreign keys, and since when nothing of that was taken over."""
    former = None if probe.former is None else probe.former.family(Indexes)
    if former is None or former.described_at is None or not seen.fresh(former.described_at):
        # What was counted goes on, whatever has become old.
        described = _described(probe)
        for index in former.indexes if former else ():
            if index.oid in described:
                described[index.oid] = described[index.oid]._replace(before=index)
        return described, _foreign_keys(probe), seen.at
    before = {index.oid: _taken_over(index) for index in former.indexes if index.oid is not None}
    if former.catalogue == seen.catalogue and before.keys() >= seen.indexes.keys():
        return before, former.foreign_keys, former.described_at
    described = _described(probe)
    for oid in described.keys() & before.keys():
        # The catalogs changed, but perhaps not this index.
        old = before[oid]
        described[oid] = old._replace(facts=described[oid].facts)
    return described, _foreign_keys(probe), former.described_at


def _taken_over(index: IndexFacts) -> _Known:
    """An index as the former collection had it."""
    facts = {name: getattr(index, name) for name in _LASTING}
    return _Known(facts, index.bytes, index.storage, index)


def _described(probe: Probe) -> dict[int, _Known]:
    """Every index as the catalogs have it now, with its estimated size."""
    rows = binary_rows(probe, "indexes")
    names = {column for row in rows for column in (*row[14], *row[16]) if column is not None}
    widths = column_statistics(probe, names)
    may_read: dict[int, bool] = dict(binary_rows(probe, "readable_tables"))
    described = {}
    for oid, table_oid, *facts, estimated_bytes, fillfactor in rows:
        named = dict(zip(_DESCRIBED, facts, strict=True))
        columns = [*named["columns"], *named["included"]]
        known = [widths.get((named["schema_name"], named["table"], name)) for name in columns]
        described[oid] = _Known(
            {
                **named,
                **{name: tuple(named[name]) for name in ("columns", "keys", "included")},
                "oid": oid,
                "fillfactor": fillfactor,
                "entry_bytes": entry_bytes(named["method"], known),
                "hidden": None in known and not may_read.get(table_oid, True),
            },
            0 if named["partitioned"] else estimated_bytes,
        )
    return described


def _foreign_keys(probe: Probe) -> tuple[ForeignKey, ...]:
    return tuple(_foreign_key(*row) for row in probe.rows("foreign_keys"))


def _foreign_key(
    schema: str, table: str, name: str, columns: list[str], references: str
) -> ForeignKey:
    return ForeignKey(
        schema_name=schema, table=table, name=name, columns=tuple(columns), references=references
    )


def _facts(
    seen: Relations, known: _Known, size: int, storage: int | None, building: str | None
) -> IndexFacts:
    counters = seen.indexes.get(known.facts["oid"])
    if counters is None:
        return IndexFacts(
            **known.facts, bytes=0, exact=True, scans=None, rows_read=None, last_scan=None
        )
    rows = int(counters.rows) if counters.rows >= 0 else None
    return IndexFacts(
        **known.facts,
        bytes=size,
        exact=storage is not None,
        scans=counters.scans,
        rows_read=counters.rows_read,
        last_scan=counters.last_scan,
        unscanned_since=_unscanned_since(seen, known.before, counters),
        building=building,
        rows=rows,
        bloat_bytes=bloat_bytes(
            size, rows, known.facts["entry_bytes"], known.facts["fillfactor"], seen.block_size
        ),
        storage=storage,
    )


def _unscanned_since(
    seen: Relations, before: IndexFacts | None, counters: IndexCounters
) -> datetime:
    if before is None or before.unscanned_since is None or before.scans != counters.scans:
        return seen.at
    if seen.statistics_since and seen.statistics_since > before.unscanned_since:
        return seen.at  # it may have been scanned before the counters were emptied
    return before.unscanned_since
