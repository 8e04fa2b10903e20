"""Sign-in of devices without a browser (Bounty declares this table in ``auth`` as well)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class DeviceCodeStatus(StrEnum):
    """Whether the user has let the device in."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


DEVICE_CODE_STATUS = postgres_enum(DeviceCodeStatus, "device_code_status")


class DeviceCode(Base):
    """A device that waits for its user to approve it with a short code."""

    __tablename__ = "device_code"

    id: Mapped[GeneratedId]
    device_code: Mapped[str] = mapped_column(unique=True)
    user_code: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    client_id: Mapped[str | None]
    scope: Mapped[str | None]
    status: Mapped[DeviceCodeStatus] = mapped_column(DEVICE_CODE_STATUS, server_default="pending")
    expires_at: Mapped[datetime]
    last_polled_at: Mapped[datetime | None]
    polling_interval: Mapped[int | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
