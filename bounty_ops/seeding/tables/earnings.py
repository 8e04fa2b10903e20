"""Money that moved, and the name that people made for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.draws import Permutation, evenly
from bounty_ops.seeding.identifiers import tokens
from bounty_ops.seeding.period import DAY, HOUR
from bounty_ops.seeding.tables.bounties import money
from bounty_ops.seeding.world import Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAYOUT: Final = (
    "id", "user_id", "bounty_id", "amount", "status", "stripe_transfer_id", "created_at",
    "updated_at",
)  # fmt: skip
_FEE_PERCENT: Final = 5


def _payouts(world: World, count: int) -> Iterator[Row]:
    """One for a completed bounty to whoever worked on it; any beyond that is a failed attempt."""
    draws, period, stamp, known = world.draws("payout"), world.period, world.stamp, world.bounties
    identify, user_id = world.ids("payout"), world.ids("user")
    bounty_id, transfer = world.ids("bounty"), tokens(world.seed, "transfer")
    ranked = Permutation(world.seed, "payouts", len(known.completed))
    for number in range(count):
        bounty = known.completed[ranked(number)]
        worker = known.worker[bounty]
        cents = known.cents[bounty] * (100 - _FEE_PERCENT) // 100
        status = "failed"
        if number < ranked.size:
            status = draws.pick(("completed",) * 11 + ("processing", "pending", "failed"))
        if status == "completed":
            world.people.cents_earned[worker] += cents
        created = period.soon(known.settled[bounty], draws.unit(), DAY)
        yield (
            identify(number),
            user_id(worker),
            bounty_id(bounty),
            money(cents),
            status,
            f"tr_sample_{transfer(number)[:20]}" if status in {"completed", "processing"} else None,
            stamp(created),
            stamp(period.soon(created, draws.unit(), 3 * DAY)),
        )


def _events(world: World) -> Iterator[tuple[int, str, str]]:
    """What Stripe did about each funded bounty: (bounty, type, prefix of Stripe's id)."""
    status = world.bounties.status
    for bounty in world.bounties.funded:
        yield bounty, "payment_intent", "pi"
        if status[bounty] == "completed":
            yield bounty, "transfer", "tr"
            yield bounty, "payout", "po"
        elif status[bounty] == "cancelled":
            yield bounty, "refund", "re"


def _transactions(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp, known = (
        world.draws("transaction"),
        world.period,
        world.stamp,
        world.bounties,
    )
    identify, bounty_id = world.ids("transaction"), world.ids("bounty")
    reference = tokens(world.seed, "stripe transaction")
    available = sum(1 for _ in _events(world))
    for number, event in enumerate(evenly(_events(world), available, count)):
        bounty, kind, prefix = event
        since = known.created[bounty] if kind == "payment_intent" else known.settled[bounty]
        yield (
            identify(number),
            bounty_id(bounty),
            kind,
            money(known.cents[bounty]),
            f"{prefix}_sample_{reference(number)[:24]}",
            stamp(period.soon(since, draws.unit(), HOUR)),
        )


_RATING: Final = (
    "id", "rated_user_id", "rater_user_id", "bounty_id", "rating", "comment", "created_at",
    "updated_at",
)  # fmt: skip
_STARS: Final = (5, 5, 5, 5, 5, 4, 4, 4, 3, 2, 1)


def _ratings(world: World, count: int) -> Iterator[Row]:
    """Who paid rates who worked; in the second round the other way about."""
    draws, period, stamp, known = world.draws("rating"), world.period, world.stamp, world.bounties
    identify, user_id, bounty_id = world.ids("user_rating"), world.ids("user"), world.ids("bounty")
    ranked = Permutation(world.seed, "ratings", len(known.completed))
    for number in range(count):
        bounty = known.completed[ranked(number)]
        rater, rated = known.creator[bounty], known.worker[bounty]
        if number // ranked.size % 2:
            rater, rated = rated, rater
        stars = draws.pick(_STARS)
        world.people.ratings[rated] += 1
        world.people.rating_sum[rated] += stars
        created = period.soon(known.settled[bounty], draws.unit(), 14 * DAY)
        yield (
            identify(number),
            user_id(rated),
            user_id(rater),
            bounty_id(bounty),
            stars,
            draws.pick(words.REVIEWS) if draws.chance(0.6) else None,
            stamp(created),
            stamp(created),
        )


_REPUTATION: Final = (
    "id", "user_id", "total_earned", "bounties_completed", "bounties_created", "average_rating",
    "total_ratings", "success_rate", "response_time", "completion_rate", "created_at",
    "updated_at",
)  # fmt: skip


def _reputations(world: World, count: int) -> Iterator[Row]:
    """The sums over what the other tables say, so it is written after them."""
    draws, stamp, people = world.draws("reputation"), world.stamp, world.people
    identify, user_id = world.ids("user_reputation"), world.ids("user")
    updated = stamp(world.period.end)
    users = Permutation(world.seed, "reputations", world.users)
    for number in range(count):
        user = users(number)
        won, ratings = people.bounties_won[user], people.ratings[user]
        yield (
            identify(number),
            user_id(user),
            money(people.cents_earned[user]),
            won,
            people.bounties_created[user],
            money(people.rating_sum[user] * 100 // ratings) if ratings else "0.00",
            ratings,
            money(draws.between(6000, 10_000)) if won else "0.00",
            draws.head(72) * 60 if draws.chance(0.4) else None,
            money(draws.between(7000, 10_000)) if won else "0.00",
            stamp(people.created[user]),
            updated,
        )


SOURCES: Final = {
    "payout": Source(_PAYOUT, _payouts),
    "transaction": Source(
        ("id", "bounty_id", "type", "amount", "stripe_id", "created_at"), _transactions
    ),
    "user_rating": Source(_RATING, _ratings),
    "user_reputation": Source(_REPUTATION, _reputations),
}
