"""Findings about statements over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.monitoring.collectors.queries import Queries

COSTLY_SHARE: Final = 1 / 3
COSTLY_SECONDS: Final = 60


def statement_findings(queries: Queries) -> Iterator[Finding]:
    """Statements that are slow each time, or take much of the time together."""
    total = sum(statement.total_seconds for statement in queries.statements)
    total += queries.rest.total_seconds if queries.rest else 0
    for statement in queries.statements:
        if statement.mean_seconds >= queries.slow_query_seconds:
            yield Finding(
                kind="slow_statement",
                severity=Severity.WARNING,
                subject=statement.subject,
                title=f"a statement of {statement.user} takes {duration(statement.mean_seconds)} "
                f"on average over {statement.calls} calls",
                evidence=statement.text,
                remedy="Look at its plan with EXPLAIN (ANALYZE, BUFFERS) on a copy",
                weight=statement.total_seconds,
            )
        elif statement.total_seconds >= max(COSTLY_SECONDS, COSTLY_SHARE * total):
            yield Finding(
                kind="costly_statement",
                severity=Severity.INFO,
                subject=statement.subject,
                title=f"a statement of {statement.user} takes "
                f"{statement.total_seconds / total:.0%} of the time of all statements",
                evidence=f"{statement.calls:,} calls, {statement.mean_seconds * 1000:.1f} ms each: "
                f"{statement.text}",
                remedy="Look at its plan with EXPLAIN (ANALYZE, BUFFERS) on a copy, and at why it "
                "is called so often",
                weight=statement.total_seconds,
            )
