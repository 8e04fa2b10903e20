"""Users, how they sign in, and who is waiting to."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GeneratedId, GivenId
from bounty_ops.schema.bounty.device_code import DEVICE_CODE_STATUS, DeviceCode, DeviceCodeStatus

# Bounty declares device_code here too, identically; in PostgreSQL it is one table.
__all__ = [
    "DEVICE_CODE_STATUS",
    "Account",
    "DeviceCode",
    "DeviceCodeStatus",
    "EmailOtp",
    "OAuthState",
    "RateLimit",
    "Session",
    "User",
    "Verification",
    "Waitlist",
]


class Account(Base):
    """One way a user signs in: an identity at a provider with its tokens, or a password hash."""

    __tablename__ = "account"

    id: Mapped[GivenId]
    account_id: Mapped[str]
    provider_id: Mapped[str]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    access_token: Mapped[str | None]
    refresh_token: Mapped[str | None]
    id_token: Mapped[str | None]
    access_token_expires_at: Mapped[datetime | None]
    refresh_token_expires_at: Mapped[datetime | None]
    scope: Mapped[str | None]
    password: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class EmailOtp(Base):
    """A one-time code that was mailed to a user."""

    __tablename__ = "email_otp"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    otp_code: Mapped[str]
    expires_at: Mapped[datetime]
    used: Mapped[Flag]
    verified: Mapped[Flag]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class OAuthState(Base):
    """The state parameter of a sign-in that is under way, to recognise its callback."""

    __tablename__ = "oauth_state"

    id: Mapped[GeneratedId]
    state: Mapped[str] = mapped_column(unique=True)
    provider: Mapped[str]
    provider_id: Mapped[str | None]
    expires_at: Mapped[datetime]
    used: Mapped[Flag]
    created_at: Mapped[DefaultsToNow]


class RateLimit(Base):
    """How many requests a key has made in the current window."""

    __tablename__ = "rate_limit"

    id: Mapped[GivenId]
    key: Mapped[str]
    count: Mapped[int]
    last_request: Mapped[int] = mapped_column(BigInteger)  # milliseconds since the epoch


class Session(Base):
    """A signed-in browser or device."""

    __tablename__ = "session"

    id: Mapped[GivenId]
    expires_at: Mapped[datetime]
    token: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
    ip_address: Mapped[str | None]
    user_agent: Mapped[str | None]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    impersonated_by: Mapped[str | None]  # a user.id, unenforced
    active_organization_id: Mapped[str | None]  # an organization.id, unenforced


class User(Base):
    """A person who posts bounties, solves them, or runs the site."""

    __tablename__ = "user"

    id: Mapped[GivenId]
    name: Mapped[str | None]
    email: Mapped[str] = mapped_column(unique=True)
    email_verified: Mapped[Flag]
    image: Mapped[str | None]
    handle: Mapped[str | None] = mapped_column(unique=True)
    is_profile_private: Mapped[Flag]
    role: Mapped[str] = mapped_column(server_default="user")  # user, admin or early_access
    banned: Mapped[Flag]
    ban_reason: Mapped[str | None]
    ban_expires: Mapped[datetime | None]
    stripe_customer_id: Mapped[str | None]
    stripe_connect_account_id: Mapped[str | None]
    stripe_connect_onboarding_complete: Mapped[Flag]
    card_background: Mapped[str | None]
    invite_sent_at: Mapped[datetime | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class Verification(Base):
    """A value that proves control of an identifier, such as a mailed link, until it expires."""

    __tablename__ = "verification"

    id: Mapped[GivenId]
    identifier: Mapped[str]
    value: Mapped[str]
    expires_at: Mapped[datetime]
    created_at: Mapped[DefaultsToNow | None]
    updated_at: Mapped[DefaultsToNow | None]


class Waitlist(Base):
    """Somebody who asked for access before the doors opened, perhaps with a bounty drafted."""

    __tablename__ = "waitlist"

    id: Mapped[GeneratedId]
    email: Mapped[str]
    created_at: Mapped[DefaultsToNow]
    ip_address: Mapped[str | None]
    otp_code: Mapped[str | None]
    otp_expires_at: Mapped[datetime | None]
    otp_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    email_verified: Mapped[Flag]
    access_token: Mapped[str | None]
    access_granted_at: Mapped[datetime | None]
    bounty_title: Mapped[str | None]
    bounty_description: Mapped[str | None]
    bounty_amount: Mapped[str | None]
    bounty_deadline: Mapped[datetime | None]
    bounty_github_issue_url: Mapped[str | None]
    user_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    position: Mapped[int | None]
