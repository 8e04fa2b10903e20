"""Votes for features to come."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class FeatureType(StrEnum):
    """What kind of feature is voted for."""

    INTEGRATION = "integration"


FEATURE_TYPE = postgres_enum(FeatureType, "feature_type")


class FeatureVote(Base):
    """A user's vote for a feature that does not exist yet."""

    __tablename__ = "feature_vote"
    __table_args__ = (
        Index("feature_vote_user_feature_type_idx", "user_id", "feature_type", unique=True),
    )

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    feature_type: Mapped[FeatureType] = mapped_column(FEATURE_TYPE)
    feature_key: Mapped[str]
    created_at: Mapped[DefaultsToNow]
