"""Flags on content and what became of them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class ModerationContentType(StrEnum):
    """What kind of content was flagged."""

    BOUNTY = "bounty"
    COMMENT = "comment"
    SUBMISSION = "submission"
    USER = "user"


class ModerationStatus(StrEnum):
    """What moderation decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    AUTO_FLAGGED = "auto_flagged"


MODERATION_CONTENT_TYPE = postgres_enum(ModerationContentType, "moderation_content_type")
MODERATION_STATUS = postgres_enum(ModerationStatus, "moderation_status")


class ModerationFlag(Base):
    """Content that was flagged, by a user or a filter, and the decision about it."""

    __tablename__ = "moderation_flags"
    __table_args__ = (
        Index("moderation_flags_status_idx", "status"),
        Index("moderation_flags_content_type_idx", "content_type"),
        Index("moderation_flags_content_id_idx", "content_id"),
        Index("moderation_flags_created_at_idx", "created_at"),
        Index("moderation_flags_reporter_id_idx", "reporter_id"),
    )

    id: Mapped[GeneratedId]
    content_type: Mapped[ModerationContentType] = mapped_column(MODERATION_CONTENT_TYPE)
    content_id: Mapped[str]  # an id in the table that content_type names, unenforced
    reason: Mapped[str]
    flagged_text: Mapped[str | None]
    reporter_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    status: Mapped[ModerationStatus] = mapped_column(MODERATION_STATUS, server_default="pending")
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    reviewed_at: Mapped[datetime | None]
    review_notes: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
