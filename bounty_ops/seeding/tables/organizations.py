"""Organizations, who belongs to them, and the tools they are connected with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.draws import shares
from bounty_ops.seeding.identifiers import tokens
from bounty_ops.seeding.period import DAY
from bounty_ops.seeding.texts import array_literal
from bounty_ops.seeding.world import NOBODY, Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_ORGANIZATION: Final = (
    "id", "name", "slug", "logo", "metadata", "is_personal", "stripe_customer_id", "created_at",
)  # fmt: skip
_METADATA: Final = ('{"plan":"team","seats":5}', '{"plan":"free","locale":"pt-BR 🇧🇷"}', "{}", None)


def _organizations(world: World, count: int) -> Iterator[Row]:
    """The organization with a user's number is his own; the numbers above are teams."""
    draws, period, stamp = world.draws("organization"), world.period, world.stamp
    identify, customer = world.ids("organization"), tokens(world.seed, "team customer")
    for number in range(count):
        personal = number < world.users
        owner = number if personal else world.busy_user(draws)
        joined = world.people.created[owner]
        created = joined if personal else period.later(joined, draws.unit())
        world.organizations.owner.append(owner)
        world.organizations.created.append(created)
        project = draws.pick(words.PROJECTS)
        yield (
            identify(number),
            draws.pick(world.texts.names)[0] if personal else f"{project.title()} & Co. №{number}",
            f"{'personal' if personal else project}-{number}",
            f"https://images.example.com/logos/{number}.svg" if draws.chance(0.25) else None,
            None if personal else draws.pick(_METADATA),
            personal,
            f"cus_{customer(number)[:14]}" if not personal and draws.chance(0.4) else None,
            stamp(created),
        )


def _members(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("member"), world.period, world.stamp
    identify, user_id = world.ids("member"), world.ids("user")
    organization_id, known = world.ids("organization"), world.organizations
    for number, (owner, created) in enumerate(zip(known.owner, known.created, strict=True)):
        yield identify(number), user_id(owner), organization_id(number), "owner", stamp(created)
    number = len(known.owner)
    teams = number - world.users
    sizes = shares(count - number, teams, cap=world.users - 1)
    for team, size in enumerate(sizes, start=world.users):
        for place in range(1, size + 1):  # multiples of the stride never come back to the owner
            user = (known.owner[team] + place * world.stride) % world.users
            both_there = max(known.created[team], world.people.created[user])
            joined = stamp(period.later(both_there, draws.unit()))
            yield identify(number), user_id(user), organization_id(team), "member", joined
            number += 1


_INVITATION: Final = (
    "id", "email", "inviter_id", "organization_id", "role", "status", "expires_at", "created_at",
)  # fmt: skip
_INVITATION_STATES: Final = ("accepted", "pending", "expired", "rejected", "canceled")


def _invitations(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("invitation"), world.period, world.stamp
    identify, user_id = world.ids("invitation"), world.ids("user")
    organization_id, known = world.ids("organization"), world.organizations
    for number in range(count):
        team = world.users + draws.head(len(known.owner) - world.users)
        created = period.later(known.created[team], draws.unit())
        yield (
            identify(number),
            f"{draws.pick(world.texts.names)[1]}@{draws.pick(words.MAIL_DOMAINS)}",
            user_id(known.owner[team]),
            organization_id(team),
            "owner" if draws.chance(0.05) else "member",
            draws.pick(_INVITATION_STATES),
            stamp(created + 7 * DAY),
            stamp(created),
        )


def installation_number(number: int) -> int:
    """GitHub's number of the installation in that row: distinct, and an integer up to 2**31."""
    return 40_000_000 + 7 * number


_INSTALLATION: Final = (
    "id", "github_installation_id", "github_account_id", "repository_ids", "account_login",
    "account_type", "account_avatar_url", "is_default", "suspended_at", "organization_id",
    "created_at", "updated_at",
)  # fmt: skip


def _repositories(draws: Draws) -> str | None:
    if draws.chance(0.2):
        return None  # all repositories of the account
    count = draws.head(40)
    return array_literal(str(draws.between(10_000_000, 900_000_000)) for _ in range(count))


def _github_user(world: World, draws: Draws) -> int:
    """Draw a busy user who signs in through GitHub: his first account has his number."""
    for _ in range(16):
        user = world.busy_user(draws)
        if world.accounts.by_github[user]:
            return user
    return 0  # the first user always does


def _installations(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("installation"), world.period, world.stamp
    identify, account_id = world.ids("github_installation"), world.ids("account")
    organization_id = world.ids("organization")
    for number in range(count):
        user = _github_user(world, draws)
        if world.people.installation[user] == NOBODY:
            world.people.installation[user] = number
        created = period.later(world.people.created[user], draws.unit())
        attached = draws.chance(0.9)
        suspended = draws.chance(0.03)
        yield (
            identify(number),
            installation_number(number),
            account_id(user) if attached else None,
            _repositories(draws),
            f"{draws.pick(words.PROJECTS)}-{number}" if draws.chance(0.97) else None,
            ("Organization", "User", None)[draws.head(3)],
            f"https://images.example.com/github/{number}" if draws.chance(0.8) else None,
            draws.chance(0.3),
            stamp(period.later(created, draws.unit())) if suspended else None,
            organization_id(user) if draws.chance(0.75) else None,
            stamp(created),
            stamp(period.later(created, draws.unit())),
        )


_LINEAR: Final = (
    "id", "account_id", "linear_user_id", "linear_workspace_id", "linear_workspace_name",
    "linear_workspace_url", "linear_workspace_key", "is_active", "organization_id", "created_at",
    "updated_at",
)  # fmt: skip


def _linear_accounts(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("linear"), world.period, world.stamp
    identify, account_id = world.ids("linear_account"), world.ids("account")
    organization_id, known = world.ids("organization"), world.accounts
    person, workspace = tokens(world.seed, "linear user"), tokens(world.seed, "workspace")
    for number in range(count):
        place = number % len(known.linear)
        account = known.linear[place]
        user = known.user[account]
        if world.people.linear[user] == NOBODY:
            world.people.linear[user] = number
        name = draws.pick(words.PROJECTS)
        created = period.soon(known.created[account], draws.unit(), DAY)
        yield (
            identify(number),
            account_id(account),
            person(account),
            # Ten accounts share a workspace; an account's second one is another (unique pair).
            workspace(place // 10 + number // len(known.linear) * (len(known.linear) // 10 + 1)),
            f"{name.title()} ⚡ {place // 10}",
            f"https://linear.example.com/{name}" if draws.chance(0.8) else None,
            name[:3].upper() if draws.chance(0.9) else None,
            draws.chance(0.92),
            organization_id(user) if draws.chance(0.8) else None,
            stamp(created),
            stamp(period.later(created, draws.unit())),
        )


SOURCES: Final = {
    "organization": Source(_ORGANIZATION, _organizations),
    "member": Source(("id", "user_id", "organization_id", "role", "created_at"), _members),
    "invitation": Source(_INVITATION, _invitations),
    "github_installation": Source(_INSTALLATION, _installations),
    "linear_account": Source(_LINEAR, _linear_accounts),
}
