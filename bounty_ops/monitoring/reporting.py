"""The report of one collection: what a database administrator would look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.environments import Policy
from bounty_ops.monitoring.advice.changed_settings import changed_settings
from bounty_ops.monitoring.advice.database import database_findings
from bounty_ops.monitoring.advice.lookups import lookup_findings
from bounty_ops.monitoring.advice.purging import purge_findings
from bounty_ops.monitoring.advice.server import (
    connection_findings,
    replication_findings,
    sequence_findings,
    settings_findings,
)
from bounty_ops.monitoring.advice.sessions import activity_findings, running_findings
from bounty_ops.monitoring.advice.statements import statement_findings
from bounty_ops.monitoring.advice.tables import table_findings
from bounty_ops.monitoring.advice.window import Window
from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.replication import Replication
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.collectors.settings import ServerSettings
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.findings import Finding, Severity
from bounty_ops.monitoring.index_advice import index_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.monitoring.result import CollectionResult, Unknown


def report(
    result: CollectionResult,
    policy: Policy | None = None,
    history: Sequence[CollectionResult] = (),
) -> list[Finding]:
    """Findings of one collection, worst first; what could not be seen is among them.

    With earlier collections of the same environment, what was counted is judged over the time
    since the earliest of them, and growth can be told.
    """
    limits = policy or Policy()
    found: list[Finding] = [_unknown(unknown) for unknown in result.unknown]
    found.extend(_of_the_server(result, limits, history))
    found.extend(_of_relations(result, history))
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


def _of_the_server(
    result: CollectionResult, policy: Policy, history: Sequence[CollectionResult]
) -> Iterator[Finding]:
    if (connections := result.family(Connections)) is not None:
        yield from connection_findings(connections, policy)
    activity, queries = result.family(Activity), result.family(Queries)
    if activity is not None:
        yield from activity_findings(activity)
    elif queries is not None:
        yield from running_findings(queries)
    if queries is not None:
        yield from statement_findings(queries)
    if (database := result.family(Database)) is not None:
        earlier = [(one.taken_at, found) for one in history if (found := one.family(Database))]
        before = min(earlier, key=lambda pair: pair[0], default=None)
        yield from database_findings(database, result.taken_at, before)
    if (sequences := result.family(Sequences)) is not None:
        yield from sequence_findings(sequences)
    if (replication := result.family(Replication)) is not None:
        yield from replication_findings(replication, result.taken_at)
    if (settings := result.family(ServerSettings)) is not None:
        yield from settings_findings(settings)
        yield from changed_settings(result, history)


def _of_relations(
    result: CollectionResult, history: Sequence[CollectionResult]
) -> Iterator[Finding]:
    tables, indexes = result.family(Tables), result.family(Indexes)
    window = Window(result, history)
    if tables is not None:
        yield from table_findings(tables, window)
        yield from purge_findings(tables, window, result.taken_at)
    if indexes is not None:
        replication = result.family(Replication)
        yield from index_findings(indexes, tables, replication, result.taken_at)
        if tables is not None:
            yield from lookup_findings(tables, indexes, _statements(result), window)


def _statements(result: CollectionResult) -> list[tuple[str, int]]:
    """Texts of statements with their calls; of one that only runs now, none are known."""
    queries = result.family(Queries)
    if queries is None:
        return []
    return [
        *((statement.text, statement.calls) for statement in queries.statements),
        *((sampled.text, sampled.runs) for sampled in queries.sampled),
        *((running.text, 0) for running in queries.running),
    ]
