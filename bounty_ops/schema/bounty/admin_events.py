"""The administrators' event log."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class AdminEventTargetType(StrEnum):
    """What kind of thing an administrative event is about."""

    USER = "user"
    BOUNTY = "bounty"
    COMMENT = "comment"
    SUBMISSION = "submission"
    ORGANIZATION = "organization"


class AdminEventType(StrEnum):
    """What happened."""

    USER_SIGNUP = "user_signup"
    USER_BANNED = "user_banned"
    USER_UNBANNED = "user_unbanned"
    EARLY_ACCESS_GRANTED = "early_access_granted"
    CONTENT_REPORTED = "content_reported"
    PROFANITY_BLOCKED = "profanity_blocked"
    CONTENT_HIDDEN = "content_hidden"
    CONTENT_UNHIDDEN = "content_unhidden"
    RATELIMIT_HIT = "ratelimit_hit"
    BOUNTY_CREATED = "bounty_created"
    BOUNTY_FUNDED = "bounty_funded"
    BOUNTY_COMPLETED = "bounty_completed"
    BOUNTY_CANCELLED = "bounty_cancelled"
    ADMIN_ACTION = "admin_action"


ADMIN_EVENT_TARGET_TYPE = postgres_enum(AdminEventTargetType, "admin_event_target_type")
ADMIN_EVENT_TYPE = postgres_enum(AdminEventType, "admin_event_type")


class AdminEvent(Base):
    """Something administrators may want to know or to trace later."""

    __tablename__ = "admin_events"
    __table_args__ = (
        Index("admin_events_event_type_idx", "event_type"),
        Index("admin_events_actor_id_idx", "actor_id"),
        Index("admin_events_target_id_idx", "target_id"),
        Index("admin_events_created_at_idx", "created_at"),
    )

    id: Mapped[GeneratedId]
    event_type: Mapped[AdminEventType] = mapped_column(ADMIN_EVENT_TYPE)
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    target_type: Mapped[AdminEventTargetType | None] = mapped_column(ADMIN_EVENT_TARGET_TYPE)
    target_id: Mapped[str | None]  # an id in the table that target_type names, unenforced
    description: Mapped[str | None]
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    ip_address: Mapped[str | None]
    country: Mapped[str | None]
    region: Mapped[str | None]
    city: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    expires_at: Mapped[datetime] = mapped_column(
        server_default=text("now() + interval '30 days'")
    )  # nothing upstream deletes expired rows
