"""A new user's first steps."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GeneratedId


class OnboardingCoupon(Base):
    """A discount code given to a user who finished onboarding."""

    __tablename__ = "onboarding_coupon"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    code: Mapped[str] = mapped_column(unique=True)
    used: Mapped[Flag]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[DefaultsToNow]


class OnboardingState(Base):
    """How far a user has come through onboarding: one row a user."""

    __tablename__ = "onboarding_state"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    completed_step_1: Mapped[Flag]
    completed_step_2: Mapped[Flag]
    completed_step_3: Mapped[Flag]
    completed_step_4: Mapped[Flag]
    source: Mapped[str | None]
    claimed_waitlist_discount: Mapped[Flag]
    connected_tools: Mapped[Flag]
    setup_payouts: Mapped[Flag]
    created_bounty: Mapped[Flag]
    invited_member: Mapped[Flag]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
