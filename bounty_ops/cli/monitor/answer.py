"""What `monitor collect` shows a person: of each family the headline, and the first entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.cli.console import clock, shown, size, span, table
from bounty_ops.cli.monitor.answer_vitals import vitals
from bounty_ops.monitoring import Connections, Indexes, Queries, Tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from bounty_ops.monitoring import CollectionResult, Unknown

_SHOWN_ENTRIES: Final = 8
_SHOWN_TEXT: Final = 70


def draw_collection(console: Console, result: CollectionResult) -> None:
    """All families, as far as they could be measured."""
    console.print(
        f"{result.environment} at {clock(result.taken_at)}, measured in {span(result.seconds)}"
    )
    if connections := result.family(Connections):
        _draw_connections(console, connections)
    for name, headline in vitals(result):
        _headline(console, name, headline)
    if queries := result.family(Queries):
        _draw_queries(console, queries)
    if tables := result.family(Tables):
        _draw_tables(console, tables)
    if indexes := result.family(Indexes):
        _draw_indexes(console, indexes)
    _draw_unknown(console, result.unknown)


def _draw_connections(console: Console, found: Connections) -> None:
    limit = found.usable
    whose = limit.kind if limit.name is None else f"{limit.kind} {limit.name}"
    _headline(
        console,
        "CONNECTIONS",
        f"{limit.used} of {limit.limit} that the {whose} allows ({limit.ratio:.0%})",
    )
    rows = [
        ("by state", _counts(found.by_state)),
        ("by user", _counts(found.by_user)),
        ("by application", _counts(found.by_application)),
        ("by database", _counts(found.by_database)),
    ]
    drawn = table(("", ""), rows)
    drawn.show_header = False
    console.print(drawn)


def _draw_queries(console: Console, found: Queries) -> None:
    slow = span(found.slow_query_seconds)
    _headline(console, "QUERIES", f"{len(found.running)} running for longer than {slow}")
    _entries(
        console,
        (">PID", "USER", "STATE", ">SECONDS", "BLOCKED BY", "STATEMENT"),
        [
            (each.pid, each.user, each.state, f"{each.seconds:.1f}",
             ", ".join(map(str, each.blocked_by)), _brief(each.text))
            for each in found.running
        ],
    )  # fmt: skip
    _entries(
        console,
        (">CALLS", ">TOTAL S", ">MEAN S", ">MAX S", "STATEMENT"),
        [
            (f"{each.calls:,}", f"{each.total_seconds:.2f}", f"{each.mean_seconds:.4f}",
             f"{each.max_seconds:.3f}", _brief(each.text))
            for each in found.statements
        ],
    )  # fmt: skip
    if found.interval is not None:
        known = found.interval.calls_known
        console.print(f"{known} of the calls since the collection before are known")
    _entries(
        console,
        (">ABOUT S", "BETWEEN", ">SHARE", ">RUNS FOUND", "STATEMENT"),
        [
            (f"{each.seconds:.2f}", f"{each.low_seconds:.2f} and {each.high_seconds:.2f}",
             f"{each.share:.0%}", f"{each.runs}", _brief(each.text))
            for each in found.sampled
        ],
    )  # fmt: skip


def _draw_tables(console: Console, found: Tables) -> None:
    _headline(console, "TABLES", f"{found.count}, {size(found.total_bytes)} together")
    _entries(
        console,
        ("TABLE", ">SIZE", ">OF IT INDEXES", ">ROWS", ">DEAD ROWS", "LAST AUTOVACUUM"),
        [
            (each.subject, size(each.total_bytes), size(each.index_bytes),
             _number(each.live_rows), _number(each.dead_rows), clock(each.last_autovacuum))
            for each in found.tables
        ],
    )  # fmt: skip


def _draw_indexes(console: Console, found: Indexes) -> None:
    _headline(console, "INDEXES", f"{found.count}, {size(found.total_bytes)} together")
    _entries(
        console,
        ("INDEX", "TABLE", ">SIZE", ">SCANS", "LAST SCAN"),
        [
            (each.name, each.table, size(each.bytes), _number(each.scans), clock(each.last_scan))
            for each in found.indexes
        ],
    )


def _headline(console: Console, name: str, text: str) -> None:
    console.print()
    console.print(name, style="bold")
    console.print(text)


def _entries(console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    console.print(table(columns, rows[:_SHOWN_ENTRIES]))
    if len(rows) > _SHOWN_ENTRIES:
        console.print(f"... and {len(rows) - _SHOWN_ENTRIES} more: --json shows all")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _brief(text: str) -> str:
    line = shown(text)
    return line if len(line) <= _SHOWN_TEXT else f"{line[:_SHOWN_TEXT]}…"


def _draw_unknown(console: Console, unknown: Sequence[Unknown]) -> None:
    """What could not be measured: neither zero nor healthy."""
    if not unknown:
        return
    console.print()
    console.print("NOT MEASURED", style="bold")
    for item in unknown:
        console.print(f"{item.family}, {item.subject}: {shown(item.reason)}")
        console.print(f"    do:   {shown(item.remedy)}")
