"""Whether an entry of pg_stat_statements that is there again can be the one that was there before.

Before version 1.11 of the extension nothing says when an entry was made. But what one entry counts
obeys arithmetic: its sums grow, its fastest call gets faster and its slowest slower, and the calls
in between account for all of that. A slowest call that is slower than any before was made in
between, so the time in between holds it, and that of all other calls, none of which was faster than
the fastest; and the squares of so many calls cannot sum up to less than their mean's. Where that
does not come out, the entry is another one. The reverse does not hold: some entries that were made
anew look as if they had gone on, and what they count is then told as too little, never as too much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

#: The server sums up floating-point numbers, and gives squares away as a standard deviation.
_ROUNDING: Final = 1e-6


class Counted(NamedTuple):
    """What one entry counted since it was made."""

    calls: int
    seconds: float
    rows: int
    shortest: float
    """Seconds of the fastest call, which can only shrink while the entry lives."""
    longest: float
    squares: float | None
    """The sum of the squares of each call's seconds; None where `since` says enough."""
    since: datetime | None


def can_have_gone_on(then: Counted, now: Counted) -> bool:
    """Whether nothing says that an entry was thrown away in between, and made anew."""
    if (
        now.calls < then.calls
        or now.rows < then.rows
        or now.seconds < then.seconds
        or now.shortest > then.shortest
        or now.longest < then.longest
    ):
        return False
    return _comes_out(then, now)


def has_gone_on(then: Counted, now: Counted) -> bool:
    """Whether something says that it is the same entry, given that it can be.

    Its slowest call is still the same, to the last digit of a clock that counts in nanoseconds.
    (The fastest says less: on machines with a coarser clock many calls are equally fast.)
    """
    return now.longest == then.longest


def _comes_out(then: Counted, now: Counted) -> bool:
    """Whether so many calls can have taken what was added."""
    known = [now.longest] if now.longest > then.longest else []
    if now.shortest < then.shortest and now.shortest < now.longest:
        known.append(now.shortest)
    others = now.calls - then.calls - len(known)
    if others < 0:
        return False
    rest = now.seconds - then.seconds - sum(known)
    slack = _ROUNDING * now.seconds
    if not others * now.shortest - slack <= rest <= others * now.longest + slack:
        return False
    if then.squares is None or now.squares is None:
        return True
    squares = now.squares - then.squares - sum(each * each for each in known)
    least = rest * rest / others if others else 0.0
    return squares >= least - _ROUNDING * now.squares
