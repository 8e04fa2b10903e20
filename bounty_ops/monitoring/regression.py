"""Statements that have become slower: against what was usual, and not because of one bad moment.

A statement regressed if its mean time was at least twice what is usual, while it took at least a
twentieth of the time of all statements, in two intervals in a row. What is usual is the median of
the same hour of the same weekday where at least three such weeks are known, or else of the days
before; where there is neither, what the server itself has counted since the entry was made, if that
is a day or longer. Where nothing of that is known, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bounty_ops.monitoring.collectors.queries import Queries
    from bounty_ops.monitoring.collectors.statement_facts import SlowStatement

#: How much slower, which share of all time, and how often in a row.
SLOWER: Final = 2.0
LEAST_SHARE: Final = 0.05
IN_A_ROW: Final = 2
#: Fewer calls than that have no mean to speak of.
LEAST_CALLS: Final = 5
#: An interval of which less is known is not judged.
LEAST_COVERAGE: Final = 0.5
#: So many weeks must be known before weekday and hour decide.
LEAST_WEEKS: Final = 3
#: How far back the days before go, and how many intervals of them must be known.
DAYS: Final = timedelta(days=7)
LEAST_INTERVALS: Final = 12
#: What the server counted for a shorter time is no baseline.
LEAST_LIFE: Final = timedelta(days=1)

Basis = Literal["same weekday and hour", "days before", "since the server counts"]


class Usage(NamedTuple):
    """What one statement is known to have done in one interval."""

    at: datetime
    """The interval's end."""
    calls: int
    seconds: float
    share: float
    """Of the time of all statements in the interval."""
    coverage: float
    """The share of all calls of the interval that is known."""

    @property
    def mean(self) -> float:
        """Seconds of one call."""
        return self.seconds / self.calls


@dataclass(frozen=True)
class Regression:
    """A statement that is slower than usual."""

    fingerprint: str
    user: str
    text: str
    """Without literals."""
    mean_seconds: float
    """Of the newest interval."""
    usual_seconds: float
    factor: float
    share: float
    """Of the time of all statements, in the newest interval."""
    since: datetime
    """The end of the first interval of those in a row."""
    basis: Basis
    intervals: int
    """How many of them the baseline rests on; 0 where the server's own counters had to do."""


def regressions(history: Iterable[Queries]) -> tuple[Regression, ...]:
    """Statements that have become slower, worst first.

    Args:
        history: what was collected, in any order; overlapping intervals count once. Eight weeks
            of it are enough, and more do no harm.
    """
    collected = _in_order(history)
    if not collected:
        return ()
    usages: dict[tuple[str, str], list[Usage]] = {}
    for queries in collected:
        for who, usage in _usages(queries):
            usages.setdefault(who, []).append(usage)
    recent = [_end(queries) for queries in collected[-IN_A_ROW:]]
    newest = _by_statement(collected[-1].statements)
    found = [
        regression
        for who, statements in newest.items()
        if (regression := _judge(who, statements, usages.get(who, []), recent)) is not None
    ]
    return tuple(sorted(found, key=lambda each: -each.factor * each.share))


def obstacle(history: Iterable[Queries]) -> str | None:
    """Why nothing can be told of the newest intervals; None where something can.

    That no statement is found slower is no sign of health then.
    """
    recent = _in_order(history)[-IN_A_ROW:]
    if len(recent) < IN_A_ROW:
        return "what statements did is not known of enough collections in a row"
    least = min(_usage_known(queries) for queries in recent)
    if least < LEAST_COVERAGE:
        return f"only {least:.0%} of the calls are known: entries were reset, evicted or hidden"
    return None


def _usage_known(queries: Queries) -> float:
    assert queries.interval is not None  # noqa: S101 - those without were left out
    return queries.interval.calls_coverage


def _in_order(history: Iterable[Queries]) -> list[Queries]:
    """Those with an interval, oldest first; of overlapping ones the later."""
    accounted = [queries for queries in history if queries.interval is not None]
    kept: list[Queries] = []
    for queries in sorted(accounted, key=_end):
        while kept and _begin(queries) < _end(kept[-1]):
            kept.pop()
        kept.append(queries)
    return kept


def _begin(queries: Queries) -> datetime:
    assert queries.interval is not None  # noqa: S101 - those without were left out
    return queries.interval.since


def _end(queries: Queries) -> datetime:
    assert queries.interval is not None  # noqa: S101 - those without were left out
    return queries.interval.until


def _by_statement(
    statements: Sequence[SlowStatement],
) -> dict[tuple[str, str], list[SlowStatement]]:
    """Entries by statement and role; the same text may have several entries."""
    grouped: dict[tuple[str, str], list[SlowStatement]] = {}
    for statement in statements:
        if statement.fingerprint and statement.toplevel:
            grouped.setdefault((statement.fingerprint, statement.user), []).append(statement)
    return grouped


def _usages(queries: Queries) -> Iterator[tuple[tuple[str, str], Usage]]:
    interval = queries.interval
    assert interval is not None  # noqa: S101 - those without were left out
    for who, statements in _by_statement(queries.statements).items():
        calls = sum(each.interval_calls or 0 for each in statements)
        seconds = sum(each.interval_seconds or 0.0 for each in statements)
        if calls:
            total = interval.statement_seconds
            share = seconds / total if total else 0.0
            yield who, Usage(interval.until, calls, seconds, share, interval.calls_coverage)


def _judge(
    who: tuple[str, str],
    statements: Sequence[SlowStatement],
    usages: Sequence[Usage],
    recent: Sequence[datetime],
) -> Regression | None:
    suspects = [usage for usage in usages if usage.at in recent and _counts(usage)]
    if len(recent) < IN_A_ROW or len(suspects) < IN_A_ROW:
        return None
    before = [usage for usage in usages if usage.at < recent[0] and _known(usage)]
    baseline = _baseline(suspects[0].at, before) or _lifetime(statements, suspects)
    if baseline is None:
        return None
    usual, basis, intervals = baseline
    if usual <= 0 or any(usage.mean < SLOWER * usual for usage in suspects):
        return None
    newest = suspects[-1]
    return Regression(
        fingerprint=who[0],
        user=who[1],
        text=statements[0].text,
        mean_seconds=newest.mean,
        usual_seconds=usual,
        factor=newest.mean / usual,
        share=newest.share,
        since=suspects[0].at,
        basis=basis,
        intervals=intervals,
    )


def _known(usage: Usage) -> bool:
    return usage.calls >= LEAST_CALLS and usage.coverage >= LEAST_COVERAGE


def _counts(usage: Usage) -> bool:
    return _known(usage) and usage.share >= LEAST_SHARE


def _baseline(at: datetime, before: Sequence[Usage]) -> tuple[float, Basis, int] | None:
    alike = [
        usage
        for usage in before
        if (usage.at.weekday(), usage.at.hour) == (at.weekday(), at.hour)
        and usage.at.date() < at.date()
    ]
    if len({usage.at.date() for usage in alike}) >= LEAST_WEEKS:
        return median(usage.mean for usage in alike), "same weekday and hour", len(alike)
    days = [usage for usage in before if at - DAYS <= usage.at]
    if len(days) >= LEAST_INTERVALS:
        return median(usage.mean for usage in days), "days before", len(days)
    return None


def _lifetime(
    statements: Sequence[SlowStatement], suspects: Sequence[Usage]
) -> tuple[float, Basis, int] | None:
    """The mean of all calls before the suspected ones, where one entry counted them all."""
    if len(statements) != 1:
        return None
    (entry,) = statements
    begun = entry.since
    calls = entry.calls - sum(usage.calls for usage in suspects)
    seconds = entry.total_seconds - sum(usage.seconds for usage in suspects)
    if begun is None or suspects[0].at - begun < LEAST_LIFE or calls < LEAST_CALLS:
        return None
    return max(0.0, seconds) / calls, "since the server counts", 0
