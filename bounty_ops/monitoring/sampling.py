"""What statements cost, estimated from looks at what runs, where nobody counts them.

Time is cut into slices of equal length, and at a random moment of each slice somebody looks at what
runs. Each session that is found running stands for one slice of time. The moments are random, so
that work which repeats itself is not always, or never, found.

**How exact it is.** Of a slice with a statement that runs for a share f of it, a look finds it with
probability f: the estimate is right on average, and its variance is slice² x f x (1 - f). A run
that is shorter than a slice touches one or two; of a long one only the first and the last slice
are uncertain. Summed over all runs, found or not, the variance is at most about slice² x the number
of runs that were found, so that the standard error is *slice x square root of runs*. A statement
that was not found at all took less than 3 slices, with 95 % confidence (rule of three).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

#: Standard errors on either side of an estimate in which the truth lies 95 times in 100.
_SIGMAS: Final = 1.96
#: The same for something that was never found, in slices.
UNSEEN_SLICES: Final = 3.0


class Run(NamedTuple):
    """One execution of a statement: a session, and when it began."""

    pid: int
    began: datetime


class Sighting(NamedTuple):
    """A statement that was running at the moment of a look."""

    run: Run
    fingerprint: str
    user: str
    text: str
    """Without literals."""
    seconds: float
    """For how long it had been running."""


@dataclass(frozen=True)
class Estimate:
    """What one statement cost while somebody looked."""

    fingerprint: str
    user: str
    text: str
    seconds: float
    low: float
    high: float
    """Between these lies the truth, 95 times in 100."""
    runs: int
    """Executions that were found; there may have been many more short ones."""
    longest: float
    """For how long one of them had been running at least."""


def estimate(looks: Sequence[Iterable[Sighting]], slice_seconds: float) -> list[Estimate]:
    """What each statement of each role cost, dearest first."""
    found: dict[tuple[str, str], list[Sighting]] = {}
    for look in looks:
        for sighting in look:
            found.setdefault((sighting.fingerprint, sighting.user), []).append(sighting)
    estimates = [_estimate(sightings, slice_seconds) for sightings in found.values()]
    return sorted(estimates, key=lambda each: (-each.seconds, each.fingerprint, each.user))


def _estimate(sightings: list[Sighting], slice_seconds: float) -> Estimate:
    newest = sightings[-1]
    seconds = len(sightings) * slice_seconds
    runs = len({sighting.run for sighting in sightings})
    error = _SIGMAS * slice_seconds * sqrt(runs)
    return Estimate(
        fingerprint=newest.fingerprint,
        user=newest.user,
        text=newest.text,
        seconds=seconds,
        low=max(0.0, seconds - error),
        # Of few sightings the distribution is far from normal; this is where the rule of three
        # and the normal one meet.
        high=seconds + max(error, UNSEEN_SLICES * slice_seconds),
        runs=runs,
        longest=max(sighting.seconds for sighting in sightings),
    )
