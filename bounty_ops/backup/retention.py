"""Which backups stay, and why. Pure: backups, policy and a time go in, decisions come out.

The rules look at proved backups only. They keep the newest proved one of each of the last N days,
weeks, months or years *that have one*, so a night that failed, or weeks without any backup, never
shorten what is kept: an old backup goes when newer proved ones have taken its places, never
because time has passed. Time alone ends only what is no keeper: the days that a manual, an
unproved or a refuted backup is kept for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bounty_ops.environments import Policy

#: Clocks of two machines differ by seconds; a wrong time zone by an hour, a dead battery by years.
FUTURE_TOLERANCE: Final = timedelta(minutes=15)


class Standing(StrEnum):
    """What retention needs to know of a backup's worth."""

    PROVED = "proved"
    """A restore proved it, and nothing has refuted it since."""
    UNPROVED = "unproved"
    """Nobody has tried, or the drill itself failed: perhaps it is good."""
    REFUTED = "refuted"
    """A restored copy differed: it is evidence of a defect."""
    DAMAGED = "damaged"
    """Its manifest can be read, but the objects are not what it says, and it never had a proof."""
    IMPORTED = "imported"
    """Somebody's archive: what it equals nobody knows, so it is no keeper, whatever its proofs."""
    UNCLEAR = "unclear"
    """It was proved once and is damaged since, or this program cannot read its manifest."""


@dataclass(frozen=True)
class Held:
    """A backup that the bucket holds."""

    id: str
    taken_at: datetime
    standing: Standing
    judged_at: datetime | None = None
    """When its standing was reached: of a proof that decides it, or of the import."""
    scheduled: bool = True
    pinned: bool = False
    locked_until: datetime | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class Decision:
    """What is to become of one backup; `reasons` says why, for people."""

    backup: Held
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Retention:
    """What is to become of every backup, newest first."""

    keep: tuple[Decision, ...]
    delete: tuple[Decision, ...]
    refused: str | None = None
    """Why nothing may be deleted although `delete` names something."""

    @property
    def newest_proved(self) -> Held | None:
        """The backup that all deletions lean on."""
        return _newest_proved([decision.backup for decision in self.keep])


def has_rules(policy: Policy) -> bool:
    """Whether anything is ever deleted: without a rule every backup is kept."""
    return policy.keep_last > 0 or any(count for _, count, _ in _periods(policy))


def retain(
    backups: Iterable[Held], policy: Policy, *, now: datetime, most_share: float | None = None
) -> Retention:
    """Decide about every backup of one environment.

    Args:
        backups: all that its bucket holds, in any order.
        policy: the environment's.
        now: the time.
        most_share: instead of the policy's `prune_most_share`.
    """
    ordered = sorted(backups, key=lambda one: (one.taken_at, one.id), reverse=True)
    if not has_rules(policy):
        return Retention(tuple(Decision(one, ("no keep_* rule is set",)) for one in ordered), ())
    places = _places(ordered, policy)
    newest = _newest_proved(ordered)
    keep, delete = [], []
    for one in ordered:
        reasons = [*places.get(one.id, ()), *_protections(one, policy, newest, now)]
        if reasons:
            keep.append(Decision(one, tuple(reasons)))
        else:
            delete.append(Decision(one, (_why_not(one, policy),)))
    share = policy.prune_most_share if most_share is None else most_share
    refused = _clock_problem(ordered, now) or _too_many(len(delete), len(ordered), share)
    return Retention(tuple(keep), tuple(delete), refused if delete else None)


def most_deletions(count: int, share: float) -> int:
    """How many of so many backups may go at once.

    One may always go: of two backups a half, of three a third; else a bucket that keeps the last
    one or two could never let go of any.
    """
    return max(1, int(share * count))


def _periods(policy: Policy) -> list[tuple[str, int, Callable[[datetime], str]]]:
    """Each rule that counts periods, with the name of the one that a local time belongs to."""
    return [
        ("daily", policy.keep_daily, lambda local: f"{local:%Y-%m-%d}"),
        ("weekly", policy.keep_weekly, _iso_week),
        ("monthly", policy.keep_monthly, lambda local: f"{local:%Y-%m}"),
        ("yearly", policy.keep_yearly, lambda local: f"{local:%Y}"),
    ]


def _iso_week(local: datetime) -> str:
    # 2027-01-01 belongs to the last week of 2026: the ISO year, not the calendar's.
    year, week, _ = local.isocalendar()
    return f"{year}-W{week:02}"


def _places(newest_first: Sequence[Held], policy: Policy) -> dict[str, list[str]]:
    """Which rules each proved backup serves.

    The rules hold for all backups together, and once more for the scheduled ones among
    themselves: so a backup that somebody takes by hand never pushes a nightly one out of its
    place, and where all are taken by hand, the rules hold for those.
    """
    proved = [one for one in newest_first if one.standing is Standing.PROVED]
    found: dict[str, list[str]] = {}
    for pool in (proved, [one for one in proved if one.scheduled]):
        for one, reason in _served(pool, policy):
            reasons = found.setdefault(one.id, [])
            if reason not in reasons:
                reasons.append(reason)
    return found


def _served(newest_first: Sequence[Held], policy: Policy) -> Iterable[tuple[Held, str]]:
    zone = ZoneInfo(policy.timezone)
    for one in newest_first[: policy.keep_last]:
        yield one, f"one of the last {policy.keep_last}"
    for name, count, period_of in _periods(policy):
        newest: dict[str, Held] = {}
        for one in newest_first:
            newest.setdefault(period_of(one.taken_at.astimezone(zone)), one)
        for period, one in islice(newest.items(), count):
            yield one, f"{name} {period}"


def _protections(
    one: Held, policy: Policy, newest_proved: Held | None, now: datetime
) -> Iterable[str]:
    """Why a backup stays whatever the rules say."""
    if one == newest_proved:
        yield "the newest proved one"
    if one.pinned:
        yield "pinned"
    if one.locked_until is not None and one.locked_until > now:
        yield f"locked by the store until {one.locked_until:%Y-%m-%d %H:%M} UTC"
    if not one.scheduled and _younger(one.taken_at, policy.keep_manual_days, now):
        yield f"taken by hand less than {policy.keep_manual_days} days ago"
    if one.standing is not Standing.PROVED:
        yield from _grace(one, policy, newest_proved, now)


def _grace(one: Held, policy: Policy, newest_proved: Held | None, now: datetime) -> Iterable[str]:
    """Why a backup that is no keeper stays for now."""
    if newest_proved is None or newest_proved.taken_at <= one.taken_at:
        yield f"{one.standing}, but no newer one is proved"
    if one.standing is Standing.UNCLEAR:
        yield "damaged, and it was proved once or cannot be read: for people to look at"
    elif one.standing is Standing.UNPROVED:
        if _younger(one.taken_at, policy.keep_unproved_days, now):
            yield f"unproved, less than {policy.keep_unproved_days} days old"
    elif one.standing is Standing.IMPORTED:
        if _younger(one.judged_at or one.taken_at, policy.keep_manual_days, now):
            yield f"imported less than {policy.keep_manual_days} days ago"
    elif _younger(one.judged_at or one.taken_at, policy.keep_refuted_days, now):
        yield f"{one.standing} less than {policy.keep_refuted_days} days ago: evidence"


def _why_not(one: Held, policy: Policy) -> str:
    match one.standing:
        case Standing.PROVED:
            return "no rule asks for it any more"
        case Standing.UNPROVED:
            return f"unproved for {policy.keep_unproved_days} days, and a newer one is proved"
        case Standing.IMPORTED:
            return f"imported {policy.keep_manual_days} days ago, and a newer one is proved"
        case _:
            return f"{one.standing} for {policy.keep_refuted_days} days, and a newer one is proved"


def _newest_proved(backups: Iterable[Held]) -> Held | None:
    proved = [one for one in backups if one.standing is Standing.PROVED]
    return max(proved, key=lambda one: (one.taken_at, one.id), default=None)


def _younger(since: datetime, days: int, now: datetime) -> bool:
    return now - since < timedelta(days=days)


def _clock_problem(backups: Iterable[Held], now: datetime) -> str | None:
    """Something from the future: either our clock went back, or the other one went ahead."""
    moments = [
        (moment, one.id)
        for one in backups
        for moment in (one.taken_at, one.judged_at)
        if moment is not None
    ]
    newest, backup_id = max(moments, default=(now, ""))
    if newest - now <= FUTURE_TOLERANCE:
        return None
    return (
        f"the clock went backwards: it is {now:%Y-%m-%d %H:%M} UTC, but {backup_id} or its proof "
        f"is of {newest:%Y-%m-%d %H:%M} UTC"
    )


def _too_many(deletions: int, count: int, share: float) -> str | None:
    most = most_deletions(count, share)
    if deletions <= most:
        return None
    return (
        f"{deletions} of {count} backups would be deleted; at most {most} may go at once "
        f"(prune_most_share = {share:g})"
    )
