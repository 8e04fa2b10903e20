"""What alerting found, and what it told whom."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, desc, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import CountedId, JsonArray, JsonObject, OpsBase


class Incident(OpsBase):
    """A rule that fired about a subject, from its opening until it was resolved."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint("state IN ('firing', 'resolved')", name="state"),
        # One open incident for each thing that is wrong: two evaluations at once cannot open two.
        Index(
            "incident_open_idx",
            "environment",
            "rule",
            "subject",
            unique=True,
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index("incident_environment_opened_at_idx", "environment", desc("opened_at")),
    )

    id: Mapped[CountedId]
    environment: Mapped[str]
    rule: Mapped[str]
    subject: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    message: Mapped[str]
    evidence: Mapped[JsonObject]


class Notification(OpsBase):
    """A message about an incident: the outbox, so that none is lost when a channel is down."""

    __tablename__ = "notification"
    __table_args__ = (
        CheckConstraint("change IN ('firing', 'resolved')", name="change"),
        Index("notification_incident_id_idx", "incident_id"),
        Index(
            "notification_undelivered_idx",
            "created_at",
            postgresql_where=text("delivered_at IS NULL"),
        ),
    )

    id: Mapped[CountedId]
    incident_id: Mapped[int] = mapped_column(
        ForeignKey("bounty_ops.incident.id", ondelete="CASCADE")
    )
    change: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]
    # Fingerprints of the channels that took it: one that is down for days must not make the
    # others receive the same message at every attempt.
    delivered_to: Mapped[JsonArray]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_error: Mapped[str | None]
