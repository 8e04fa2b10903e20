"""Tables that nobody ever deletes from, although their rows have an end, or only ever come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bounty_ops.monitoring.advice.window import Counted, Window
    from bounty_ops.monitoring.collectors.tables import TableFacts, Tables

SMALL_BYTES: Final = 1024 * 1024
#: A nightly job may be late.
OVERDUE: Final = timedelta(days=7)
#: Without an end of their own, rows that only ever come are remarkable after so long.
KNOWN_SECONDS: Final = 30 * 86_400


def purge_findings(tables: Tables, window: Window, at: datetime) -> Iterator[Finding]:
    """Tables without any purge."""
    for table in tables.tables:
        counted = window.counted(table)
        rows = table.live_rows or table.rows or 0
        if table.kind != "table" or table.referenced or not rows or _ever_deleted(table, counted):
            continue
        if table.expiry_column is not None and _expired(table, at):
            yield _never_purged(table, _expiry(table, at, rows), counted)
        elif table.expiry_column is None and _only_grows(table, counted):
            yield _never_purged(
                table,
                f"{counted.rows_inserted:,} rows were inserted, none updated or deleted",
                counted,
            )


def _ever_deleted(table: TableFacts, counted: Counted) -> bool:
    return bool(counted.rows_deleted) or table.rows_deleted is None


def _expired(table: TableFacts, at: datetime) -> bool:
    """Whether rows lie there that should be gone, by their own account."""
    if table.earliest_expiry is not None:
        return table.earliest_expiry < at - OVERDUE
    # The planner remembers nothing: what the table declares must do.
    return table.expiry_declared and table.expired_share is None


def _only_grows(table: TableFacts, counted: Counted) -> bool:
    return (
        table.created_column is not None
        and counted.rows_inserted > 0
        and counted.rows_updated == 0
        and table.total_bytes >= SMALL_BYTES
        and counted.seconds is not None
        and counted.seconds >= KNOWN_SECONDS
    )


def _expiry(table: TableFacts, at: datetime, rows: int) -> str:
    declared = f"by default {table.expiry_column} is some time from now"
    if table.earliest_expiry is None:
        return declared
    overdue = duration((at - table.earliest_expiry).total_seconds())
    share = "" if table.expired_share is None else f"about {table.expired_share:.0%} of "
    seen = f"{share}{rows:,} rows have passed their {table.expiry_column}, the first {overdue} ago"
    return f"{declared}; {seen}" if table.expiry_declared else seen


def _never_purged(table: TableFacts, evidence: str, counted: Counted) -> Finding:
    name = quoted(table.schema_name, table.name)
    column = table.expiry_column or table.created_column or ""
    limit = "now()" if table.expiry_column else "now() - interval '1 year'"
    delete = f"DELETE FROM {name} WHERE {quoted(column)} < {limit};"  # noqa: S608 - names are quoted; it is shown, not run
    return Finding(
        kind="never_purged",
        severity=Severity.INFO if table.total_bytes < SMALL_BYTES else Severity.WARNING,
        subject=table.subject,
        title=f"nothing is ever deleted from {table.subject} ({size(table.total_bytes)})",
        evidence=f"{evidence}; no row was deleted {counted.over}",
        remedy=f"if its rows are not kept on purpose, every night: {delete}",
        weight=table.total_bytes + (1 << 60 if table.expiry_declared else 0),
    )
