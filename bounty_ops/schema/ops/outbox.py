"""What people are told, and which channel has it: the outbox."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import CountedId, OpsBase


class Notification(OpsBase):
    """A message: kept here first, so that none is lost when a channel is down."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint(
            "change IN ('firing', 'graver', 'reminder', 'flapping', 'steady', 'resolved', 'test')",
            name="change",
        ),
        # Only a test speaks of nothing.
        CheckConstraint("incident_id IS NOT NULL OR change = 'test'", name="incident_id"),
        UniqueConstraint("idempotency_key", name="notification_idempotency_key_key"),
        Index("notification_incident_id_idx", "incident_id"),
        Index(
            "notification_waiting_idx",
            "environment",
            "next_attempt_at",
            postgresql_where=text("delivered_at IS NULL AND dead_at IS NULL"),
        ),
        Index("notification_dead_idx", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )

    id: Mapped[CountedId]
    incident_id: Mapped[int | None] = mapped_column(
        ForeignKey("bounty_ops.incident.id", ondelete="CASCADE")
    )
    change: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]
    environment: Mapped[str]
    severity: Mapped[str]
    # The same change of the same incident has the same key, whoever writes it down.
    idempotency_key: Mapped[str]
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dead_at: Mapped[datetime | None]  # given up: somebody has to look


class NotificationDelivery(OpsBase):
    """What became of one message at one channel."""

    __tablename__ = "notification_delivery"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'delivered', 'dead')", name="state"),
        Index(
            "notification_delivery_waiting_idx",
            "next_attempt_at",
            postgresql_where=text("state IN ('waiting', 'sending')"),
        ),
    )

    notification_id: Mapped[int] = mapped_column(
        ForeignKey("bounty_ops.notification.id", ondelete="CASCADE"), primary_key=True
    )
    channel_fingerprint: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]  # its name as it may be shown
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # A lease: whoever is sending it has it until then, and is gone if it still has it after.
    claimed_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    # Of the attempts, those whose end nobody knows: they say nothing about the channel.
    interrupted: Mapped[int] = mapped_column(server_default=text("0"))
