"""The family `queries`: what runs too long now, and which statements cost most over time."""

from typing import ClassVar

from bounty_ops.monitoring.collectors.running import RunningQuery, collect_running
from bounty_ops.monitoring.collectors.statements import (
    SlowStatement,
    StatementStatistics,
    collect_statements,
)
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import FamilyResult


class Queries(FamilyResult):
    """Running queries and statement statistics of the database."""

    family: ClassVar[str] = "queries"
    lists: ClassVar[tuple[str, ...]] = ("running", "statements")

    slow_query_seconds: float
    """Shorter ones are not listed in `running`, unless somebody waits for them."""
    statistics: StatementStatistics
    running: tuple[RunningQuery, ...]
    statements: tuple[SlowStatement, ...]


def collect_queries(probe: Probe) -> Measured:
    """Sample what runs, and read pg_stat_statements where there is one.

    Raises:
        psycopg.Error: a statement failed.
    """
    running, hidden_running = collect_running(probe, Queries.family)
    statements, statistics, missing = collect_statements(probe, Queries.family)
    result = Queries(
        slow_query_seconds=probe.policy.slow_query_seconds,
        statistics=statistics,
        running=running,
        statements=statements,
    )
    return Measured(result, (*hidden_running, *missing))
