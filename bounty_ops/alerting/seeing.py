"""Finding in a situation what a rule needs, and saying why it is not there; how bad a value is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from bounty_ops.alerting.situation import Severity, Undecided
from bounty_ops.errors import BountyOpsError
from bounty_ops.monitoring import CollectionResult
from bounty_ops.monitoring.result import Cadence, FamilyResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.alerting.situation import Situation
    from bounty_ops.environments.alerts import RuleSettings

F = TypeVar("F", bound=FamilyResult)

#: How long what was measured says something about now.
MAX_AGE: Final[dict[Cadence, timedelta]] = {
    "vitals": timedelta(minutes=10),
    "deltas": timedelta(minutes=60),
    "tables": timedelta(hours=4),
}


@dataclass(frozen=True)
class Seen(Generic[F]):
    """A family as it was measured last."""

    result: F
    at: datetime


def newest(situation: Situation, kind: type[F]) -> Seen[F] | Undecided:
    """The newest result of a family, unless it is too old to say anything about now."""
    if isinstance(situation.collection, BountyOpsError):
        return Undecided(f"the server could not be asked: {situation.collection}")
    found = max(every(situation, kind), key=lambda seen: seen.at, default=None)
    if found is None:
        reasons = [
            each.reason
            for collection in collections(situation)
            for each in collection.unknown
            if each.family == kind.family and each.subject == "everything"
        ]
        why = reasons[0] if reasons else "it was not measured"
        return Undecided(f"nothing is known of {kind.family}: {why}")
    if situation.now - found.at > MAX_AGE[kind.cadence]:
        return Undecided(f"{kind.family} was measured last at {found.at:%Y-%m-%d %H:%M} UTC")
    return found


def before(
    situation: Situation, kind: type[F], than: Seen[F], *, least: timedelta, most: timedelta
) -> Seen[F] | None:
    """The oldest result that is older than another by at least `least` and at most `most`."""
    candidates = [seen for seen in every(situation, kind) if least <= than.at - seen.at <= most]
    return min(candidates, key=lambda seen: seen.at, default=None)


def every(situation: Situation, kind: type[F]) -> Iterator[Seen[F]]:
    """All results of a family that there are."""
    for collection in collections(situation):
        found = collection.family(kind)
        if found is not None:
            yield Seen(found, collection.taken_at)


def collections(situation: Situation) -> Iterator[CollectionResult]:
    """All collections that there are."""
    if isinstance(situation.collection, CollectionResult):
        yield situation.collection
    yield from situation.stored


@dataclass(frozen=True)
class Level:
    """How bad a value is."""

    severity: Severity
    held: bool = False
    """Behind the threshold, but not far enough to be over."""


def level(value: float, settings: RuleSettings, *, below: bool = False) -> Level | None:
    """Compare a value with the thresholds of a rule; None: all is well.

    Args:
        value: in the unit of the thresholds.
        settings: of the rule.
        below: whether small values are the bad ones.
    """
    sign = -1 if below else 1
    if settings.critical is not None and sign * value >= sign * settings.critical:
        return Level(Severity.CRITICAL)
    if settings.warning is not None and sign * value >= sign * settings.warning:
        return Level(Severity.WARNING)
    first = settings.warning if settings.warning is not None else settings.critical
    if first is not None and settings.hysteresis:
        clear = first * (1 + settings.hysteresis if below else 1 - settings.hysteresis)
        if sign * value >= sign * clear:
            return Level(Severity.WARNING, held=True)
    return None
