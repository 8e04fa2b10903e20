"""When to try a message again, and when to stop; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bounty_ops.errors import DeliveryError

FIRST_PAUSE_SECONDS: Final = 30.0
LONGEST_PAUSE_SECONDS: Final = 3600.0
#: Half a day at least: a chat that is down over night hears in the morning what happened.
MOST_ATTEMPTS: Final = 24
#: A 4xx is not believed at once: a proxy answers 404 for a moment while what is behind it restarts.
MOST_REFUSALS: Final = 3


@dataclass(frozen=True)
class Again:
    """Try it again after this many seconds."""

    seconds: float


@dataclass(frozen=True)
class GiveUp:
    """It is a dead letter: kept, shown, and not tried again."""


def after_failure(attempts: int, error: DeliveryError, *, fraction: float) -> Again | GiveUp:
    """What becomes of a message after its `attempts`-th attempt failed.

    Args:
        attempts: how many the channel answered or let time out, this one included.
        error: what the last one met.
        fraction: from 0 to 1, by chance: what failed together must not come back together.
    """
    most = MOST_REFUSALS if error.permanent else MOST_ATTEMPTS
    if attempts >= most:
        return GiveUp()
    return Again(max(pause(attempts, fraction=fraction), _asked_for(error)))


def pause(attempts: int, *, fraction: float) -> float:
    """Seconds until the next attempt: twice as long each time, and at least half of that."""
    whole = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 16))
    return whole * (0.5 + fraction / 2)


def _asked_for(error: DeliveryError) -> float:
    # A receiver that asks for a year is not obeyed.
    return min(error.retry_after or 0.0, LONGEST_PAUSE_SECONDS)
