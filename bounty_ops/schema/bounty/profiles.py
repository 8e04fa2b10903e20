"""What users show and what others think of them."""

from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, text, true
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId


class UserProfile(Base):
    """What a user tells the public about themselves: one row a user."""

    __tablename__ = "user_profile"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    bio: Mapped[str | None]
    location: Mapped[str | None]
    website: Mapped[str | None]
    github_username: Mapped[str | None]
    twitter_username: Mapped[str | None]
    linkedin_url: Mapped[str | None]
    skills: Mapped[list[str] | None]
    preferred_languages: Mapped[list[str] | None]
    hourly_rate: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    currency: Mapped[str | None] = mapped_column(server_default="USD")
    timezone: Mapped[str | None]
    available_for_work: Mapped[bool | None] = mapped_column(server_default=true())
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class UserRating(Base):
    """The mark one user gave another for their work on a bounty."""

    __tablename__ = "user_rating"

    id: Mapped[GeneratedId]
    rated_user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    rater_user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    rating: Mapped[int]
    comment: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class UserReputation(Base):
    """Totals and averages over a user's bounties: one row a user."""

    __tablename__ = "user_reputation"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    total_earned: Mapped[Decimal | None] = mapped_column(
        Numeric(12, 2), server_default=text("0.00")
    )
    bounties_completed: Mapped[int | None] = mapped_column(server_default=text("0"))
    bounties_created: Mapped[int | None] = mapped_column(server_default=text("0"))
    average_rating: Mapped[Decimal | None] = mapped_column(
        Numeric(3, 2), server_default=text("0.00")
    )
    total_ratings: Mapped[int | None] = mapped_column(server_default=text("0"))
    success_rate: Mapped[Decimal | None] = mapped_column(Numeric(5, 2), server_default=text("0.00"))
    response_time: Mapped[int | None]
    completion_rate: Mapped[Decimal | None] = mapped_column(
        Numeric(5, 2), server_default=text("0.00")
    )
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
