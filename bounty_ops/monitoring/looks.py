"""What pg_stat_statements showed at one moment, and what is remembered of the time before it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bounty_ops.monitoring.accounting import Interval
    from bounty_ops.monitoring.going_on import Counted


class Key(NamedTuple):
    """What PostgreSQL keeps an entry for, within one database."""

    user_id: int
    query_id: int
    toplevel: bool


class Whole(NamedTuple):
    """An interval of which nothing is missing."""

    calls: int
    """Those of hidden statements too."""
    transactions: int
    """That ended in it, by the server's other statistics."""


@dataclass(frozen=True)
class Look:
    """All entries of one database at one moment of the server's clock."""

    at: datetime
    entries: Mapping[Key, Counted]
    reset_at: datetime | None = None
    """When all entries were last thrown away; None where the version does not say."""
    evictions: int | None = None
    """How often room was made on the whole server since then, before the entries were read."""
    evictions_after: int | None = None
    """The same after they were read."""
    room: int | None = None
    """For how many entries there is room (``pg_stat_statements.max``)."""
    all_entries: int = 0
    """Entries of all databases of the server."""
    hidden_calls: int = 0
    """Calls of statements that belong to roles which ours may not look at."""
    uses: tuple[int, ...] = ()
    """How often each entry was executed and planned, hidden ones too, fewest first. Forgotten."""
    transactions: int | None = None
    """How many transactions ended in the database, which pg_stat_statements has no part in."""
    transactions_since: tuple[datetime | None, ...] = ()
    """Moments that change when that number is set back."""
    recent_calls: Mapping[Key, int] = field(default_factory=dict)
    """What is known of each entry's calls in the interval before this look."""
    recent_seconds: float | None = None
    """How long that interval could be seen; None where there was none."""
    recent_evictions: int | None = None
    """How often room was made in it; None where that is not known."""
    whole: tuple[Whole, ...] = ()
    """The last intervals of which nothing was missing, oldest first."""

    def after(self, interval: Interval | None) -> Look:
        """This look, with what is known of the interval before it."""
        if interval is None:
            return self
        seconds = interval.seconds
        if self.reset_at is not None and self.reset_at > interval.since:
            seconds = (self.at - self.reset_at).total_seconds()
        return replace(
            self,
            recent_calls={key: one.calls for key, one in interval.spent.items() if one.calls},
            recent_seconds=seconds,
            recent_evictions=interval.evictions,
            whole=interval.whole,
        )


class Ends(NamedTuple):
    """Which entries ended between two looks, as far as it shows."""

    gone: frozenset[Key]
    """They were there at the first look, and are not, or are others, at the second."""
    unproven: frozenset[Key]
    """Nothing says that they ended, and nothing that they went on."""
    evictions: int | None
    """How often room was made; None where the version does not say."""
