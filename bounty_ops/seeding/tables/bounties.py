"""Bounties, and the links in their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.identifiers import tokens
from bounty_ops.seeding.period import DAY
from bounty_ops.seeding.tables.organizations import installation_number
from bounty_ops.seeding.world import NOBODY, Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.seeding.draws import Draws

_HEAD: Final = ("id", "title", "description", "amount", "currency", "status", "deadline", "tags")
_GITHUB: Final = (
    "repository_url", "issue_url", "github_issue_number", "github_installation_id",
    "github_repo_owner", "github_repo_name", "github_comment_id",
)  # fmt: skip
_LINEAR: Final = (
    "linear_issue_id", "linear_issue_identifier", "linear_issue_url", "linear_account_id",
    "linear_comment_id",
)  # fmt: skip
_PEOPLE: Final = (
    "submission_keyword", "organization_id", "created_by_id", "assigned_to_id", "is_featured",
    "is_hidden",
)  # fmt: skip
_MONEY: Final = (
    "stripe_payment_intent_id", "stripe_checkout_session_id", "stripe_transfer_id",
    "payment_status",
)  # fmt: skip
_TAIL: Final = ("created_at", "updated_at")

#: The first bounties show every status, so that every size of data has them all.
_FIRST: Final = ("completed", "open", "in_progress", "cancelled", "draft", "completed", "open")
_STATUS: Final = ("completed",) * 6 + ("open",) * 7 + ("in_progress",) * 3 + (
    "cancelled", "draft", "draft",
)  # fmt: skip
_PAYMENT: Final = {
    "draft": (None, "pending"),
    "open": ("held", "held", "held", "pending", "failed"),
    "in_progress": ("held",),
    "completed": ("released",),
    "cancelled": ("refunded", "refunded", "pending"),
}
_FUNDED: Final = frozenset({"held", "released", "refunded", "failed"})
_WORKED_ON: Final = frozenset({"in_progress", "completed"})
_CURRENCIES: Final = ("USD",) * 18 + ("EUR", "GBP")


def money(cents: int) -> str:
    """Write an amount as numeric(15,2) takes it."""
    return f"{cents // 100}.{cents % 100:02d}"


def _cents(draws: Draws) -> int:
    """Mostly some hundred, at times twenty thousand; round numbers in nine of ten cases."""
    unit = draws.unit()
    dollars = 25 + int(400 * unit / (1.02 - unit))
    return dollars * 100 if draws.chance(0.9) else dollars * 100 + draws.below(100)


def _bounties(world: World, count: int) -> Iterator[Row]:
    draws, texts, stamp, known = world.draws("bounty"), world.texts, world.stamp, world.bounties
    identify, user_id = world.ids("bounty"), world.ids("user")
    tools, stripe = _Tools(world), _stripe(world)
    organization_id = world.ids("organization")
    for number in range(count):
        status = _FIRST[number] if number < len(_FIRST) else draws.pick(_STATUS)
        payment = draws.pick(_PAYMENT[status])
        creator = _settle(world, draws, number, status)
        if payment in _FUNDED:
            known.funded.append(number)
        worker, created = known.worker[number], known.created[number]
        yield (
            identify(number),
            draws.pick(texts.titles),
            texts.description(draws),
            money(known.cents[number]),
            draws.pick(_CURRENCIES),
            status,
            stamp(created + draws.between(3, 90) * DAY) if draws.chance(0.6) else None,
            draws.pick(texts.tag_arrays) if draws.chance(0.8) else None,
            *tools.github(draws, creator, number),
            *tools.linear(draws, creator, number),
            "@bountydotnew submit" if draws.chance(0.97) else None,
            organization_id(creator) if draws.chance(0.6) else None,  # his own has his number
            user_id(creator),
            None if worker == NOBODY else user_id(worker),
            draws.chance(0.03),
            draws.chance(0.01),
            *stripe(number, payment),
            stamp(created),
            stamp(known.settled[number]),
        )


def _settle(world: World, draws: Draws, number: int, status: str) -> int:
    """Decide who, when and how much, remember it for other tables, and give the creator."""
    known, period = world.bounties, world.period
    creator = world.busy_user(draws)
    worker = world.other_user(draws, creator) if status in _WORKED_ON else NOBODY
    present = world.people.created[creator]
    if worker != NOBODY:
        present = max(present, world.people.created[worker])
    created = period.later(present, draws.unit())
    known.creator.append(creator)
    known.worker.append(worker)
    known.created.append(created)
    known.settled.append(period.soon(created, draws.unit(), 60 * DAY))
    known.cents.append(_cents(draws))
    known.status.append(status)
    if status != "draft":
        known.public.append(number)
    if status == "completed":
        known.completed.append(number)
        world.people.bounties_won[worker] += 1
    elif status == "cancelled":
        known.cancelled.append(number)
    world.people.bounties_created[creator] += 1
    return creator


class _Tools:
    """What ties a bounty to an issue elsewhere."""

    def __init__(self, world: World) -> None:
        self._people = world.people
        self._linear_id = world.ids("linear_account")
        self._issue = tokens(world.seed, "linear issue")

    def github(self, draws: Draws, creator: int, number: int) -> Row:
        """Repository and issue, and the installation if the creator has one."""
        if draws.chance(0.35):
            return (None,) * len(_GITHUB)
        owner, name = f"sample-{creator}", draws.pick(words.PROJECTS)
        issue = 1 + draws.head(4000)
        installation = self._people.installation[creator]
        url = f"https://github.com/{owner}/{name}"
        return (
            url,
            f"{url}/issues/{issue}",
            issue,
            None if installation == NOBODY else installation_number(installation),
            owner,
            name,
            3_000_000_000 + number if installation != NOBODY else None,  # beyond integer
        )

    def linear(self, draws: Draws, creator: int, number: int) -> Row:
        """The Linear issue, if the creator is connected with Linear."""
        account = self._people.linear[creator]
        if account == NOBODY or draws.chance(0.5):
            return (None,) * len(_LINEAR)
        return (
            self._issue(number),
            f"BNT-{number}",
            f"https://linear.example.com/issue/BNT-{number}",
            self._linear_id(account),
            self._issue(number)[:20] if draws.chance(0.5) else None,
        )


def _stripe(world: World) -> Callable[[int, str | None], Row]:
    """Where a bounty's money is, as Stripe would have it."""
    intent = tokens(world.seed, "payment intent")

    def references(number: int, payment: str | None) -> Row:
        if payment not in _FUNDED:
            return None, None, None, payment
        reference = intent(number)
        transfer = f"tr_sample_{reference[16:]}" if payment == "released" else None
        return f"pi_sample_{reference[:16]}", f"cs_sample_{reference}", transfer, payment

    return references


_LINK: Final = (
    "id", "bounty_id", "url", "domain", "display_text", "is_github", "github_owner",
    "github_repo", "created_at", "updated_at",
)  # fmt: skip
_DOMAINS: Final = ("docs.example.com", "figma.example.com", "beispiel.example", "例え.example")


def _links(world: World, count: int) -> Iterator[Row]:
    draws, stamp, known = world.draws("bounty_links"), world.stamp, world.bounties
    identify, bounty_id = world.ids("bounty_links"), world.ids("bounty")
    for number in range(count):
        bounty = draws.below(len(known.creator))
        created = stamp(known.created[bounty])
        owner, name = f"sample-{known.creator[bounty]}", draws.pick(words.PROJECTS)
        on_github = draws.chance(0.6)
        domain = "github.com" if on_github else draws.pick(_DOMAINS)
        path = f"{owner}/{name}" if on_github else f"{name}?q=a%20b&n={number}#ü"
        yield (
            identify(number),
            bounty_id(bounty),
            f"https://{domain}/{path}",
            domain,
            f"{owner}/{name}" if on_github else draws.pick(world.texts.titles),
            on_github,
            owner if on_github else None,
            name if on_github else None,
            created,
            created,
        )


SOURCES: Final = {
    "bounty": Source(_HEAD + _GITHUB + _LINEAR + _PEOPLE + _MONEY + _TAIL, _bounties),
    "bounty_links": Source(_LINK, _links),
}
