"""Users, their profiles, their first steps and their wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.draws import Permutation
from bounty_ops.seeding.identifiers import tokens
from bounty_ops.seeding.period import DAY, HOUR
from bounty_ops.seeding.texts import array_literal
from bounty_ops.seeding.world import Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_USER: Final = (
    "id", "name", "email", "email_verified", "image", "handle", "is_profile_private", "role",
    "banned", "ban_reason", "ban_expires", "stripe_customer_id", "stripe_connect_account_id",
    "stripe_connect_onboarding_complete", "card_background", "invite_sent_at", "created_at",
    "updated_at",
)  # fmt: skip
_CARDS: Final = ("aurora", "graphite", "sunset", "none")
_BAN_REASONS: Final = ("spam", "harassment", "chargeback", "asked twice, told twice 🚫")


def _users(world: World, count: int) -> Iterator[Row]:
    draws, texts, period, stamp = world.draws("user"), world.texts, world.period, world.stamp
    identify, customer = world.ids("user"), tokens(world.seed, "stripe customer")
    for number in range(count):
        created = period.growing((number + draws.unit()) / count)
        world.people.add(created)
        name, ascii_name = draws.pick(texts.names)
        handle = f"{draws.pick(words.HANDLE_FIRST)}-{draws.pick(words.HANDLE_SECOND)}{number}"
        paying = draws.chance(0.3)
        working = draws.chance(0.25)
        banned = draws.chance(0.007) and number > 0
        yield (
            identify(number),
            name if draws.chance(0.97) else None,
            f"{ascii_name}{number}@{draws.pick(words.MAIL_DOMAINS)}",
            draws.chance(0.88),
            f"https://images.example.com/avatars/{number}.png" if draws.chance(0.7) else None,
            handle if draws.chance(0.85) else None,
            draws.chance(0.06),
            _role(draws, number),
            banned,
            draws.pick(_BAN_REASONS) if banned else None,
            stamp(period.end + 30 * DAY) if banned and draws.chance(0.5) else None,
            f"cus_{customer(number)[:14]}" if paying else None,
            f"acct_{customer(number)[14:30]}" if working else None,
            working and draws.chance(0.8),
            draws.pick(_CARDS) if draws.chance(0.15) else None,
            stamp(period.soon(created, draws.unit(), 2 * DAY)) if draws.chance(0.1) else None,
            stamp(created),
            stamp(period.later(created, draws.unit())),
        )


def _role(draws: Draws, number: int) -> str:
    """The first user is an administrator, so that every size of data has one."""
    unit = draws.unit()
    if number == 0 or unit < 0.001:  # noqa: PLR2004 - a share
        return "admin"
    return "early_access" if unit < 0.08 else "user"  # noqa: PLR2004 - a share


_PROFILE: Final = (
    "id", "user_id", "bio", "location", "website", "github_username", "twitter_username",
    "linkedin_url", "skills", "preferred_languages", "hourly_rate", "currency", "timezone",
    "available_for_work", "created_at", "updated_at",
)  # fmt: skip
_LANGUAGES: Final = tuple(
    array_literal(languages)
    for languages in (("en",), ("en", "de"), ("pt-BR", "en"), ("ar",), ("ja", "en"), ("zh",), ())
)
_CURRENCIES: Final = ("USD", "USD", "USD", "EUR", "BRL", "JPY", None)


def _profiles(world: World, count: int) -> Iterator[Row]:
    draws, texts, period, stamp = world.draws("profile"), world.texts, world.period, world.stamp
    identify, user_id = world.ids("user_profile"), world.ids("user")
    users = Permutation(world.seed, "profiles", world.users)
    for number in range(count):
        user = users(number)
        created = period.soon(world.people.created[user], draws.unit(), HOUR)
        handle = f"{draws.pick(words.HANDLE_FIRST)}{user}"
        yield (
            identify(number),
            user_id(user),
            texts.remark(draws) if draws.chance(0.6) else None,
            draws.pick(words.LOCATIONS) if draws.chance(0.55) else None,
            f"https://{handle}.example.org/?a=1&b=%20" if draws.chance(0.3) else None,
            handle if draws.chance(0.8) else None,
            f"{handle}_x" if draws.chance(0.3) else None,
            f"https://linkedin.example.com/in/{handle}" if draws.chance(0.2) else None,
            draws.pick(texts.tag_arrays) if draws.chance(0.65) else None,
            draws.pick(_LANGUAGES) if draws.chance(0.5) else None,
            f"{draws.between(15, 240)}.{draws.pick(('00', '50', '99'))}"
            if draws.chance(0.4)
            else None,
            draws.pick(_CURRENCIES),
            draws.pick(words.TIMEZONES) if draws.chance(0.6) else None,
            draws.chance(0.7) if draws.chance(0.95) else None,
            stamp(created),
            stamp(period.later(created, draws.unit())),
        )


_ONBOARDING: Final = (
    "id", "user_id", "completed_step_1", "completed_step_2", "completed_step_3",
    "completed_step_4", "source", "claimed_waitlist_discount", "connected_tools",
    "setup_payouts", "created_bounty", "invited_member", "created_at", "updated_at",
)  # fmt: skip
_HEARD_FROM: Final = ("twitter", "github", "friend", "hacker_news", "other", None)


def _onboarding_states(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("onboarding"), world.period, world.stamp
    identify, user_id = world.ids("onboarding_state"), world.ids("user")
    users = Permutation(world.seed, "onboarding", world.users)
    for number in range(count):
        user = users(number)
        created = world.people.created[user]
        steps = draws.between(0, 4)  # nobody does the third step before the second
        yield (
            identify(number),
            user_id(user),
            steps > 0,
            steps > 1,
            steps > 2,  # noqa: PLR2004 - the number of the step
            steps > 3,  # noqa: PLR2004 - the number of the step
            draws.pick(_HEARD_FROM),
            draws.chance(0.1),
            draws.chance(0.4),
            draws.chance(0.2),
            draws.chance(0.15),
            draws.chance(0.05),
            stamp(created),
            stamp(period.soon(created, draws.unit(), 3 * DAY)),
        )


def _coupons(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("coupon"), world.period, world.stamp
    identify, user_id = world.ids("onboarding_coupon"), world.ids("user")
    users = Permutation(world.seed, "coupons", world.users)
    for number in range(count):
        user = users(number)
        created = period.soon(world.people.created[user], draws.unit(), 2 * DAY)
        expires = stamp(created + 90 * DAY) if draws.chance(0.8) else None
        used = draws.chance(0.2)
        yield (
            identify(number),
            user_id(user),
            f"WELCOME-{number:05d}",
            used,
            expires,
            stamp(created),
        )


_PASSKEY: Final = (
    "id", "name", "publicKey", "userId", "credentialID", "counter", "deviceType", "backedUp",
    "transports", "createdAt", "updatedAt", "aaguid",
)  # fmt: skip
_DEVICES: Final = ("Laptop", "Téléphone 📱", "مفتاح الأمان", "YubiKey", None)


def _passkeys(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("passkey"), world.period, world.stamp
    identify, user_id = world.ids("passkey"), world.ids("user")
    credential, key = tokens(world.seed, "credential"), tokens(world.seed, "public key")
    for number in range(count):
        user = world.busy_user(draws)
        created = period.later(world.people.created[user], draws.unit())
        roaming = draws.chance(0.4)
        yield (
            identify(number),
            draws.pick(_DEVICES),
            f"sample-{key(2 * number)}{key(2 * number + 1)}",
            user_id(user),
            credential(number),
            draws.head(500),
            "multiDevice" if roaming else "singleDevice",
            roaming,
            "internal,hybrid" if roaming else "usb",
            stamp(created),
            stamp(period.later(created, draws.unit())),
            "00000000-0000-0000-0000-000000000000" if draws.chance(0.5) else None,
        )


_FEATURES: Final = ("vscode", "notion", "crypto", "email", "jira", "slack", "الإشعارات")


def _feature_votes(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("feature_vote"), world.period, world.stamp
    identify, user_id = world.ids("feature_vote"), world.ids("user")
    users = Permutation(world.seed, "feature votes", world.users)  # one vote a user and type
    for number in range(count):
        user = users(number)
        feature = _FEATURES[draws.head(len(_FEATURES))]
        voted = stamp(period.later(world.people.created[user], draws.unit()))
        yield identify(number), user_id(user), "integration", feature, voted


SOURCES: Final = {
    "user": Source(_USER, _users),
    "user_profile": Source(_PROFILE, _profiles),
    "onboarding_state": Source(_ONBOARDING, _onboarding_states),
    "onboarding_coupon": Source(
        ("id", "user_id", "code", "used", "expires_at", "created_at"), _coupons
    ),
    "passkey": Source(_PASSKEY, _passkeys),
    "feature_vote": Source(
        ("id", "user_id", "feature_type", "feature_key", "created_at"), _feature_votes
    ),
}
