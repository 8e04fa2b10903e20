"""How much counters grew between two samples; never invented across a reset or a crash.

Counters are kept as the server gives them: ever growing, until somebody resets them or a crash
empties them. What happened between two samples is known only if both belong to the same run of
counting. The server names it by the moment of the last reset, and that is not enough alone: from
version 15 on a crash empties a database's counters and leaves ``stats_reset`` NULL, so a sample
also says when its server was started, and no counter may have shrunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """Counters of one subject at one moment, and the run of counting they belong to."""

    at: datetime
    counters: Mapping[str, float | None]
    """None where a counter was not there or could not be seen."""
    since: datetime | None = None
    """When counting began (``stats_reset``, ``stats_since``), where the server says so."""
    started_at: datetime | None = None
    """When the server was started, where it is known."""
    others_since: tuple[datetime | None, ...] = ()
    """Moments that a crash changes too: the ``stats_reset`` of pg_stat_wal, for one. After a
    crash of one session the server empties its counters without being started anew."""


def changes(before: Reading, after: Reading) -> dict[str, float | None]:
    """By how much each counter grew; None where that is not known.

    Counters that only one of the samples has are None. If a single counter shrank, the run of
    counting ended, and nothing is known about the others either.
    """
    grown = {name: _grown(before, after, name) for name in (*before.counters, *after.counters)}
    shrank = any(growth is not None and growth < 0 for growth in grown.values())
    if shrank or not _same_run(before, after):
        return dict.fromkeys(grown)
    return grown


def rates(before: Reading, after: Reading) -> dict[str, float | None]:
    """How much each counter grew in a second; None where that is not known."""
    seconds = (after.at - before.at).total_seconds()
    return {
        name: None if growth is None else growth / seconds
        for name, growth in changes(before, after).items()
    }


def rate(before: Reading, after: Reading, name: str) -> float | None:
    """How much one counter grew in a second; None where that is not known."""
    return rates(before, after).get(name)


def ratio(before: Reading, after: Reading, part: str, *rest: str) -> float | None:
    """Which share of the growth of ``part`` and ``rest`` together was ``part``'s.

    The share of blocks found in the cache is ``ratio(a, b, "blocks_hit", "blocks_read")``. None
    where something is not known, and where nothing grew: of nothing there is no share.
    """
    grown = changes(before, after)
    parts = [grown.get(name) for name in (part, *rest)]
    known = [growth for growth in parts if growth is not None]
    if len(known) < len(parts) or not sum(known):
        return None
    return known[0] / sum(known)


def _grown(before: Reading, after: Reading, name: str) -> float | None:
    first, second = before.counters.get(name), after.counters.get(name)
    return None if first is None or second is None else second - first


def _same_run(before: Reading, after: Reading) -> bool:
    if after.at <= before.at or before.since != after.since:
        return False
    if before.others_since != after.others_since:
        return False
    # A moment of reset outlives a server that was stopped in an orderly way, and no crash.
    return before.since is not None or before.started_at == after.started_at
