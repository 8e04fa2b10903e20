"""Which backups stay: the rules on examples, their laws over random histories, and whole years."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounty_ops.backup.retention import (
    FUTURE_TOLERANCE,
    Held,
    Retention,
    Standing,
    has_rules,
    most_deletions,
    retain,
)
from bounty_ops.environments import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


def held(taken_at: datetime, standing: Standing = Standing.PROVED, **facts: Any) -> Held:  # noqa: ANN401 - of Held
    judged = None if standing is Standing.UNPROVED else taken_at + timedelta(minutes=5)
    values: dict[str, Any] = {"id": f"{taken_at:%Y%m%dT%H%M%S}", "judged_at": judged, **facts}
    return Held(taken_at=taken_at, standing=standing, **values)


def at(text: str, standing: Standing = Standing.PROVED, **facts: Any) -> Held:  # noqa: ANN401 - of Held
    return held(datetime.fromisoformat(text).astimezone(UTC), standing, **facts)


def nights(count: int, *, last: datetime = NOW, **facts: Any) -> list[Held]:  # noqa: ANN401 - of Held
    """One backup a night, newest first."""
    return [held(last - number * DAY, **facts) for number in range(count)]


def ids(backups: Iterable[Held]) -> list[str]:
    return [one.id for one in backups]


def kept(retention: Retention) -> list[str]:
    return [decision.backup.id for decision in retention.keep]


def deleted(retention: Retention) -> list[str]:
    return [decision.backup.id for decision in retention.delete]


def reasons(retention: Retention, one: Held) -> tuple[str, ...]:
    (found,) = [d for d in (*retention.keep, *retention.delete) if d.backup.id == one.id]
    return found.reasons


# Examples


def test_without_a_rule_everything_stays() -> None:
    many = nights(400) + nights(40, last=NOW - 500 * DAY, standing=Standing.REFUTED)
    retention = retain(many, Policy(), now=NOW)
    assert (len(retention.keep), retention.delete, retention.refused) == (440, (), None)


def test_the_last_n_count_proved_ones_only() -> None:
    bad = [held(NOW - (n + 0.5) * DAY, Standing.UNPROVED) for n in range(3)]
    good = nights(5, last=NOW - 4 * DAY)
    retention = retain([*bad, *good], Policy(keep_last=3), now=NOW, most_share=1)
    assert kept(retention) == ids([*bad, *good[:3]])
    assert reasons(retention, good[0]) == ("one of the last 3", "the newest proved one")


def test_a_day_is_a_day_of_the_policys_time_zone() -> None:
    before, after = at("2026-11-20T23:30+01:00"), at("2026-11-21T00:30+01:00")
    assert before.taken_at.date() == after.taken_at.date()

    def days(zone: str) -> int:
        policy = Policy(keep_daily=9, timezone=zone)
        return len(retain([before, after], policy, now=NOW).keep)

    assert (days("UTC"), days("Europe/Berlin")) == (1, 2)


def test_the_hour_that_happens_twice_is_one_day_and_a_short_day_is_a_day() -> None:
    first = at("2026-10-25T02:30:00+02:00")
    second = at("2026-10-25T02:30:00+01:00")
    spring = at("2026-03-29T03:00:00+02:00")
    eve = at("2026-03-28T23:59:00+01:00")
    policy = Policy(keep_daily=9, timezone="Europe/Berlin")
    retention = retain([first, second, spring, eve], policy, now=NOW, most_share=1)
    assert kept(retention) == ids([second, spring, eve])


def test_the_first_days_of_january_may_belong_to_the_last_week_of_the_year_before() -> None:
    december, january, monday = (
        at(f"{day}T02:00+00:00") for day in ("2026-12-31", "2027-01-01", "2027-01-04")
    )
    weekly = retain([december, january, monday], Policy(keep_weekly=9), now=NOW, most_share=1)
    assert kept(weekly) == ids([monday, january])
    assert reasons(weekly, january) == ("weekly 2026-W53",)
    yearly = retain([december, january, monday], Policy(keep_yearly=9), now=NOW, most_share=1)
    assert kept(yearly) == ids([monday, december])


def test_a_backup_taken_by_hand_takes_no_place_from_a_nightly_one() -> None:
    night = nights(3)
    by_hand = [
        held(NOW - n * DAY + timedelta(hours=3), scheduled=False, id=f"hand{n}") for n in (1, 2)
    ]
    policy = Policy(keep_last=3, keep_manual_days=0)
    retention = retain([*night, *by_hand], policy, now=NOW)
    assert set(ids(night)) <= set(kept(retention))


def test_where_all_are_taken_by_hand_the_rules_hold_for_those() -> None:
    retention = retain(
        nights(10, scheduled=False), Policy(keep_daily=4, keep_manual_days=0), now=NOW, most_share=1
    )
    assert len(retention.keep) == 4


def test_a_backup_taken_by_hand_is_kept_for_its_days() -> None:
    by_hand = held(NOW - 40 * DAY, scheduled=False, id="hand")
    policy = {"keep_last": 2, "prune_most_share": 1}
    assert "hand" in kept(retain([*nights(3), by_hand], Policy(**policy), now=NOW))
    short = Policy(**policy, keep_manual_days=40)
    assert "hand" in deleted(retain([*nights(3), by_hand], short, now=NOW))


def test_what_cannot_be_judged_is_left_for_people() -> None:
    unclear = held(NOW - 900 * DAY, Standing.UNCLEAR)
    damaged = held(NOW - 901 * DAY, Standing.DAMAGED)
    retention = retain([*nights(3), unclear, damaged], Policy(keep_last=3), now=NOW)
    assert deleted(retention) == ids([damaged])
    assert "for people to look at" in reasons(retention, unclear)[0]


def test_an_imported_archive_takes_no_place_and_is_kept_like_one_taken_by_hand() -> None:
    imported = held(NOW, Standing.IMPORTED, scheduled=False, judged_at=NOW)
    own = nights(3, last=NOW - DAY, scheduled=False)
    policy = Policy(keep_last=1, keep_manual_days=10, prune_most_share=1)
    now = NOW + 20 * DAY
    assert kept(retain([imported, *own], policy, now=now)) == ids([imported, own[0]])
    later = [held(NOW + DAY), *own]
    assert imported.id in deleted(retain([imported, *later], policy, now=now))
    lately = dataclasses.replace(imported, judged_at=now - 9 * DAY)
    assert imported.id in kept(retain([lately, *later], policy, now=now)), "as old as its import"


def test_evidence_counts_from_the_day_of_its_refutation() -> None:
    old = held(NOW - 300 * DAY, Standing.REFUTED, judged_at=NOW - 5 * DAY)
    retention = retain([*nights(2), old], Policy(keep_last=9), now=NOW)
    assert reasons(retention, old) == ("refuted less than 30 days ago: evidence",)
    later = retain([*nights(2), old], Policy(keep_last=9), now=NOW + 26 * DAY)
    assert deleted(later) == ids([old])


@pytest.mark.parametrize("what", ["taken_at", "judged_at"])
def test_a_clock_that_went_backwards_deletes_nothing(what: str) -> None:
    def refused(ahead: timedelta) -> str | None:
        facts: dict[str, Any] = {"taken_at": NOW - DAY, "judged_at": NOW, what: NOW + ahead}
        future = Held(id="future", standing=Standing.PROVED, **facts)
        older = nights(3, last=NOW - 2 * DAY)
        return retain([future, *older], Policy(keep_last=2), now=NOW).refused

    assert refused(FUTURE_TOLERANCE) is None
    assert "the clock went backwards" in (refused(FUTURE_TOLERANCE + timedelta(seconds=1)) or "")


def test_more_than_the_set_share_is_refused_and_the_share_can_be_set() -> None:
    many = nights(10)
    assert retain(many, Policy(keep_last=5), now=NOW).refused is None
    refused = retain(many, Policy(keep_last=4), now=NOW).refused or ""
    assert refused.startswith("6 of 10 backups would be deleted; at most 5")
    assert retain(many, Policy(keep_last=4, prune_most_share=0.6), now=NOW).refused is None
    assert retain(many, Policy(keep_last=4), now=NOW, most_share=0.6).refused is None


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (100, 50)])
def test_one_may_always_go(count: int, most: int) -> None:
    assert most_deletions(count, 0.5) == most


def test_a_bucket_that_keeps_one_lets_go_of_the_one_before() -> None:
    assert retain(nights(2), Policy(keep_last=1), now=NOW).refused is None


def test_the_example_and_the_words_of_the_page_are_the_programs() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/retention.md").read_text("utf-8")
    example = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    policy = Policy.of("production", example["environments"]["production"])
    assert policy.keep_daily > 0
    assert has_rules(policy)
    assert set(re.findall(r"^\| `(\w+)` \| [a-z]", page, re.MULTILINE)) >= {*Standing}
    assert f"{FUTURE_TOLERANCE // timedelta(minutes=1)} minutes in the future" in page


# Laws over random histories

MOMENTS = st.datetimes(
    min_value=NOW.replace(year=2024, tzinfo=None),
    max_value=NOW.replace(tzinfo=None),
    timezones=st.just(UTC),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Tokyo"])
COUNTS = st.integers(0, 6)


@st.composite
def backups(draw: st.DrawFn) -> Held:
    taken_at = draw(MOMENTS)
    standing = draw(st.sampled_from([Standing.PROVED, Standing.PROVED, *Standing]))
    judged = None
    if standing is not Standing.UNPROVED:
        judged = min(taken_at + timedelta(days=draw(st.integers(0, 400))), NOW)
    return Held(
        id=f"{draw(st.integers(0, 10**12)):012}",
        taken_at=taken_at,
        standing=standing,
        judged_at=judged,
        scheduled=draw(st.booleans()),
        pinned=draw(st.integers(0, 9)) == 0,
        locked_until=draw(st.none() | MOMENTS.map(lambda moment: moment + 180 * DAY)),
    )


HISTORIES = st.lists(backups(), max_size=40, unique_by=lambda one: one.id)
POLICIES = st.builds(
    Policy,
    keep_last=COUNTS,
    keep_daily=COUNTS,
    keep_weekly=COUNTS,
    keep_monthly=COUNTS,
    keep_yearly=COUNTS,
    keep_manual_days=st.integers(0, 200),
    keep_unproved_days=st.integers(0, 60),
    keep_refuted_days=st.integers(0, 200),
    timezone=ZONES,
)


def proved(history: Iterable[Held]) -> list[Held]:
    ordered = sorted(history, key=lambda one: (one.taken_at, one.id))
    return [one for one in ordered if one.standing is Standing.PROVED]


def period_of(name: str, moment: datetime, zone: str) -> object:
    """The oracle's own way of naming periods: the first day of each."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return {
        "keep_daily": day,
        "keep_weekly": day - timedelta(days=day.weekday()),
        "keep_monthly": day.replace(day=1),
        "keep_yearly": day.replace(month=1, day=1),
    }[name]


def earns_a_place(one: Held, pool: Sequence[Held], policy: Policy) -> bool:
    """The oracle: whether a rule asks for a proved backup, from the newer ones alone."""
    newer = [other for other in pool if (other.taken_at, other.id) > (one.taken_at, one.id)]
    if len(newer) < policy.keep_last:
        return True
    for name in ("keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"):
        own = period_of(name, one.taken_at, policy.timezone)
        others = {period_of(name, other.taken_at, policy.timezone) for other in newer}
        if own not in others and len(others) < getattr(policy, name):
            return True
    return False


@given(HISTORIES, POLICIES)
def test_every_backup_is_decided_about_once_and_what_stays_would_stay_again(
    history: list[Held], policy: Policy
) -> None:
    retention = retain(history, policy, now=NOW)
    assert sorted(kept(retention) + deleted(retention)) == sorted(ids(history))
    assert all(decision.reasons for decision in (*retention.keep, *retention.delete))
    again = retain([decision.backup for decision in retention.keep], policy, now=NOW)
    assert again.delete == ()
    assert again.refused is None


@given(HISTORIES, POLICIES, st.randoms())
def test_the_order_in_which_a_bucket_lists_decides_nothing(
    history: list[Held],
    policy: Policy,
    random: Any,  # noqa: ANN401 - of hypothesis
) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    assert retain(shuffled, policy, now=NOW) == retain(history, policy, now=NOW)


@given(HISTORIES, POLICIES)
def test_the_newest_proved_one_and_what_is_pinned_or_locked_stay(
    history: list[Held], policy: Policy
) -> None:
    gone = set(deleted(retain(history, policy, now=NOW)))
    assert not {one.id for one in proved(history)[-1:]} & gone
    assert not {one.id for one in history if one.pinned} & gone
    assert not {one.id for one in history if one.locked_until and one.locked_until > NOW} & gone
    young = NOW - timedelta(days=policy.keep_manual_days)
    assert not {one.id for one in history if not one.scheduled and one.taken_at > young} & gone


@given(HISTORIES, POLICIES)
def test_a_proved_one_goes_exactly_when_no_rule_and_nobody_asks_for_it(
    history: list[Held], policy: Policy
) -> None:
    if not any((policy.keep_last, policy.keep_daily, policy.keep_weekly, policy.keep_monthly,
                policy.keep_yearly)):  # fmt: skip
        policy = policy.model_copy(update={"keep_last": 1})
    gone = set(deleted(retain(history, policy, now=NOW)))
    good = proved(history)
    scheduled = [one for one in good if one.scheduled]
    for one in good:
        protected = (
            one == good[-1]
            or one.pinned
            or (one.locked_until is not None and one.locked_until > NOW)
            or (not one.scheduled and NOW - one.taken_at < timedelta(days=policy.keep_manual_days))
        )
        asked = earns_a_place(one, good, policy) or (
            one.scheduled and earns_a_place(one, scheduled, policy)
        )
        assert (one.id in gone) == (not protected and not asked)


@given(HISTORIES, POLICIES)
def test_what_is_not_proved_goes_only_when_old_and_outdone_by_a_newer_proved_one(
    history: list[Held], policy: Policy
) -> None:
    for decision in retain(history, policy, now=NOW).delete:
        one = decision.backup
        if one.standing is Standing.PROVED:
            continue
        assert one.standing is not Standing.UNCLEAR
        assert any(other.taken_at > one.taken_at for other in proved(history))
        days, since = policy.keep_refuted_days, one.judged_at or one.taken_at
        if one.standing is Standing.IMPORTED:
            days = policy.keep_manual_days
        if one.standing is Standing.UNPROVED:
            days, since = policy.keep_unproved_days, one.taken_at
        assert NOW - since >= timedelta(days=days)


@given(HISTORIES, POLICIES)
def test_what_is_not_proved_changes_nothing_for_what_is(
    history: list[Held], policy: Policy
) -> None:
    with_all = retain(history, policy, now=NOW)
    alone = retain(proved(history), policy, now=NOW)
    standing = {one.id: one.standing for one in history}
    for whole, part in ((kept(with_all), kept(alone)), (deleted(with_all), deleted(alone))):
        assert [one for one in whole if standing[one] is Standing.PROVED] == part


@given(HISTORIES, POLICIES, st.floats(0.01, 1))
def test_more_than_the_share_is_never_carried_out(
    history: list[Held], policy: Policy, share: float
) -> None:
    retention = retain(history, policy, now=NOW, most_share=share)
    if retention.refused is None:
        assert len(retention.delete) <= most_deletions(len(history), share)
    else:
        assert len(retention.delete) > most_deletions(len(history), share)


@given(HISTORIES, POLICIES, st.integers(1, 3000))
def test_time_alone_ends_no_proved_scheduled_backup_of_the_rules(
    history: list[Held], policy: Policy, days: int
) -> None:
    """A clock that is years ahead deletes no more of them than one that is right."""
    unlocked = [
        dataclasses.replace(one, locked_until=None, scheduled=True, pinned=False)
        for one in proved(history)
    ]
    today = retain(unlocked, policy, now=NOW)
    assert retain(unlocked, policy, now=NOW + days * DAY) == today


# Whole years, a night at a time


def lived(
    days: int, policy: Policy, night: Callable[[int, datetime], list[Held]]
) -> tuple[list[Held], list[Held], list[Retention]]:
    """Live through so many days: what the bucket holds at the end, all there ever was, each day."""
    bucket: list[Held] = []
    ever: list[Held] = []
    log = []
    for number in range(days):
        now = datetime(2025, 1, 1, 2, tzinfo=BERLIN).astimezone(UTC) + number * DAY
        new = night(number, now)
        ever += new
        retention = retain([*bucket, *new], policy, now=now + timedelta(hours=1))
        log.append(retention)
        bucket = [decision.backup for decision in retention.keep]
    return bucket, ever, log


GENERATIONS = Policy(
    keep_daily=7, keep_weekly=5, keep_monthly=12, keep_yearly=10, timezone="Europe/Berlin"
)


@pytest.mark.soak
def test_a_year_of_nights_converges_to_the_expected_number_and_is_never_refused() -> None:
    bucket, ever, log = lived(800, GENERATIONS, lambda _, now: [held(now)])
    good = proved(ever)
    assert ids(bucket) == ids(
        reversed([one for one in good if earns_a_place(one, good, GENERATIONS)])
    )
    # 7 days and 5 weeks share two or three, 12 months share two with them, 2 years one more.
    assert all(20 <= len(one.keep) <= 24 for one in log[420:]), {len(one.keep) for one in log[420:]}
    assert all(one.refused is None for one in log)
    assert max(len(one.delete) for one in log) <= 4, "each rule lets go of one at most"


def test_a_gap_of_weeks_deletes_nothing() -> None:
    policy = Policy(keep_daily=7, keep_weekly=4)
    nightly = lived(200, policy, lambda _, now: [held(now)])[0]
    gap, _, log = lived(320, policy, lambda number, now: [held(now)] if number < 200 else [])
    assert ids(gap) == ids(nightly)
    assert all(one.delete == () for one in log[200:])


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*Standing]), min_size=1, max_size=60))
@pytest.mark.soak
def test_failed_nights_never_shorten_what_is_kept(after: list[Standing]) -> None:
    """However the nights after a good quarter end, as many days, weeks and months are kept."""
    policy = Policy(keep_daily=7, keep_weekly=4, keep_monthly=3)
    before = lived(90, policy, lambda _, now: [held(now)])[0]

    def night(number: int, now: datetime) -> list[Held]:
        return [held(now, Standing.PROVED if number < 90 else after[number - 90])]

    left = proved(lived(90 + len(after), policy, night)[0])
    for name in ("keep_daily", "keep_weekly", "keep_monthly"):
        periods = {period_of(name, one.taken_at, "UTC") for one in left}
        assert len(periods) >= getattr(policy, name)
    if Standing.PROVED not in after:
        assert ids(left) == ids(reversed(before))


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=250), POLICIES)
def test_pruning_every_night_keeps_what_pruning_once_at_the_end_would(
    nightly: list[int], policy: Policy
) -> None:
    """So no order of prunes, however often or seldom they run, loses more than another."""

    def night(number: int, now: datetime) -> list[Held]:
        return [held(now + timedelta(hours=3 * n)) for n in range(nightly[number])]

    bucket, ever, log = lived(len(nightly), policy, night)
    at_once = retain(ever, policy, now=NOW + 900 * DAY)
    assert ids(bucket) == kept(at_once)
    assert len(log) == len(nightly)
