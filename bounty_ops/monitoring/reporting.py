"""The report of one collection: what a database administrator would look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.environments import Policy
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.findings import Finding, Severity, duration, quoted
from bounty_ops.monitoring.index_advice import index_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.monitoring.collectors.running import RunningQuery
    from bounty_ops.monitoring.collectors.tables import TableFacts
    from bounty_ops.monitoring.result import CollectionResult, Unknown

#: pgMonitor warns about an idle transaction after 5 minutes and calls 15 critical; a query of 5
#: minutes is long for a web application (CloudNativePG's sample rules say the same).
LONG_SECONDS: Final = 300
VERY_LONG_SECONDS: Final = 900
#: awesome-prometheus-alerts: 10,000 dead rows that are at least a tenth of the table.
DEAD_ROWS: Final = 10_000
DEAD_SHARE: Final = 0.1


def report(result: CollectionResult, policy: Policy | None = None) -> list[Finding]:
    """Findings of one collection, worst first; what could not be seen is among them."""
    limits = policy or Policy()
    found: list[Finding] = [_unknown(unknown) for unknown in result.unknown]
    if (connections := result.family(Connections)) is not None:
        found.extend(_connections(connections, limits))
    if (queries := result.family(Queries)) is not None:
        found.extend(_queries(queries))
    tables = result.family(Tables)
    if tables is not None:
        found.extend(_tables(tables))
    if (indexes := result.family(Indexes)) is not None:
        found.extend(index_findings(indexes, tables))
    return sorted(found, key=Finding.rank)


def _unknown(unknown: Unknown) -> Finding:
    return Finding(
        kind="unknown",
        severity=Severity.UNKNOWN,
        subject=f"{unknown.family}: {unknown.subject}",
        title=unknown.subject,
        evidence=unknown.reason,
        remedy=unknown.remedy,
    )


def _connections(connections: Connections, policy: Policy) -> Iterator[Finding]:
    limit = connections.usable
    if limit.ratio < policy.connection_warning_ratio:
        return
    critical = limit.ratio >= policy.connection_critical_ratio
    whose = limit.kind if limit.name is None else f"{limit.kind} {limit.name}"
    biggest = sorted(connections.by_application.items(), key=lambda pair: -pair[1])[:3]
    yield Finding(
        kind="connections_near_limit",
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        subject=whose,
        title=f"{limit.used} of {limit.limit} usable connections of the {whose} are taken",
        evidence=", ".join(f"{name}: {count}" for name, count in biggest),
        remedy="Use smaller pools or a pooler, close idle clients, or raise the limit",
    )


def _queries(queries: Queries) -> Iterator[Finding]:
    by_pid = {query.pid: query for query in queries.running}
    for query in queries.running:
        if query.blocked_by:
            yield _blocked(query, by_pid)
        elif query.state.startswith("idle in transaction"):
            yield _idle(query)
        elif query.seconds >= queries.slow_query_seconds:
            yield _running(query)
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
            )


def _by_age(seconds: float) -> Severity:
    if seconds >= VERY_LONG_SECONDS:
        return Severity.CRITICAL
    return Severity.WARNING if seconds >= LONG_SECONDS else Severity.INFO


def _blocked(query: RunningQuery, by_pid: dict[int, RunningQuery]) -> Finding:
    blockers = "; ".join(_blocker(pid, by_pid.get(pid)) for pid in query.blocked_by)
    aged = _by_age(query.seconds)
    return Finding(
        kind="blocked_query",
        severity=Severity.WARNING if aged is Severity.INFO else aged,
        subject=query.subject,
        title=f"pid {query.pid} ({query.user}) has been waiting {duration(query.seconds)} for "
        f"{', '.join(_name(pid) for pid in query.blocked_by)}",
        evidence=f"waits: {query.text}; held up by {blockers}",
        remedy="Let the blocker finish, or end it: "
        + " ".join(_ending(pid, by_pid.get(pid)) for pid in query.blocked_by),
    )


def _ending(pid: int, query: RunningQuery | None) -> str:
    if pid == 0:
        return "ROLLBACK PREPARED (see pg_prepared_xacts);"
    if query is not None and query.state.startswith("idle in transaction"):
        # There is no statement to cancel.
        return f"SELECT pg_terminate_backend({pid});"
    return f"SELECT pg_cancel_backend({pid});"


def _name(pid: int) -> str:
    return f"pid {pid}" if pid else "a prepared transaction"


def _blocker(pid: int, query: RunningQuery | None) -> str:
    if query is None:
        return f"{_name(pid)} (not visible to this role)" if pid else _name(pid)
    return (
        f"pid {pid} ({query.user}, {query.application or 'no name'}, {query.state}): {query.text}"
    )


def _idle(query: RunningQuery) -> Finding:
    return Finding(
        kind="idle_in_transaction",
        severity=_by_age(query.seconds),
        subject=query.subject,
        title=f"pid {query.pid} ({query.user}) keeps a transaction open and has done nothing "
        f"for {duration(query.seconds)}",
        evidence=f"last statement: {query.text}",
        remedy=f"SELECT pg_terminate_backend({query.pid}); and look for a missing commit in "
        f"{query.application or 'its application'}",
    )


def _running(query: RunningQuery) -> Finding:
    return Finding(
        kind="long_running_query",
        severity=_by_age(query.seconds),
        subject=query.subject,
        title=f"pid {query.pid} ({query.user}) has been running {duration(query.seconds)}",
        evidence=query.text,
        remedy=f"SELECT pg_cancel_backend({query.pid}); if nobody needs its result",
    )


def _tables(tables: Tables) -> Iterator[Finding]:
    locked = [table.subject for table in tables.tables if not table.exact]
    if locked:
        yield Finding(
            kind="estimated_sizes",
            severity=Severity.INFO,
            subject=f"{len(locked)} tables",
            title=f"{len(locked)} of {tables.count} tables were locked; their sizes are estimates",
            evidence=", ".join(locked[:10]),
            remedy="Nothing: the next collection measures them",
        )
    for table in tables.tables:
        dead, live = table.dead_rows or 0, table.live_rows or 0
        if dead >= DEAD_ROWS and dead >= DEAD_SHARE * (dead + live):
            yield _dead_rows(table, dead, live)


def _dead_rows(table: TableFacts, dead: int, live: int) -> Finding:
    vacuumed = max((t for t in (table.last_vacuum, table.last_autovacuum) if t), default=None)
    when = "never" if vacuumed is None else f"last {vacuumed:%Y-%m-%d %H:%M} UTC"
    return Finding(
        kind="dead_rows",
        severity=Severity.WARNING,
        subject=table.subject,
        title=f"{table.subject} has {dead:,} dead rows beside {live:,} live ones",
        evidence=f"vacuumed: {when}",
        remedy=f"VACUUM (ANALYZE) {quoted(table.schema_name, table.name)}; and look for an old "
        "open transaction that keeps the rows",
    )
