"""What every statement did between two looks at pg_stat_statements, and how much nobody saw.

Nothing is ever reset by us, but others do it, and a full server evicts entries to make room. An
entry that was made anew counts from zero, so all it has is new; that it was made anew is told by
``stats_since`` from version 1.11 of the extension on, and by what cannot happen to one entry
before (`going_on`). What an entry counted between the first look and its end is lost for
everybody: that part is estimated, limited (`missing`) and published as coverage, so that a share of
nothing known is not read as calm.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.going_on import Counted, can_have_gone_on, has_gone_on
from bounty_ops.monitoring.looks import Ends, Key, Look, Whole
from bounty_ops.monitoring.missing import (
    Limit,
    evicted_at_a_time,
    most_missing,
    transactions_between,
    undisturbed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

#: So many of the last intervals of which nothing was missing are remembered.
_WHOLE_REMEMBERED: Final = 12


class Spent(NamedTuple):
    """What one entry is known to have done between two looks."""

    calls: int
    seconds: float
    rows: int


class Lost(NamedTuple):
    """An estimate of what nobody can know any more."""

    calls: float
    seconds: float


@dataclass(frozen=True)
class Interval:
    """What is known of the time between two looks."""

    since: datetime
    until: datetime
    spent: Mapping[Key, Spent]
    evictions: int | None
    """How often room was made in between; None where the version does not say."""
    made_anew: int
    """Entries that were thrown away in between and are there again."""
    vanished: int
    """Entries that were thrown away and are not there again."""
    unseen: int
    """About how many were made and thrown away in between, so that no look ever saw them."""
    lost_calls: float
    """An estimate of the calls that nobody can know any more."""
    lost_seconds: float
    hidden_calls: int
    """Calls that the server counted and hides from our role."""
    limit: Limit | None
    """Most calls that are not known, hidden ones too; None where nothing limits them."""
    unproven_calls: int
    """Before version 1.11: so many more would be missing if every entry of which nothing says that
    it went on had been reset or evicted, and called as often again."""
    whole: tuple[Whole, ...]
    """The last intervals of which nothing was missing, this one too if it is such."""

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.until - self.since).total_seconds()

    @property
    def calls_coverage(self) -> float:
        """About the share of all calls that is known; 1 of none."""
        return self._share(self.lost_calls + self.hidden_calls)

    @property
    def calls_coverage_least(self) -> float | None:
        """The share that is known at least; None where nothing limits what is missing."""
        if self.limit is None:
            return None
        return self._share(max(self.limit.calls, self.lost_calls + self.hidden_calls))

    def _share(self, missing: float) -> float:
        known = sum(spent.calls for spent in self.spent.values())
        return known / (known + missing) if missing else 1.0

    @property
    def seconds_coverage(self) -> float:
        """The share of the time of all visible statements that is known; 1 of none."""
        known = sum(spent.seconds for spent in self.spent.values())
        return known / (known + self.lost_seconds) if self.lost_seconds else 1.0


def account(before: Look, after: Look) -> Interval | None:
    """What happened between two looks.

    None where the second is not the later one, or is one at another server: a standby that took
    over has counted by itself all the time, and nothing of it belongs to this interval.
    """
    if after.at <= before.at or _elsewhere(before, after):
        return None
    anew = {key for key in after.entries if _made_anew(before, after, key)}
    spent = {
        key: _spent(counted, None if key in anew else before.entries.get(key))
        for key, counted in after.entries.items()
    }
    ends = _ends(before, after, anew)
    known = sum(each.calls for each in spent.values())
    # Of hidden entries only the sum is known: it shrinks when one of them is thrown away.
    hidden = max(0, after.hidden_calls - before.hidden_calls)
    limit = most_missing(before, after, ends, known=known, hidden=hidden)
    unseen = _unseen(before, after, ends)
    lost = _lost(before, after, ends, _lost_unseen(before, after, spent, unseen))
    if limit is not None and limit.proved and lost.calls > limit.calls:
        lost = Lost(limit.calls, lost.seconds * limit.calls / lost.calls)
    return Interval(
        since=before.at,
        until=after.at,
        spent=spent,
        evictions=ends.evictions,
        made_anew=len(anew),
        vanished=len(ends.gone) - len(anew),
        unseen=unseen,
        lost_calls=lost.calls,
        lost_seconds=lost.seconds,
        hidden_calls=hidden,
        limit=limit,
        unproven_calls=sum(before.entries[key].calls for key in ends.unproven),
        whole=_whole(before, after, ends, known + hidden),
    )


def _ends(before: Look, after: Look, anew: set[Key]) -> Ends:
    """Which entries ended, of those that were there at the first look."""
    gone = anew | (before.entries.keys() - after.entries.keys())
    unproven = {key for key in after.entries if key not in anew and _unproven(before, after, key)}
    return Ends(frozenset(gone), frozenset(unproven), _evictions(before, after))


def _whole(before: Look, after: Look, ends: Ends, calls: int) -> tuple[Whole, ...]:
    """The last intervals of which nothing is missing."""
    ended = transactions_between(before, after)
    if not ended or not undisturbed(before, after, ends):
        return before.whole
    return (*before.whole, Whole(calls, ended))[-_WHOLE_REMEMBERED:]


def _elsewhere(before: Look, after: Look) -> bool:
    return (
        after.reset_at is not None
        and after.reset_at != before.reset_at
        and after.reset_at <= before.at
    )


def _spent(now: Counted, then: Counted | None) -> Spent:
    if then is None:
        return Spent(now.calls, now.seconds, now.rows)
    return Spent(now.calls - then.calls, max(0.0, now.seconds - then.seconds), now.rows - then.rows)


def _made_anew(before: Look, after: Look, key: Key) -> bool:
    """Whether an entry that was there before is another one now."""
    then, now = before.entries.get(key), after.entries[key]
    if then is None:
        return False
    if then.since is not None and now.since is not None:
        return then.since != now.since
    return before.reset_at != after.reset_at or not can_have_gone_on(then, now)


def _unproven(before: Look, after: Look, key: Key) -> bool:
    """Whether an entry that may have gone on may as well be another one."""
    then, now = before.entries.get(key), after.entries[key]
    return then is not None and now.since is None and not has_gone_on(then, now)


def _evictions(before: Look, after: Look) -> int | None:
    """Those while the entries were read, too: they count in the next interval once more."""
    latest = after.evictions if after.evictions_after is None else after.evictions_after
    if before.evictions is None or latest is None:
        return None
    if before.reset_at != after.reset_at:
        return latest
    return max(0, latest - before.evictions)


def _unseen(before: Look, after: Look, ends: Ends) -> int:
    """About how many entries of this database came and went between the looks."""
    if not ends.evictions or after.room is None or not after.all_entries:
        return 0
    ours = max(len(after.entries), len(before.entries)) / max(after.all_entries, before.all_entries)
    evicted = ends.evictions * evicted_at_a_time(after.room) * min(1.0, ours)
    vanished = len(before.entries.keys() - after.entries.keys())
    return max(0, round(evicted) - vanished)


def _lost(before: Look, after: Look, ends: Ends, unseen: Lost) -> Lost:
    """What entries counted between the first look and their end, and those that no look saw."""
    calls, seconds = unseen
    whole = (after.at - before.at).total_seconds()
    for key in ends.gone:
        then = before.entries[key]
        blind = _blind_seconds(before, after, after.entries.get(key))
        lost = blind * _rate(before, key, whole=whole)
        calls += lost
        seconds += lost * then.seconds / max(1, then.calls)
    return Lost(calls, seconds)


def _blind_seconds(before: Look, after: Look, now: Counted | None) -> float:
    """How long an entry went on counting into what was then thrown away."""
    whole = (after.at - before.at).total_seconds()
    if now is not None and now.since is not None:
        end = now.since
    elif after.reset_at is not None and after.reset_at != before.reset_at:
        end = after.reset_at
    else:
        return whole / 2  # some time in between
    return min(whole, max(0.0, (end - before.at).total_seconds()))


def _rate(before: Look, key: Key, *, whole: float) -> float:
    """How many calls a second an entry made at last, as far as the first look tells.

    What it did in the interval before is the best guess. Without one its whole life has to do,
    if that is no shorter than an interval: one call of an entry that was made a moment ago is
    no sign of a thousand a second.
    """
    if before.recent_seconds:
        return before.recent_calls.get(key, 0) / before.recent_seconds
    then = before.entries[key]
    begun = then.since or before.reset_at
    age = 0.0 if begun is None else (before.at - begun).total_seconds()
    return then.calls / max(age, whole)


def _lost_unseen(before: Look, after: Look, spent: Mapping[Key, Spent], unseen: int) -> Lost:
    """Calls and seconds of entries that no look saw.

    Those that came in between and are still there lived, at a random moment, about as long as
    the others did altogether. The busy ones among them are never thrown away, so they do not
    stand for the others.
    """
    if not unseen:
        return Lost(0.0, 0.0)
    young = [spent[key] for key in after.entries.keys() - before.entries.keys()]
    if not young:
        return Lost(float(unseen), 0.0)
    usual = median(each.calls for each in young)
    like = [each for each in young if each.calls <= usual]
    calls = sum(each.calls for each in like)
    seconds = sum(each.seconds for each in like)
    return Lost(unseen * calls / len(like), unseen * seconds / len(like))
