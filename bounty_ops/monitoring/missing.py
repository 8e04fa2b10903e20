"""How many calls can at most be missing in what is told of the time between two looks.

An estimate of what is missing may err to both sides; this is the side that matters. Three things
can be said, and where none of them can, nothing is:

*Nothing was thrown away.* No entry ended and no room was made: only calls of hidden statements are
missing. (Somebody may have reset single entries that were then called more often than before. No
version before 1.11 of the extension tells of that: ``unproven_calls`` says how much it would be.)

*Entries were evicted.* PostgreSQL makes room by taking 1 in 100 off every entry's usage, which grew
by one with each execution and each planning, and throwing the entries with the least usage out, a
known number of them. So nobody who stays has less usage than somebody who goes, and the usage of
the fourth, fifth ... from above only ever shrinks by these decays, whoever comes or goes: an entry
that was evicted at any time has had no more usage than those at the second look that were spared
by the last eviction, but for the decays. What an entry that is there had, its own counters limit.

*Entries were reset.* What those had counted leaves no trace in pg_stat_statements. The server
counts transactions apart from it; so many calls per transaction as in the time of which everything
is known, and as many more as that differed by, are taken for the most that there can have been.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from bounty_ops.monitoring.looks import Ends, Key, Look

#: At each eviction PostgreSQL throws so many of the entries out: 5 in 100, at least 10
#: (USAGE_DEALLOC_PERCENT in pg_stat_statements.c).
_EVICTED_PERCENT: Final = 5
_EVICTED_AT_LEAST: Final = 10
#: What every entry's usage is multiplied by before (USAGE_DECREASE_FACTOR), and what it begins with
#: (USAGE_INIT).
_DECAY: Final = 0.99
_BEGINNING: Final = 1
#: After so many evictions the limit is beyond all numbers, and still a number.
_MOST_DECAYS: Final = 20_000
#: Decays are multiplied up in floating point.
_ROUNDING: Final = 1e-6
#: Intervals with less than a tenth of the transactions are no measure of busy ones: the statements
#: of a collection itself weigh too much in them. Fewer than three do not tell how they differ.
_LEAST_PART: Final = 0.1
_LEAST_INTERVALS: Final = 3


class Limit(NamedTuple):
    """How many calls can be missing at most."""

    calls: float
    proved: bool
    """By how PostgreSQL makes room, and not by how many transactions ended."""


def evicted_at_a_time(room: int) -> int:
    """How many entries PostgreSQL throws out when all the room is taken."""
    return max(_EVICTED_AT_LEAST, room * _EVICTED_PERCENT // 100)


def most_missing(before: Look, after: Look, ends: Ends, *, known: int, hidden: int) -> Limit | None:
    """How many calls that are not among the known ones there can have been, hidden ones too.

    None where nothing limits them.
    """
    if undisturbed(before, after, ends):
        return Limit(hidden, proved=True)
    evicted = _evicted(before, after, ends)
    if evicted is not None:
        return Limit(evicted, proved=True)
    by_transactions = _by_transactions(before, after, known, hidden)
    return None if by_transactions is None else Limit(by_transactions, proved=False)


def undisturbed(before: Look, after: Look, ends: Ends) -> bool:
    """Whether nothing says that an entry was thrown away."""
    if ends.gone or not _counted_on(before, after) or after.hidden_calls < before.hidden_calls:
        return False
    if ends.evictions is not None:
        return not ends.evictions
    # Before version 1.9 nobody counts evictions. The last one left this many entries.
    room = after.room
    return room is not None and after.all_entries < room - evicted_at_a_time(room)


def _counted_on(before: Look, after: Look) -> bool:
    """Whether nothing began anew; a server that starts with less room evicts without counting."""
    return before.reset_at == after.reset_at and before.room == after.room


def transactions_between(before: Look, after: Look) -> int | None:
    """How many transactions ended; None where that is not known."""
    if before.transactions is None or after.transactions is None:
        return None
    if before.transactions_since != after.transactions_since:
        return None
    ended = after.transactions - before.transactions
    return ended if ended >= 0 else None


def _evicted(before: Look, after: Look, ends: Ends) -> int | None:
    """Most calls that were lost by evictions; None where they do not explain what is gone."""
    limit = _limit(before, after, ends)
    if limit is None or ends.evictions is None or after.room is None:
        return None
    usages = {key: _least_usage(before, key) for key in ends.gone | ends.unproven}
    others = ends.evictions * evicted_at_a_time(after.room) - len(ends.gone)
    if others < 0 or any(usages[key] > limit for key in ends.gone):
        return None
    lost = sum(math.floor(limit - usages[key]) for key in ends.gone)
    # Each of the others was made and thrown out in between, so that no look saw it, or is one of
    # those that are there again and look as if they had gone on.
    unseen = math.floor(limit - _BEGINNING)
    again = sorted(
        before.entries[key].calls + math.floor(limit - usages[key]) - unseen
        for key in ends.unproven
        if usages[key] <= limit
    )
    worst = again[-others:] if others else []
    return lost + others * unseen + sum(more for more in worst if more > 0)


def _limit(before: Look, after: Look, ends: Ends) -> float | None:
    """Most usage that the calls in between can have added to an entry that was then evicted."""
    if not ends.evictions or after.room is None or not _counted_on(before, after):
        return None
    if before.hidden_calls or after.hidden_calls:
        return None  # what hidden entries had counted when they were evicted is not known
    each_time = evicted_at_a_time(after.room)
    # Those that were made after the last eviction are no measure, and as many more as may have
    # been prepared and not been executed yet: nobody sees those, and their usage is not their own.
    unseen = after.room - min(before.all_entries, after.all_entries)
    spared = each_time + max(each_time // 2, unseen)
    if spared >= len(after.uses):
        return None
    decays = min(ends.evictions, _MOST_DECAYS)
    return float((_BEGINNING + after.uses[spared]) / _DECAY**decays * (1 + _ROUNDING))


def _least_usage(before: Look, key: Key) -> float:
    """Usage that an entry had at least at the first look."""
    evictions = before.evictions if before.evictions_after is None else before.evictions_after
    calls = _BEGINNING + before.entries[key].calls
    usage = 0.0 if evictions is None else calls * _DECAY**evictions
    if before.recent_evictions is None:
        return usage
    return float(max(usage, before.recent_calls.get(key, 0) * _DECAY**before.recent_evictions))


def _by_transactions(before: Look, after: Look, known: int, hidden: int) -> float | None:
    """Most calls that are missing by the number of transactions; None where that is no measure."""
    ended = transactions_between(before, after)
    if ended is None:
        return None
    ratios = [
        one.calls / one.transactions
        for one in before.whole
        if one.transactions >= _LEAST_PART * ended
    ]
    if len(ratios) < _LEAST_INTERVALS:
        return None
    # A transaction is one call at least.
    ratio = max(1.0, 2 * max(ratios) - min(ratios))
    return max(float(hidden), ratio * ended - known)
