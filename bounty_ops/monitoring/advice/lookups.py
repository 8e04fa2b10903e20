"""Tables whose rows are looked up by columns that no index begins with.

Three kinds of evidence, the strongest first: a statement that does it; counters that cannot be
explained otherwise (rows are changed, and no index was scanned to find them); and the make of the
table (its only index is a primary key, to which nothing refers).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.advice.conditions import Lookup, lookups
from bounty_ops.monitoring.findings import Finding, Severity, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bounty_ops.monitoring.advice.window import Counted, Window
    from bounty_ops.monitoring.collectors.indexes import Indexes, IndexFacts
    from bounty_ops.monitoring.collectors.tables import TableFacts, Tables

SMALL_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class _Evidence:
    columns: tuple[str, ...]
    text: str
    observed: bool
    """False: only the table's make speaks for it."""
    weight: float


def lookup_findings(
    tables: Tables, indexes: Indexes, statements: Iterable[tuple[str, int]], window: Window
) -> Iterator[Finding]:
    """Findings from tables, their indexes, and statements with the number of their calls."""
    by_table: dict[str, list[IndexFacts]] = defaultdict(list)
    for index in indexes.indexes:
        by_table[f"{index.schema_name}.{index.table}"].append(index)
    referring = {f"{key.schema_name}.{key.table}" for key in indexes.foreign_keys}
    asked = _by_table(tables, statements)
    for table in tables.tables:
        if table.kind != "table":
            continue
        own = [index for index in by_table[table.subject] if index.valid]
        counted = window.counted(table)
        found = (
            _stated(asked.get(table.subject, []), own)
            or _counted(table, counted)
            or _made(table, own, counted, refers=table.subject in referring)
        )
        if found is not None:
            yield _finding(table, counted, found)


def _by_table(
    tables: Tables, statements: Iterable[tuple[str, int]]
) -> dict[str, list[tuple[Lookup, str, int]]]:
    """What statements look up, by table; a name without schema counts if only one has it."""
    names: dict[str, set[str]] = defaultdict(set)
    for table in tables.tables:
        names[table.name].add(table.subject)
        names[table.subject].add(table.subject)
    found: dict[str, list[tuple[Lookup, str, int]]] = defaultdict(list)
    for text, calls in statements:
        for lookup in lookups(text):
            subjects = names.get(lookup.table, set())
            if len(subjects) == 1:
                found[next(iter(subjects))].append((lookup, text, calls))
    return found


def _stated(asked: list[tuple[Lookup, str, int]], indexes: list[IndexFacts]) -> _Evidence | None:
    leading = {index.columns[0] for index in indexes if index.columns}
    if None in leading:
        return None  # an expression: it may be what the statement asks for
    unserved = [one for one in asked if not leading & set(one[0].columns)]
    if not unserved:
        return None
    lookup, text, calls = max(unserved, key=lambda one: one[2])
    total = sum(count for *_, count in unserved)
    return _Evidence(
        lookup.columns, f"{total:,} calls, most of: {text}", True, float(max(calls, 1))
    )


def _counted(table: TableFacts, counted: Counted) -> _Evidence | None:
    changed = counted.rows_updated + counted.rows_deleted
    scans = counted.sequential_scans
    # A statement that changes many rows at once needs no index, so changes are set against scans.
    by_row = 0 < changed <= 2 * scans
    if not (table.lookup_columns and by_row and counted.index_scans < changed):
        return None
    return _Evidence(
        table.lookup_columns,
        f"{changed:,} rows were changed or deleted, and indexes scanned {counted.index_scans:,} "
        f"times; different in nearly every row: {', '.join(table.lookup_columns)}",
        True,
        float(changed),
    )


def _made(
    table: TableFacts, indexes: list[IndexFacts], counted: Counted, *, refers: bool
) -> _Evidence | None:
    keys = [column for index in indexes if index.primary for column in index.columns]
    only_primary = len(keys) == len(indexes) == 1
    if not only_primary or counted.index_scans or table.referenced is not False or refers:
        return None
    if not table.lookup_columns:
        return None
    return _Evidence(
        table.lookup_columns,
        f"its only index is on ({keys[0]}), which nothing ever looked up and no foreign key refers "
        f"to, and it refers to no table. Never null, and as far as is known different in nearly "
        f"every row: {', '.join(table.lookup_columns)}",
        False,
        0.0,
    )


def _finding(table: TableFacts, counted: Counted, found: _Evidence) -> Finding:
    small = table.table_bytes < SMALL_BYTES
    columns = ", ".join(found.columns)
    scans = (
        f"; all of it ({size(table.table_bytes)}) was read {counted.sequential_scans:,} times, "
        f"{counted.sequential_rows_read:,} rows, {counted.over}"
    )
    title = f"{table.subject} is looked up by {columns}, which no index begins with"
    if not found.observed:
        title = f"{table.subject} can be searched by {columns} only by reading all of it"
    which = ", ".join(quoted(column) for column in found.columns[: None if found.observed else 1])
    return Finding(
        kind="lookup_without_index",
        severity=Severity.INFO if small or not found.observed else Severity.WARNING,
        subject=table.subject,
        title=title,
        evidence=found.text + scans,
        remedy=f"CREATE INDEX CONCURRENTLY ON {quoted(table.schema_name, table.name)} ({which});",
        weight=found.weight,
    )
