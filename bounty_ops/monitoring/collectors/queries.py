"""The family `queries`: what runs too long now, and which statements cost most over time."""

from typing import ClassVar, Literal

from bounty_ops.monitoring.collectors.running import RunningQuery, collect_running
from bounty_ops.monitoring.collectors.sampled import (
    Sampled,
    SampledStatement,
    Sampling,
    collect_sampled,
)
from bounty_ops.monitoring.collectors.statement_facts import (
    RestOfStatements,
    SlowStatement,
    StatementInterval,
    StatementStatistics,
)
from bounty_ops.monitoring.collectors.statements import collect_statements
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Cadence, FamilyResult


class Queries(FamilyResult):
    """Running queries and statement statistics of the database."""

    family: ClassVar[str] = "queries"
    lists: ClassVar[tuple[str, ...]] = ("running", "statements", "sampled")
    cadence: ClassVar[Cadence] = "deltas"

    slow_query_seconds: float
    """Shorter ones are not listed in `running`, unless somebody waits for them."""
    source: Literal["pg_stat_statements", "sampling"] | None = None
    """Where statements come from; None where there is neither."""
    coverage: float | None = None
    """About the share of the calls since the collection before that is known; None without one."""
    coverage_least: float | None = None
    """The share that is known at least; None where nothing limits what is missing."""
    statistics: StatementStatistics
    interval: StatementInterval | None = None
    """None where there was no collection before, at this server."""
    rest: RestOfStatements | None = None
    """All that are not listed in `statements`, so that the sums are right."""
    sampling: Sampling | None = None
    running: tuple[RunningQuery, ...]
    statements: tuple[SlowStatement, ...]
    sampled: tuple[SampledStatement, ...] = ()


def collect_queries(probe: Probe) -> Measured:
    """Look at what runs, and read pg_stat_statements where there is one, or sample what runs.

    Raises:
        psycopg.Error: a statement failed.
    """
    running, hidden_running = collect_running(probe, Queries.family)
    found = collect_statements(probe, Queries.family)
    counted = found.statistics.available
    sampled = Sampled() if counted else collect_sampled(probe)
    if counted:
        source: Literal["pg_stat_statements", "sampling"] | None = "pg_stat_statements"
    else:
        source = None if sampled.sampling is None else "sampling"
    result = Queries(
        slow_query_seconds=probe.policy.slow_query_seconds,
        source=source,
        coverage=None if found.interval is None else found.interval.calls_coverage,
        coverage_least=None if found.interval is None else found.interval.calls_coverage_least,
        statistics=found.statistics,
        interval=found.interval,
        rest=found.rest,
        sampling=sampled.sampling,
        running=running,
        statements=found.listed,
        sampled=sampled.statements,
    )
    return Measured(result, (*hidden_running, *found.unknown), found.memory)
