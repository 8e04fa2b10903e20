"""What people are told: the largest table, and the one with the most jsonb."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from bounty_ops.seeding.period import DAY
from bounty_ops.seeding.world import Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_COLUMNS: Final = (
    "id", "user_id", "type", "title", "message", "data", "read", "created_at", "updated_at",
)  # fmt: skip
_TITLES: Final = {
    "bounty_comment": "New comment on your bounty",
    "submission_received": "New submission received",
    "submission_approved": "Your submission was approved 🎉",
    "submission_rejected": "Your submission was not accepted",
    "bounty_awarded": "You have been awarded a bounty 💸",
    "beta_application_approved": "Welcome to the beta",
    "beta_application_rejected": "About your application",
    "system": "Scheduled maintenance",
    "custom": "A message from the team",
}
_KINDS: Final = (
    ("bounty_comment",) * 9
    + ("submission_received",) * 4
    + ("submission_approved", "submission_approved", "bounty_awarded", "submission_rejected")
    + ("system", "custom", "beta_application_approved", "beta_application_rejected")
)
_TO_THE_WORKER: Final = frozenset({"submission_approved", "bounty_awarded"})
_ABOUT_BOUNTIES: Final = frozenset(
    {"bounty_comment", "submission_received", "submission_approved", "bounty_awarded"}
)
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

#: (who is told, since when it can have happened, the jsonb or None)
_Told = tuple[int, int, str | None]


class _News:
    """Finds something that really happened to tell about."""

    def __init__(self, world: World, draws: Draws) -> None:
        self._world, self._draws = world, draws
        self._bounty_id, self._comment_id = world.ids("bounty"), world.ids("bounty_comment")
        self._submission_id, self._user_id = world.ids("submission"), world.ids("user")

    def of(self, kind: str) -> _Told:
        """Find news of a kind."""
        if kind == "bounty_comment":
            return self._comment()
        if kind in _TO_THE_WORKER:
            return self._completed()
        if kind == "submission_received":
            return self._received()
        user = self._world.busy_user(self._draws)
        told = None if self._draws.chance(0.6) else _write({"linkTo": "/settings", "userId": None})
        return user, self._world.people.created[user], told

    def _comment(self) -> _Told:
        known, draws = self._world.comments, self._draws
        comment = draws.below(len(known.bounty))
        bounty = known.bounty[comment]
        link = self._bounty_id(bounty)
        told = {
            "bountyId": link,
            "commentId": self._comment_id(comment),
            "linkTo": f"/bounty/{link}",
            "userName": draws.pick(self._world.texts.names)[0],
        }
        return self._world.bounties.creator[bounty], known.created[comment], _write(told)

    def _completed(self) -> _Told:
        known = self._world.bounties
        number = self._draws.below(len(known.completed))
        bounty = known.completed[number]
        link = self._bounty_id(bounty)
        told = {
            "bountyId": link,
            "submissionId": self._submission_id(number),  # the approved ones come first, in order
            "linkTo": f"/bounty/{link}",
            "amount": known.cents[bounty] / 100,
        }
        return known.worker[bounty], known.settled[bounty], _write(told)

    def _received(self) -> _Told:
        known, draws = self._world.bounties, self._draws
        bounty = known.public[draws.head(len(known.public))]
        user = self._world.other_user(draws, known.creator[bounty])
        link = self._bounty_id(bounty)
        told = {"bountyId": link, "linkTo": f"/bounty/{link}", "userId": self._user_id(user)}
        return known.creator[bounty], known.created[bounty], _write(told)


def _notifications(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("notification"), world.period, world.stamp
    identify, user_id, news = world.ids("notification"), world.ids("user"), _News(world, draws)
    for number in range(count):
        kind = draws.pick(_KINDS)
        user, since, told = news.of(kind)
        created = period.soon(since, draws.unit(), DAY if kind in _ABOUT_BOUNTIES else 700 * DAY)
        read = draws.chance(0.7)
        yield (
            identify(number),
            user_id(user),
            kind,
            _TITLES[kind],
            world.texts.sentence(draws),
            told,
            read,
            stamp(created),
            stamp(period.soon(created, draws.unit(), 9 * DAY) if read else created),
        )


SOURCES: Final = {"notification": Source(_COLUMNS, _notifications)}
