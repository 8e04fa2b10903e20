"""Who asks to work on a bounty, what they hand in, and how a bounty is called off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.draws import Permutation, shares
from bounty_ops.seeding.identifiers import digests
from bounty_ops.seeding.period import DAY
from bounty_ops.seeding.tables.bounties import money
from bounty_ops.seeding.world import NOBODY, Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_APPLICATION: Final = (
    "id", "bounty_id", "applicant_id", "message", "is_accepted", "applied_at", "responded_at",
    "created_at", "updated_at",
)  # fmt: skip


def _applicants(world: World, bounty: int, count: int) -> Iterator[int]:
    """Distinct users who are not the creator; whoever works on it asked first."""
    creator, worker = world.bounties.creator[bounty], world.bounties.worker[bounty]
    place = 0
    if worker != NOBODY and count:
        yield worker
        count -= 1
    while count:
        place += 1
        user = (creator + place * world.stride) % world.users
        if user != worker:
            yield user
            count -= 1


def _applications(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("application"), world.period, world.stamp
    identify, bounty_id = world.ids("bounty_application"), world.ids("bounty")
    user_id, known, number = world.ids("user"), world.bounties, 0
    ranked = Permutation(world.seed, "applications", len(known.public))
    for rank, size in enumerate(shares(count, len(known.public), cap=world.users - 2)):
        bounty = known.public[ranked(rank)]
        for user in _applicants(world, bounty, size):
            accepted = user == known.worker[bounty]
            since = max(known.created[bounty], world.people.created[user])
            if accepted:
                applied = since + int((known.settled[bounty] - since) * draws.unit() / 2)
                answered = applied + int((known.settled[bounty] - applied) * draws.unit() / 2)
            else:
                applied = period.soon(since, draws.unit(), 30 * DAY)
                answered = period.soon(applied, draws.unit(), 10 * DAY)
            responded = accepted or draws.chance(0.3)
            yield (
                identify(number),
                bounty_id(bounty),
                user_id(user),
                world.texts.remark(draws),
                accepted if responded or draws.chance(0.9) else None,
                stamp(applied),
                stamp(answered) if responded else None,
                stamp(applied),
                stamp(answered if responded else applied),
            )
            number += 1


_SUBMISSION: Final = (
    "id", "bounty_id", "contributor_id", "description", "deliverable_url", "pull_request_url",
    "github_pull_request_number", "github_pull_request_id", "github_comment_id",
    "github_username", "github_head_sha", "pull_request_title", "status", "review_notes",
    "submitted_at", "reviewed_at", "created_at", "updated_at",
)  # fmt: skip
_OTHERS: Final = {
    "completed": ("rejected", "rejected", "revision_requested"),
    "cancelled": ("rejected", "pending"),
    "open": ("pending", "pending", "revision_requested", "rejected"),
    "in_progress": ("pending", "pending", "revision_requested", "rejected"),
}


def _submissions(world: World, count: int) -> Iterator[Row]:
    """First the approved one of every completed bounty, in their order, then the others."""
    draws, texts, stamp, known = world.draws("submission"), world.texts, world.stamp, world.bounties
    identify, bounty_id = world.ids("submission"), world.ids("bounty")
    user_id, sha = world.ids("user"), digests(world.seed, "commits")
    for number in range(count):
        bounty, user, status = _submitted(world, draws, number)
        created, reviewed = _when(world, draws, bounty, user, status)
        url = f"https://github.com/sample-{known.creator[bounty]}/{draws.pick(words.PROJECTS)}"
        pull = 1 + draws.head(4000) if draws.chance(0.85) else None
        looked_at = status != "pending"
        yield (
            identify(number),
            bounty_id(bounty),
            user_id(user),
            texts.description(draws),
            f"{url}/pull/{pull}" if pull else f"https://demo.example.org/{number}",
            f"{url}/pull/{pull}" if pull else None,
            pull,
            2_500_000_000 + number if pull else None,  # beyond integer
            4_000_000_000 + number if pull and draws.chance(0.7) else None,
            f"sample-{user}" if pull else None,
            sha(number)[:40] if pull else None,
            draws.pick(texts.titles) if pull else None,
            status,
            draws.pick(words.REVIEWS) if looked_at and draws.chance(0.6) else None,
            stamp(created),
            stamp(reviewed) if looked_at else None,
            stamp(created),
            stamp(reviewed),
        )


def _submitted(world: World, draws: Draws, number: int) -> tuple[int, int, str]:
    """Which bounty, by whom, and what came of it."""
    known = world.bounties
    if number < len(known.completed):
        bounty = known.completed[number]
        return bounty, known.worker[bounty], "approved"
    bounty = known.public[draws.head(len(known.public))]
    user = world.other_user(draws, known.creator[bounty])
    return bounty, user, draws.pick(_OTHERS[known.status[bounty]])


def _when(world: World, draws: Draws, bounty: int, user: int, status: str) -> tuple[int, int]:
    """When it was handed in and reviewed; the approved one before its bounty was completed."""
    known, period = world.bounties, world.period
    since = max(known.created[bounty], world.people.created[user])
    if status == "approved":
        created = since + int((known.settled[bounty] - since) * draws.unit())
        return created, known.settled[bounty]
    created = period.soon(since, draws.unit(), 60 * DAY)
    return created, period.soon(created, draws.unit(), 14 * DAY)


_CANCELLATION: Final = (
    "id", "bounty_id", "requested_by_id", "reason", "status", "processed_by_id", "processed_at",
    "refund_amount", "created_at",
)  # fmt: skip


def _cancellations(world: World, count: int) -> Iterator[Row]:
    """A cancelled bounty was cancelled on request; requests about others came to nothing (yet)."""
    draws, stamp, known = world.draws("cancellation"), world.stamp, world.bounties
    identify, bounty_id = world.ids("cancellation_request"), world.ids("bounty")
    user_id = world.ids("user")
    for number in range(count):
        if number < len(known.cancelled):
            bounty, status = known.cancelled[number], "approved"
        else:
            bounty = known.public[draws.below(len(known.public))]
            status = draws.pick(("pending", "rejected", "withdrawn"))
        created, settled = known.created[bounty], known.settled[bounty]
        processed = status in {"approved", "rejected"}
        yield (
            identify(number),
            bounty_id(bounty),
            user_id(known.creator[bounty]),
            world.texts.sentence(draws) if draws.chance(0.7) else None,
            status,
            user_id(0) if processed else None,
            stamp(settled) if processed else None,
            money(known.cents[bounty]) if status == "approved" else None,
            stamp(created + (settled - created) // 2),
        )


SOURCES: Final = {
    "bounty_application": Source(_APPLICATION, _applications),
    "submission": Source(_SUBMISSION, _submissions),
    "cancellation_request": Source(_CANCELLATION, _cancellations),
}
