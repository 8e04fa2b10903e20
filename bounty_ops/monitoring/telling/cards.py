"""The handful of numbers that people look at first; what is unknown says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.sequences import Sequences
from bounty_ops.monitoring.findings import Severity, duration, size
from bounty_ops.monitoring.telling.view import Card

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.findings import Finding
    from bounty_ops.monitoring.result import CollectionResult
    from bounty_ops.monitoring.telling.view import Tone


def cards(
    result: CollectionResult, findings: Sequence[Finding], policy: Policy
) -> tuple[Card, ...]:
    """Headline numbers of one collection."""
    return (
        _attention(findings),
        *_connections(result, policy),
        *_activity(result),
        *_database(result),
        *_sequences(result),
    )


def _attention(findings: Sequence[Finding]) -> Card:
    counts = [
        f"{count} {severity.value}"
        for severity in (Severity.CRITICAL, Severity.WARNING, Severity.UNKNOWN)
        if (count := sum(one.severity is severity for one in findings))
    ]
    severities = {one.severity for one in findings}
    tone: Tone = "good"
    if Severity.UNKNOWN in severities:
        tone = "unknown"
    if severities & {Severity.CRITICAL, Severity.WARNING}:
        tone = "bad"
    return Card("Findings", str(len(findings)), ", ".join(counts), tone)


def _connections(result: CollectionResult, policy: Policy) -> Iterator[Card]:
    found = result.family(Connections)
    if found is None:
        yield Card("Connections", "unknown", "", "unknown")
        return
    limit = found.usable
    near = limit.ratio >= policy.connection_warning_ratio
    whose = f"of {limit.limit} that the {limit.kind} allows"
    yield Card("Connections", str(limit.used), whose, "bad" if near else "plain")


def _activity(result: CollectionResult) -> Iterator[Card]:
    found = result.family(Activity)
    if found is None:
        return
    longest = found.longest_transaction_seconds
    yield Card(
        "Waiting for locks",
        str(found.blocked),
        f"longest {duration(found.longest_wait_seconds)}" if found.blocked else "",
        "bad" if found.blocked else "plain",
    )
    yield Card(
        "Longest transaction",
        "unknown" if longest is None else duration(longest),
        f"{found.hidden} sessions are hidden" if longest is None else "",
        "unknown" if longest is None else "plain",
    )


def _database(result: CollectionResult) -> Iterator[Card]:
    found = result.family(Database)
    if found is None:
        return
    if found.size_bytes is None:
        yield Card("Size", "unknown", "", "unknown")
    else:
        yield Card("Size", size(found.size_bytes))
    read = found.blocks_hit + found.blocks_read
    if read:
        since = "" if found.stats_reset is None else f"since {found.stats_reset:%Y-%m-%d}"
        yield Card("Found in its cache", f"{found.blocks_hit / read:.1%}", since)


def _sequences(result: CollectionResult) -> Iterator[Card]:
    found = result.family(Sequences)
    if found is None or not found.count:
        return
    if found.worst_ratio is None:
        unreadable = f"{found.unreadable} cannot be read"
        yield Card("Sequences", "unknown", unreadable, "unknown")
        return
    note = f"{found.unreadable} unknown" if found.unreadable else "of what its column holds"
    yield Card("Fullest sequence", f"{found.worst_ratio:.0%}", note)
