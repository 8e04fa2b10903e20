"""Findings about tables: what VACUUM has not done, what ANALYZE has not seen, what grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.monitoring.advice.window import Window
    from bounty_ops.monitoring.collectors.tables import TableFacts, Tables

DEAD_ROWS: Final = 10_000
DEAD_OF_TRIGGER: Final = 2.0
DEAD_SHARE: Final = 0.1
FREEZE_WARNING: Final = 1.1
FREEZE_CRITICAL: Final = 1.25
UNANALYZED_ROWS: Final = 10_000
SMALL_BYTES: Final = 1024 * 1024
GROWTH_BYTES: Final = 256 * 1024 * 1024
GROWTH_SHARE: Final = 0.25
_DAY: Final = 86_400
_WEEK: Final = 7 * _DAY


def table_findings(tables: Tables, window: Window) -> Iterator[Finding]:
    """Everything that each table tells by itself."""
    estimated = [table.subject for table in tables.tables if not table.exact]
    if estimated:
        yield Finding(
            kind="estimated_sizes",
            severity=Severity.INFO,
            subject=f"{len(estimated)} tables",
            title=f"{len(estimated)} of {tables.count} tables were locked; their sizes are "
            "estimates",
            evidence=", ".join(estimated[:10]),
            remedy="Nothing: the next collection measures them",
        )
    for table in tables.tables:
        dead, live = table.dead_rows or 0, table.live_rows or 0
        if _many_dead(table, dead, live):
            yield _dead_rows(table, dead, live)
        if table.autovacuum is False and _switched_off(table) and table.total_bytes >= SMALL_BYTES:
            yield _autovacuum_off(table)
        yield from _unfrozen(table)
        if _unanalyzed(table, live):
            yield _never_analyzed(table, live)
        yield from _growth(table, window)


def _many_dead(table: TableFacts, dead: int, live: int) -> bool:
    if dead < DEAD_ROWS:
        return False
    if table.dead_ratio_of_trigger is None:
        return dead >= DEAD_SHARE * (dead + live)
    return table.dead_ratio_of_trigger >= DEAD_OF_TRIGGER


def _dead_rows(table: TableFacts, dead: int, live: int) -> Finding:
    vacuumed = max((t for t in (table.last_vacuum, table.last_autovacuum) if t), default=None)
    when = "never" if vacuumed is None else f"last {vacuumed:%Y-%m-%d %H:%M} UTC"
    trigger = ""
    if table.vacuum_trigger_rows is not None:
        trigger = f"; autovacuum should have come at {table.vacuum_trigger_rows:,.0f}"
    return Finding(
        kind="dead_rows",
        severity=Severity.WARNING,
        subject=table.subject,
        title=f"{table.subject} has {dead:,} dead rows beside {live:,} live ones",
        evidence=f"vacuumed: {when}{trigger}",
        remedy=f"VACUUM (ANALYZE) {quoted(table.schema_name, table.name)}; and look for an old "
        "open transaction that keeps the rows",
        weight=dead,
    )


def _switched_off(table: TableFacts) -> bool:
    """Whether the table itself says so: for the whole server there is another finding."""
    return any(option.startswith("autovacuum_enabled=") for option in table.options)


def _autovacuum_off(table: TableFacts) -> Finding:
    return Finding(
        kind="autovacuum_off",
        severity=Severity.WARNING,
        subject=table.subject,
        title=f"autovacuum is switched off for {table.subject} ({size(table.total_bytes)})",
        evidence=f"storage parameters: {', '.join(table.options)}; {table.dead_rows or 0:,} dead "
        "rows",
        remedy=f"ALTER TABLE {quoted(table.schema_name, table.name)} RESET (autovacuum_enabled);",
        weight=table.total_bytes,
    )


def _unfrozen(table: TableFacts) -> Iterator[Finding]:
    for what, age, limit in (
        ("transaction ids", table.xid_age, table.freeze_max_age),
        ("multixacts", table.multixact_age, table.multixact_freeze_max_age),
    ):
        if age is not None and limit and age >= FREEZE_WARNING * limit:
            critical = age >= FREEZE_CRITICAL * limit
            yield Finding(
                kind="freeze_overdue",
                severity=Severity.CRITICAL if critical else Severity.WARNING,
                subject=table.subject,
                title=f"{table.subject} holds rows that are {age:,} {what} old",
                evidence=f"autovacuum has to come at {limit:,} and has not done it",
                remedy=f"VACUUM (FREEZE, VERBOSE) {quoted(table.schema_name, table.name)}; and "
                "look for what holds VACUUM back",
                weight=age / limit,
            )


def _unanalyzed(table: TableFacts, live: int) -> bool:
    never = table.last_analyze is None and table.last_autoanalyze is None
    return never and table.rows is None and live >= UNANALYZED_ROWS


def _never_analyzed(table: TableFacts, live: int) -> Finding:
    return Finding(
        kind="never_analyzed",
        severity=Severity.INFO,
        subject=table.subject,
        title=f"the planner knows nothing about {table.subject} and its {live:,} rows",
        evidence="neither ANALYZE nor autovacuum has been there",
        remedy=f"ANALYZE {quoted(table.schema_name, table.name)};",
        weight=live,
    )


def _growth(table: TableFacts, window: Window) -> Iterator[Finding]:
    counted = window.counted(table)
    grown, seconds = counted.grown_bytes, counted.seconds
    if grown is None or seconds is None or seconds < _DAY:
        return  # an hour's load says nothing about a week
    weekly = grown * _WEEK / seconds
    if weekly >= max(GROWTH_BYTES, GROWTH_SHARE * (table.total_bytes - grown)):
        yield Finding(
            kind="table_growth",
            severity=Severity.INFO,
            subject=table.subject,
            title=f"{table.subject} ({size(table.total_bytes)}) grows by {size(weekly)} a week",
            evidence=f"{size(grown)} within {duration(seconds)}: {counted.rows_inserted:,} rows "
            f"inserted, {counted.rows_deleted:,} deleted",
            remedy="Decide how long its rows are needed, or partition it by time",
            weight=weekly,
        )
