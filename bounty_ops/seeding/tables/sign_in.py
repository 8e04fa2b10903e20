"""How people get in: accounts, sessions, codes, and what guards the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.seeding import words
from bounty_ops.seeding.identifiers import tokens, typed_codes
from bounty_ops.seeding.period import DAY, HOUR, MINUTE
from bounty_ops.seeding.world import Row, Source, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.seeding.draws import Draws

_ACCOUNT: Final = (
    "id", "account_id", "provider_id", "user_id", "access_token", "refresh_token", "id_token",
    "access_token_expires_at", "refresh_token_expires_at", "scope", "password", "created_at",
    "updated_at",
)  # fmt: skip
#: No algorithm made it, so no password opens an account of the sample data.
_LOCKED: Final = "!sample-data-no-login"


def _provider(world: World, draws: Draws, number: int) -> str:
    """The first account of everybody is one to sign in with, the rest are connected tools."""
    if number < world.users:
        unit = draws.unit()
        if number == 0 or unit < 0.75:  # noqa: PLR2004 - a share
            return "github"
        return "google" if unit < 0.9 else "credential"  # noqa: PLR2004 - a share
    return "discord" if number % 3 == 2 and number > world.users else "linear"  # noqa: PLR2004


def _accounts(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp, known = world.draws("account"), world.period, world.stamp, world.accounts
    identify, user_id = world.ids("account"), world.ids("user")
    token = tokens(world.seed, "account token")
    for number in range(count):
        user = number if number < world.users else world.by_rank(number - world.users)
        provider = _provider(world, draws, number)
        known.user.append(user)
        if number < world.users:
            known.by_github.append(provider == "github")
        elif provider == "linear":
            known.linear.append(number)
        joined = world.people.created[user]
        created = joined if number < world.users else period.soon(joined, draws.unit(), 9 * DAY)
        known.created.append(created)
        external = provider != "credential"
        expiring = external and draws.chance(0.6)
        yield (
            identify(number),
            str(1_000_000 + 13 * number),
            provider,
            user_id(user),
            f"sample_{token(number)}" if external else None,
            f"sample_r_{token(number)}" if expiring else None,
            f"sample_id_{token(number)}" if provider == "google" else None,
            stamp(period.end + 8 * HOUR) if expiring else None,
            stamp(period.end + 180 * DAY) if expiring else None,
            "read:user,user:email,repo" if provider == "github" else None,
            None if external else _LOCKED,
            stamp(created),
            stamp(period.later(created, draws.unit())),
        )


_SESSION: Final = (
    "id", "expires_at", "token", "created_at", "updated_at", "ip_address", "user_agent",
    "user_id", "impersonated_by", "active_organization_id",
)  # fmt: skip


def address(draws: Draws) -> str:
    """An address out of those that are reserved for documentation."""
    unit = draws.unit()
    if unit < 0.2:  # noqa: PLR2004 - a share
        return f"2001:db8:{draws.below(65536):x}::{draws.below(65536):x}"
    network = ("192.0.2", "198.51.100", "203.0.113")[int(unit * 30) % 3]
    return f"{network}.{draws.between(1, 254)}"


def _sessions(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("session"), world.period, world.stamp
    identify, user_id = world.ids("session"), world.ids("user")
    organization_id, token = world.ids("organization"), tokens(world.seed, "session token")
    for number in range(count):
        user = world.busy_user(draws)
        created = period.later(world.people.created[user], draws.unit())
        impersonated = user != 0 and draws.chance(0.004)
        yield (
            identify(number),
            stamp(created + 7 * DAY),
            token(number),
            stamp(created),
            stamp(period.soon(created, draws.unit(), 7 * DAY)),
            address(draws) if draws.chance(0.93) else None,
            draws.pick(words.USER_AGENTS) if draws.chance(0.93) else None,
            user_id(user),
            user_id(0) if impersonated else None,
            organization_id(user) if draws.chance(0.7) else None,  # his own has his number
        )


def _verifications(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("verification"), world.period, world.stamp
    identify, value = world.ids("verification"), tokens(world.seed, "verification value")
    for number in range(count):
        asked = period.later(period.start, draws.unit())
        told = stamp(asked) if draws.chance(0.97) else None  # both are nullable in Bounty
        yield (
            identify(number),
            f"email-verification-{draws.pick(world.texts.names)[1]}@example.com",
            value(number),
            stamp(asked + 10 * MINUTE),
            told,
            told,
        )


_PATHS: Final = ("/sign-in/email", "/sign-up/email", "/email-otp/send", "/get-session")


def _rate_limits(world: World, count: int) -> Iterator[Row]:
    draws, period, identify = world.draws("rate_limit"), world.period, world.ids("rate_limit")
    for number in range(count):
        last = period.later(period.start, draws.unit())
        key = f"{address(draws)}{draws.pick(_PATHS)}"
        yield identify(number), key, 1 + draws.head(120), last // 1000  # epoch milliseconds


_EMAIL_OTP: Final = (
    "id", "user_id", "otp_code", "expires_at", "used", "verified", "created_at", "updated_at",
)  # fmt: skip


def _email_otps(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("email_otp"), world.period, world.stamp
    identify, user_id = world.ids("email_otp"), world.ids("user")
    for number in range(count):
        user = world.busy_user(draws)
        created = period.later(world.people.created[user], draws.unit())
        used = draws.chance(0.8)
        touched = period.soon(created, draws.unit(), 10 * MINUTE) if used else created
        yield (
            identify(number),
            user_id(user),
            f"{draws.below(1_000_000):06d}",
            stamp(created + 10 * MINUTE),
            used,
            used and draws.chance(0.95),
            stamp(created),
            stamp(touched),
        )


def _oauth_states(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("oauth_state"), world.period, world.stamp
    identify, state = world.ids("oauth_state"), tokens(world.seed, "oauth state")
    for number in range(count):
        created = period.later(period.start, draws.unit())
        yield (
            identify(number),
            state(number),
            "discord" if draws.chance(0.7) else "github",
            str(draws.between(100_000, 99_999_999)) if draws.chance(0.6) else None,
            stamp(created + 10 * MINUTE),
            draws.chance(0.75),
            stamp(created),
        )


_DEVICE_CODE: Final = (
    "id", "device_code", "user_code", "user_id", "client_id", "scope", "status", "expires_at",
    "last_polled_at", "polling_interval", "created_at", "updated_at",
)  # fmt: skip
_POLLING_MILLISECONDS: Final = 5000


def _device_codes(world: World, count: int) -> Iterator[Row]:
    draws, period, stamp = world.draws("device_code"), world.period, world.stamp
    identify, user_id = world.ids("device_code"), world.ids("user")
    secret, shown = tokens(world.seed, "device code"), typed_codes(world.seed, "user code")
    for number in range(count):
        user = world.busy_user(draws)
        created = period.later(world.people.created[user], draws.unit())
        status = ("approved", "pending", "denied")[draws.head(3)]
        touched = period.soon(created, draws.unit(), 15 * MINUTE)
        polled = draws.chance(0.8)
        yield (
            identify(number),
            secret(number),
            shown(number),
            None if status == "pending" else user_id(user),
            "bounty-cli" if draws.chance(0.9) else None,
            "openid profile" if draws.chance(0.5) else None,
            status,
            stamp(created + 30 * MINUTE),
            stamp(touched) if polled else None,
            _POLLING_MILLISECONDS if polled else None,
            stamp(created),
            stamp(touched),
        )


SOURCES: Final = {
    "account": Source(_ACCOUNT, _accounts),
    "session": Source(_SESSION, _sessions),
    "verification": Source(
        ("id", "identifier", "value", "expires_at", "created_at", "updated_at"), _verifications
    ),
    "rate_limit": Source(("id", "key", "count", "last_request"), _rate_limits),
    "email_otp": Source(_EMAIL_OTP, _email_otps),
    "oauth_state": Source(
        ("id", "state", "provider", "provider_id", "expires_at", "used", "created_at"),
        _oauth_states,
    ),
    "device_code": Source(_DEVICE_CODE, _device_codes),
}
