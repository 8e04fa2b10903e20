"""In-app notifications."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GeneratedId, postgres_enum


class NotificationType(StrEnum):
    """Why a user is notified."""

    SYSTEM = "system"
    BOUNTY_COMMENT = "bounty_comment"
    SUBMISSION_RECEIVED = "submission_received"
    SUBMISSION_APPROVED = "submission_approved"
    SUBMISSION_REJECTED = "submission_rejected"
    BOUNTY_AWARDED = "bounty_awarded"
    BETA_APPLICATION_APPROVED = "beta_application_approved"
    BETA_APPLICATION_REJECTED = "beta_application_rejected"
    CUSTOM = "custom"


NOTIFICATION_TYPE = postgres_enum(NotificationType, "notification_type")


class Notification(Base):
    """Something a user is told inside the application."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("notification_user_id_idx", "user_id"),
        Index("notification_read_idx", "read"),
        Index("notification_type_idx", "type"),
        Index("notification_created_at_idx", "created_at"),
    )

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    type: Mapped[NotificationType] = mapped_column(NOTIFICATION_TYPE)
    title: Mapped[str]
    message: Mapped[str]
    data: Mapped[dict[str, Any] | None]
    read: Mapped[Flag]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
