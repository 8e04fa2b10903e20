"""What the people who run Bounty see: events, flags, applications, invites, the waiting list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.identifiers import digests, tokens
from bounty_ops.seeding.period import DAY, MINUTE
from bounty_ops.seeding.tables.sign_in import address
from bounty_ops.seeding.world import Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_EVENT: Final = (
    "id", "event_type", "actor_id", "target_type", "target_id", "description", "metadata",
    "ip_address", "country", "region", "city", "created_at", "expires_at",
)  # fmt: skip
#: What happened, to what kind of thing.
_HAPPENED: Final = (
    ("user_signup", "user"), ("user_signup", "user"), ("user_signup", "user"),
    ("bounty_created", "bounty"), ("bounty_created", "bounty"), ("bounty_funded", "bounty"),
    ("bounty_completed", "bounty"), ("bounty_cancelled", "bounty"), ("user_banned", "user"),
    ("user_unbanned", "user"), ("early_access_granted", "user"), ("content_reported", "comment"),
    ("content_hidden", "comment"), ("content_unhidden", "submission"),
    ("profanity_blocked", "comment"), ("admin_action", "organization"), ("ratelimit_hit", None),
)  # fmt: skip
_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class _Targets:
    """Ids of rows by the kind that a polymorphic reference names."""

    def __init__(self, world: World) -> None:
        tables = {"user": "user", "bounty": "bounty", "submission": "submission",
                  "comment": "bounty_comment", "organization": "organization"}  # fmt: skip
        self._kinds = {
            kind: (world.ids(table), world.counts[table]) for kind, table in tables.items()
        }

    def draw(self, draws: Draws, kind: str) -> str:
        """Give the id of some row of that kind."""
        identify, count = self._kinds[kind]
        return identify(draws.below(count))


def _about(world: World, draws: Draws, kind: str | None) -> str | None:
    """A jsonb object about an event, with a nested one, or nothing, or an empty one."""
    unit = draws.unit()
    if unit < 0.25:  # noqa: PLR2004 - a share
        return None
    if unit < 0.3:  # noqa: PLR2004 - a share
        return "{}"
    return _write(
        {
            "source": draws.pick(("web", "api", "github", "cli")),
            "reason": world.texts.sentence(draws) if kind == "comment" else None,
            "client": {"version": f"1.{draws.below(40)}.0", "flags": ["β", "a11y"]},
            "score": draws.below(1000) / 1000,
        }
    )


def _admin_events(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("admin_events"), world.period, world.stamp
    identify, user_id, targets = world.ids("admin_events"), world.ids("user"), _Targets(world)
    for number in range(count):
        happened, kind = draws.pick(_HAPPENED)
        actor = world.busy_user(draws)
        created = period.later(world.people.created[actor], draws.unit())
        located = draws.chance(0.6)
        country, region, city = draws.pick(words.COUNTRIES)
        yield (
            identify(number),
            happened,
            user_id(actor) if draws.chance(0.8) else None,
            kind,
            None if kind is None else targets.draw(draws, kind),
            draws.pick(world.texts.sentences) if draws.chance(0.5) else None,
            _about(world, draws, kind),
            address(draws) if draws.chance(0.8) else None,
            country if located else None,
            region if located else None,
            city if located and draws.chance(0.9) else None,
            stamp(created),
            stamp(created + 30 * DAY),
        )


_FLAG: Final = (
    "id", "content_type", "content_id", "reason", "flagged_text", "reporter_id", "status",
    "reviewed_by", "reviewed_at", "review_notes", "created_at",
)  # fmt: skip
_REASONS: Final = ("spam", "profanity", "harassment", "plagiarism", "إزعاج")
_FLAG_STATES: Final = ("pending", "auto_flagged", "approved", "rejected")


def _moderation_flags(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("moderation"), world.period, world.stamp
    identify, user_id, targets = world.ids("moderation_flags"), world.ids("user"), _Targets(world)
    for number in range(count):
        kind = ("comment", "bounty", "submission", "user")[draws.head(4)]
        status = draws.pick(_FLAG_STATES)
        reviewed = status in {"approved", "rejected"}
        reporter = draws.below(world.users)
        created = period.later(world.people.created[reporter], draws.unit())
        yield (
            identify(number),
            kind,
            targets.draw(draws, kind),
            draws.pick(_REASONS),
            world.texts.sentence(draws) if draws.chance(0.8) else None,
            None if status == "auto_flagged" else user_id(reporter),
            status,
            user_id(0) if reviewed else None,
            stamp(period.soon(created, draws.unit(), 5 * DAY)) if reviewed else None,
            draws.pick(words.REVIEWS) if reviewed and draws.chance(0.4) else None,
            stamp(created),
        )


_BETA: Final = (
    "id", "user_id", "name", "twitter", "project_name", "project_link", "description", "status",
    "reviewed_by", "reviewed_at", "review_notes", "created_at", "updated_at",
)  # fmt: skip


def _beta_applications(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("beta"), world.period, world.stamp
    identify, user_id = world.ids("beta_application"), world.ids("user")
    for number in range(count):
        user = draws.below(world.users)
        status = draws.pick(("approved", "approved", "pending", "rejected"))
        reviewed = status != "pending"
        created = period.later(world.people.created[user], draws.unit())
        answered = period.soon(created, draws.unit(), 9 * DAY)
        name, ascii_name = draws.pick(world.texts.names)
        project = draws.pick(words.PROJECTS)
        yield (
            identify(number),
            user_id(user),
            name,
            f"@{ascii_name.replace('.', '_')}",
            project,
            f"https://{project}.example.net",
            world.texts.description(draws),
            status,
            user_id(0) if reviewed else None,
            stamp(answered) if reviewed else None,
            draws.pick(words.REVIEWS) if reviewed and draws.chance(0.3) else None,
            stamp(created),
            stamp(answered if reviewed else created),
        )


def _invites(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("invite"), world.period, world.stamp
    identify, user_id, digest = (
        world.ids("invite"),
        world.ids("user"),
        digests(world.seed, "invite"),
    )
    for number in range(count):
        used = draws.chance(0.5)
        user = draws.below(world.users)
        joined = world.people.created[user]
        created = joined - draws.below(7 * DAY) if used else period.later(joined, draws.unit())
        yield (
            identify(number),
            f"{draws.pick(world.texts.names)[1]}@{draws.pick(words.MAIL_DOMAINS)}",
            digest(number),
            stamp(created + 7 * DAY),
            stamp(joined) if used else None,
            stamp(created),
            user_id(user) if used else None,
        )


_WAITLIST: Final = (
    "id", "email", "created_at", "ip_address", "otp_code", "otp_expires_at", "otp_attempts",
    "email_verified", "access_token", "access_granted_at", "bounty_title", "bounty_description",
    "bounty_amount", "bounty_deadline", "bounty_github_issue_url", "user_id", "position",
)  # fmt: skip


def _waitlist(world: World, count: int) -> Iterator[Row]:
    """Who stands there since when, in order; half of those who were let in became users."""
    draws, period, stamp = world.draws("waitlist"), world.period, world.stamp
    identify, user_id = world.ids("waitlist"), world.ids("user")
    access = tokens(world.seed, "waitlist access")
    for number in range(count):
        created = period.growing((number + draws.unit()) / count)
        verified, drafted = draws.chance(0.6), draws.chance(0.25)
        granted = verified and draws.chance(0.4)
        yield (
            identify(number),
            f"{draws.pick(world.texts.names)[1]}{number}@{draws.pick(words.MAIL_DOMAINS)}",
            stamp(created),
            address(draws) if draws.chance(0.7) else None,
            None if verified else f"{draws.below(1_000_000):06d}",
            None if verified else stamp(created + 10 * MINUTE),
            draws.head(6),
            verified,
            f"sample_{access(number)}" if granted else None,
            stamp(period.soon(created, draws.unit(), 30 * DAY)) if granted else None,
            draws.pick(world.texts.titles) if drafted else None,
            world.texts.remark(draws) if drafted else None,
            draws.pick(("100", "250.00", "$1,500", "约 500")) if drafted else None,
            stamp(created + 45 * DAY) if drafted and draws.chance(0.5) else None,
            f"https://github.com/sample-{number}/app/issues/1" if drafted else None,
            user_id(draws.below(world.users)) if granted and draws.chance(0.5) else None,
            number + 1 if draws.chance(0.98) else None,
        )


SOURCES: Final = {
    "admin_events": Source(_EVENT, _admin_events),
    "moderation_flags": Source(_FLAG, _moderation_flags),
    "beta_application": Source(_BETA, _beta_applications),
    "invite": Source(
        ("id", "email", "token_hash", "expires_at", "used_at", "created_at", "used_by_user_id"),
        _invites,
    ),
    "waitlist": Source(_WAITLIST, _waitlist),
}
