"""Applications for the beta."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class BetaApplicationStatus(StrEnum):
    """What became of an application for the beta."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


BETA_APPLICATION_STATUS = postgres_enum(BetaApplicationStatus, "beta_application_status")


class BetaApplication(Base):
    """A request to take part in the beta, and its review."""

    __tablename__ = "beta_application"

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    name: Mapped[str]
    twitter: Mapped[str]
    project_name: Mapped[str]
    project_link: Mapped[str]
    description: Mapped[str]
    status: Mapped[BetaApplicationStatus] = mapped_column(
        BETA_APPLICATION_STATUS, server_default="pending"
    )
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    reviewed_at: Mapped[datetime | None]
    review_notes: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
