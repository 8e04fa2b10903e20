"""What people say about bounties, and how they show that they like one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from bounty_ops.seeding.draws import Permutation, shares
from bounty_ops.seeding.period import DAY
from bounty_ops.seeding.world import NOBODY, Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_COMMENT: Final = (
    "id", "bounty_id", "user_id", "parent_id", "content", "original_content", "edit_count",
    "created_at", "updated_at",
)  # fmt: skip


def _comments(world: World, count: int) -> Iterator[Row]:
    """The comments of a bounty follow each other, so that an answer finds its question."""
    draws, texts, period, stamp = world.draws("comment"), world.texts, world.period, world.stamp
    identify, bounty_id = world.ids("bounty_comment"), world.ids("bounty")
    user_id, known, number = world.ids("user"), world.bounties, 0
    ranked = Permutation(world.seed, "comments", len(known.public))
    for rank, size in enumerate(shares(count, len(known.public), cap=count)):
        bounty = known.public[ranked(rank)]
        first = number
        for _ in range(size):
            user, parent, since = _said(world, draws, bounty, first, number)
            created = period.soon(since, draws.unit(), 20 * DAY)
            world.comments.created.append(created)
            world.comments.bounty.append(bounty)
            edits = 1 + draws.head(4) if draws.chance(0.1) else 0
            yield (
                identify(number),
                bounty_id(bounty),
                user_id(user),
                None if parent == NOBODY else identify(parent),
                texts.remark(draws),
                texts.sentence(draws) if edits else None,
                edits,
                stamp(created),
                stamp(period.soon(created, draws.unit(), DAY) if edits else created),
            )
            number += 1


def _said(world: World, draws: Draws, bounty: int, first: int, number: int) -> tuple[int, int, int]:
    """Who says it, in answer to which comment, and since when both were there."""
    known = world.bounties
    user = known.creator[bounty] if draws.chance(0.25) else world.busy_user(draws)
    parent = first + draws.below(number - first) if number > first and draws.chance(0.4) else NOBODY
    asked = known.created[bounty] if parent == NOBODY else world.comments.created[parent]
    return user, parent, max(asked, world.people.created[user])


def _likes(world: World, count: int) -> Iterator[Row]:
    known, draws = world.comments, world.draws("likes")
    identify, comment_id = world.ids("bounty_comment_like"), world.ids("bounty_comment")
    user_id, stamp, number = world.ids("user"), world.stamp, 0
    ranked = Permutation(world.seed, "likes", len(known.created))
    for rank, size in enumerate(shares(count, len(known.created), cap=world.users)):
        comment = ranked(rank)
        liked, since, start = comment_id(comment), known.created[comment], draws.below(world.users)
        for place in range(size):
            user = (start + place * world.stride) % world.users
            when = world.period.later(max(since, world.people.created[user]), draws.unit())
            yield identify(number), liked, user_id(user), stamp(when)
            number += 1


def _marks(table: str, world: World, count: int) -> Iterator[Row]:
    """Votes and bookmarks: distinct users for every bounty, very many for a few of them."""
    known, draws = world.bounties, world.draws(table)
    identify, bounty_id = world.ids(table), world.ids("bounty")
    user_id, stamp, number = world.ids("user"), world.stamp, 0
    ranked = Permutation(world.seed, table, len(known.public))
    for rank, size in enumerate(shares(count, len(known.public), cap=world.users)):
        bounty = known.public[ranked(rank)]
        marked, since, start = bounty_id(bounty), known.created[bounty], draws.below(world.users)
        for place in range(size):
            user = (start + place * world.stride) % world.users
            when = world.period.later(max(since, world.people.created[user]), draws.unit())
            yield identify(number), marked, user_id(user), stamp(when)
            number += 1


_MARK: Final = ("id", "bounty_id", "user_id", "created_at")

SOURCES: Final = {
    "bounty_comment": Source(_COMMENT, _comments),
    "bounty_comment_like": Source(("id", "comment_id", "user_id", "created_at"), _likes),
    "bounty_vote": Source(_MARK, partial(_marks, "bounty_vote")),
    "bounty_bookmark": Source(_MARK, partial(_marks, "bounty_bookmark")),
}
