"""Rules about what the database did between two looks: deadlocks, cache, statements. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.seeing import Seen, before, level, newest
from bounty_ops.alerting.situation import Answer, Finding, Rule, Situation, Undecided
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.deltas import Reading, changes
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings

#: How far apart the two looks are that are compared.
_LEAST: Final = timedelta(seconds=30)
_WINDOW: Final = timedelta(minutes=20)
_LONGEST_STATEMENT: Final = 300


def deadlocks(situation: Situation, settings: RuleSettings) -> Answer:
    """Transactions waited for each other in a ring, and the server ended some."""
    pair = _pair(situation)
    if isinstance(pair, Undecided):
        return pair
    earlier, later = pair
    count = changes(_reading(earlier), _reading(later))["deadlocks"]
    if count is None:
        return Undecided("the counters were reset since the look before")
    bad = level(count, settings)
    if bad is None:
        return []
    minutes = duration((later.at - earlier.at).total_seconds())
    return [
        Finding(
            rule=Rule.DEADLOCKS,
            subject="deadlocks",
            severity=bad.severity,
            title=f"[{situation.environment}] {count:.0f} deadlocks within {minutes}",
            body=f"{count:.0f} times within {minutes} transactions waited for each other, and the "
            "server ended one of them with an error (40P01).\nDo: look for them in the server's "
            "log, let all code lock rows in the same order, and retry what was ended.",
            evidence={"deadlocks": count, "seconds": (later.at - earlier.at).total_seconds()},
            held=bad.held,
        )
    ]


def cache_hits_low(situation: Situation, settings: RuleSettings) -> Answer:
    """Much has to be read from disk, or from the system's cache."""
    pair = _pair(situation)
    if isinstance(pair, Undecided):
        return pair
    earlier, later = pair
    grown = changes(_reading(earlier), _reading(later))
    hit, read = grown["blocks_hit"], grown["blocks_read"]
    if hit is None or read is None:
        return Undecided("the counters were reset since the look before")
    total = hit + read
    if total == 0 or total < (settings.minimum or 0.0):
        return []
    bad = level(hit / total, settings, below=True)
    if bad is None:
        return []
    return [
        Finding(
            rule=Rule.CACHE_HITS_LOW,
            subject="cache",
            severity=bad.severity,
            title=f"[{situation.environment}] {hit / total:.0%} of the blocks were in the cache",
            body=f"{read:.0f} of {total:.0f} blocks had to be fetched within "
            f"{duration((later.at - earlier.at).total_seconds())}.\nDo: look for statements that "
            "read whole tables (bounty-ops monitor report); only then think of shared_buffers.",
            evidence={"blocks_hit": hit, "blocks_read": read},
            held=bad.held,
        )
    ]


def slow_query_regression(situation: Situation, settings: RuleSettings) -> Answer:
    """A statement that matters takes longer than it did; each is an incident of its own."""
    found = situation.regressions
    if found is None:
        return Undecided("nobody compared the statements with those of before")
    if isinstance(found, Undecided):
        return found
    findings = []
    for each in found:
        bad = level(each.factor, settings)
        if bad is None or each.share < (settings.minimum or 0.0):
            continue
        text = " ".join(each.text.split())[:_LONGEST_STATEMENT]
        findings.append(
            Finding(
                rule=Rule.SLOW_QUERY_REGRESSION,
                subject=f"statement {each.fingerprint} of {each.user}",
                severity=bad.severity,
                title=f"[{situation.environment}] a statement takes {each.factor:.1f} times as "
                "long as usual",
                body=f"{text}\nIt takes {_milliseconds(each.mean_seconds)} on average since "
                f"{each.since:%H:%M} UTC; usual ({each.basis}) is "
                f"{_milliseconds(each.usual_seconds)}. It is {each.share:.0%} of the time "
                "of all statements.\nDo: EXPLAIN (ANALYZE, BUFFERS) it; look for a plan that "
                "changed after ANALYZE, a dropped index or a table that grew.",
                evidence={
                    "fingerprint": each.fingerprint,
                    "user": each.user,
                    "mean_seconds": each.mean_seconds,
                    "usual_seconds": each.usual_seconds,
                    "share": each.share,
                    "basis": each.basis,
                    "intervals": each.intervals,
                },
                held=bad.held,
            )
        )
    return findings


def _pair(situation: Situation) -> tuple[Seen[Database], Seen[Database]] | Undecided:
    """The newest look at the counters, and one some minutes before it."""
    later = newest(situation, Database)
    if isinstance(later, Undecided):
        return later
    earlier = before(situation, Database, later, least=_LEAST, most=_WINDOW)
    if earlier is None:
        return Undecided("there is no earlier look to compare the counters with")
    return earlier, later


def _reading(seen: Seen[Database]) -> Reading:
    found = seen.result
    return Reading(
        at=seen.at,
        counters={
            "deadlocks": found.deadlocks,
            "blocks_hit": found.blocks_hit,
            "blocks_read": found.blocks_read,
        },
        since=found.stats_reset,
        started_at=found.started_at,
        others_since=(found.wal_stats_reset,),
    )


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
