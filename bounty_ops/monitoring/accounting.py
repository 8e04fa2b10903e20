"""What every statement did between two looks at pg_stat_statements, and how much nobody saw.

Nothing is ever reset by us, but others do it, and a full server evicts entries to make room. An
entry that was made anew counts from zero, so all it has is new; that it was made anew is told by
``stats_since`` from version 1.11 of the extension on, and by what cannot happen to one entry
before (`going_on`). What an entry counted between the first look and its end is lost for everybody:
that part is estimated and published as coverage, so that a share of nothing known is not read as
calm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from bounty_ops.monitoring.going_on import Counted, can_have_gone_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

#: At each eviction PostgreSQL throws so many of the entries out: 5 in 100, at least 10
#: (USAGE_DEALLOC_PERCENT in pg_stat_statements.c).
_EVICTED_PERCENT: Final = 5
_EVICTED_AT_LEAST: Final = 10


class Key(NamedTuple):
    """What PostgreSQL keeps an entry for, within one database."""

    user_id: int
    query_id: int
    toplevel: bool


@dataclass(frozen=True)
class Look:
    """All entries of one database at one moment of the server's clock."""

    at: datetime
    entries: Mapping[Key, Counted]
    reset_at: datetime | None = None
    """When all entries were last thrown away; None where the version does not say."""
    evictions: int | None = None
    """How often room was made on the whole server since then."""
    room: int | None = None
    """For how many entries there is room (``pg_stat_statements.max``)."""
    all_entries: int = 0
    """Entries of all databases of the server."""
    hidden_calls: int = 0
    """Calls of statements that belong to roles which ours may not look at."""
    recent_calls: Mapping[Key, int] = field(default_factory=dict)
    """What is known of each entry's calls in the interval before this look."""
    recent_seconds: float | None = None
    """How long that interval could be seen; None where there was none."""

    def after(self, interval: Interval | None) -> Look:
        """This look, with what is known of the interval before it."""
        if interval is None:
            return self
        seconds = interval.seconds
        if self.reset_at is not None and self.reset_at > interval.since:
            seconds = (self.at - self.reset_at).total_seconds()
        calls = {key: spent.calls for key, spent in interval.spent.items() if spent.calls}
        return replace(self, recent_calls=calls, recent_seconds=seconds)


class Spent(NamedTuple):
    """What one entry is known to have done between two looks."""

    calls: int
    seconds: float
    rows: int


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

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.until - self.since).total_seconds()

    @property
    def calls_coverage(self) -> float:
        """The share of all calls that is known; 1 of none."""
        known = sum(spent.calls for spent in self.spent.values())
        missing = self.lost_calls + self.hidden_calls
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
    vanished = before.entries.keys() - after.entries.keys()
    evictions = _evictions(before, after)
    unseen = _unseen(before, after, evictions, len(vanished))
    lost = [
        *_lost_with_entries(before, after, anew | vanished),
        _lost_unseen(before, after, spent, unseen),
    ]
    return Interval(
        since=before.at,
        until=after.at,
        spent=spent,
        evictions=evictions,
        made_anew=len(anew),
        vanished=len(vanished),
        unseen=unseen,
        lost_calls=sum(calls for calls, _ in lost),
        lost_seconds=sum(seconds for _, seconds in lost),
        # Of hidden entries only the sum is known: it shrinks when one of them is thrown away.
        hidden_calls=max(0, after.hidden_calls - before.hidden_calls),
    )


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


def _evictions(before: Look, after: Look) -> int | None:
    if before.evictions is None or after.evictions is None:
        return None
    if before.reset_at != after.reset_at:
        return after.evictions
    return max(0, after.evictions - before.evictions)


def _unseen(before: Look, after: Look, evictions: int | None, vanished: int) -> int:
    """About how many entries of this database came and went between the looks."""
    if not evictions or after.room is None or not after.all_entries:
        return 0
    each_time = max(_EVICTED_AT_LEAST, after.room * _EVICTED_PERCENT // 100)
    ours = max(len(after.entries), len(before.entries)) / max(after.all_entries, before.all_entries)
    return max(0, round(evictions * each_time * min(1.0, ours)) - vanished)


def _lost_with_entries(before: Look, after: Look, gone: set[Key]) -> Iterator[tuple[float, float]]:
    """Calls and seconds of entries between the first look and their end."""
    for key in gone:
        then, now = before.entries.get(key), after.entries.get(key)
        if then is None:
            continue
        blind = _blind_seconds(before, after, now)
        calls = blind * _rate(before, key, whole=(after.at - before.at).total_seconds())
        yield calls, calls * then.seconds / max(1, then.calls)


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


def _lost_unseen(
    before: Look, after: Look, spent: Mapping[Key, Spent], unseen: int
) -> tuple[float, float]:
    """Calls and seconds of entries that no look saw.

    Those that came in between and are still there lived, at a random moment, about as long as
    the others did altogether. The busy ones among them are never thrown away, so they do not
    stand for the others.
    """
    if not unseen:
        return 0.0, 0.0
    young = [spent[key] for key in after.entries.keys() - before.entries.keys()]
    if not young:
        return float(unseen), 0.0
    usual = median(each.calls for each in young)
    like = [each for each in young if each.calls <= usual]
    calls = sum(each.calls for each in like)
    seconds = sum(each.seconds for each in like)
    return unseen * calls / len(like), unseen * seconds / len(like)
