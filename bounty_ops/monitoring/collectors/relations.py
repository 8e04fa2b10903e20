"""What the families of tables and indexes read together, once a collection.

The counters are read each time. What a relation is changes only with the catalogs, so it is taken
over from the collection before as long as the catalogs say that they have not changed; and a file
is measured again only after something could have changed its size.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bounty_ops.monitoring.autovacuum import AutovacuumSettings
from bounty_ops.monitoring.collectors.sizes import Locked, locked_relations
from bounty_ops.monitoring.queries import load

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from bounty_ops.monitoring.probe import Probe

#: After so long everything is read and measured anew, whatever the catalogs say: what the planner
#: knows about columns changes without them.
DESCRIBE_ANEW: Final = timedelta(hours=24)


class TableCounters(NamedTuple):
    """What `table_counters.sql` reads of one table."""

    oid: int
    file: int
    toast_file: int
    pages: int
    vacuums: int
    rows: float
    """Negative before the first VACUUM or ANALYZE."""
    xid_age: int
    multixact_age: int
    live: int
    dead: int
    changed_since_analyze: int
    inserted_since_vacuum: int
    sequential_scans: int
    sequential_rows_read: int
    inserted: int
    updated: int
    deleted: int
    last_vacuum: datetime | None
    last_autovacuum: datetime | None
    last_analyze: datetime | None
    last_autoanalyze: datetime | None
    last_sequential_scan: datetime | None
    unfrozen: float


class IndexCounters(NamedTuple):
    """What `index_counters.sql` reads of one index."""

    oid: int
    table: int
    file: int
    pages: int
    rows: float
    scans: int
    rows_read: int
    last_scan: datetime | None


@dataclass(frozen=True)
class Relations:
    """One look at all tables and indexes, without opening any."""

    catalogue: str | None
    """Equal as long as the catalogs have not changed; None on a standby, which cannot tell."""
    at: datetime
    """By the server's clock."""
    statistics_since: datetime | None
    block_size: int
    autovacuum: AutovacuumSettings
    tables: dict[int, TableCounters]
    indexes: dict[int, IndexCounters]
    locked: Locked
    written: frozenset[int]

    def storage(self) -> dict[int, int]:
        """By oid of a table: differs as soon as it, its TOAST table or an index may have grown."""
        files: dict[int, list[object]] = {
            table.oid: [*table[1:5], table.inserted, table.updated, table.deleted]
            for table in self.tables.values()
        }
        for index in self.indexes.values():
            if index.table in files:
                files[index.table] += [index.oid, index.file, index.pages]
        return {oid: _digest(parts) for oid, parts in files.items()}

    def index_storage(self) -> dict[int, int]:
        """By oid of an index: differs as soon as it may have grown."""
        return {
            index.oid: _digest(
                [index.file, index.pages, table.inserted, table.updated, table.vacuums]
            )
            for index in self.indexes.values()
            if (table := self.tables.get(index.table)) is not None
        }

    def fresh(self, described_at: datetime | None) -> bool:
        """Whether a former collection may be built upon."""
        return (
            self.catalogue is not None
            and described_at is not None
            and self.at - described_at < DESCRIBE_ANEW
        )


def relations(probe: Probe) -> Relations:
    """Read them, or give what was read for another family of the same collection.

    Raises:
        psycopg.Error: a statement failed.
    """
    found = probe.shared.get("relations")
    if not isinstance(found, Relations):
        found = _read(probe)
        probe.shared["relations"] = found
    return found


def _read(probe: Probe) -> Relations:
    # The catalogs' state comes first: a change after it is seen in the next collection.
    ((catalogue, at, since, block_size, *settings),) = binary_rows(probe, "relations")
    return Relations(
        catalogue=catalogue,
        at=at,
        statistics_since=since,
        block_size=block_size,
        autovacuum=AutovacuumSettings(*settings),
        tables={row[0]: TableCounters(*row) for row in binary_rows(probe, "table_counters")},
        indexes={row[0]: IndexCounters(*row) for row in binary_rows(probe, "index_counters")},
        locked=locked_relations(probe),
        written=frozenset(oid for (oid,) in binary_rows(probe, "written_relations")),
    )


def binary_rows(
    probe: Probe, name: str, parameters: dict[str, Any] | None = None
) -> list[TupleRow]:
    """The rows of a statement, which the server need not turn into text.

    Raises:
        psycopg.Error: the statement failed.
    """
    text = load(name, probe.version_num // 10_000)
    with probe.connection.cursor(binary=True) as cursor:
        return cursor.execute(text.encode(), parameters).fetchall()


def _digest(parts: list[object]) -> int:
    return zlib.crc32(repr(parts).encode())
