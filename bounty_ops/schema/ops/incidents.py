"""What alerting found: incidents, who keeps them quiet, and when the rules were last asked."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, desc, func, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import CountedId, GivenId, JsonArray, JsonObject, OpsBase


class Incident(OpsBase):
    """A rule that said something about a subject, from its first sight until it was resolved."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'firing', 'resolved')", name="state"),
        CheckConstraint("severity IN ('info', 'warning', 'critical')", name="severity"),
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
        # Flapping is seen by looking at what was resolved lately.
        Index(
            "incident_environment_resolved_at_idx",
            "environment",
            desc("resolved_at"),
            postgresql_where=text("state = 'resolved'"),
        ),
    )

    id: Mapped[CountedId]
    environment: Mapped[str]
    rule: Mapped[str]
    subject: Mapped[str]
    severity: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]  # when it was seen first; it may have fired later, or never
    last_seen_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    message: Mapped[str]
    evidence: Mapped[JsonObject]
    critical_since: Mapped[datetime | None]
    fired_at: Mapped[datetime | None]
    healthy_since: Mapped[datetime | None]  # it is over, but not for long enough
    cause_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("bounty_ops.incident.id", ondelete="SET NULL")
    )
    flapping_since: Mapped[datetime | None]
    flips: Mapped[JsonArray]  # when it fired and was resolved lately, predecessors included
    told: Mapped[str | None]  # the change that people heard of last
    told_at: Mapped[datetime | None]
    told_severity: Mapped[str | None]
    told_count: Mapped[int] = mapped_column(server_default=text("0"))
    withheld: Mapped[str | None]  # why people are not told at present
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    acknowledgement: Mapped[str | None]
    body: Mapped[str] = mapped_column(server_default=text("''"))


class Silence(OpsBase):
    """Somebody's word that incidents of a kind are not to be told until a time, and why."""

    __tablename__ = "silence"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        CheckConstraint("reason <> ''", name="reason"),
        Index("silence_ends_at_idx", "ends_at"),
    )

    id: Mapped[CountedId]
    # Patterns with * and ?, as in file names.
    environment: Mapped[str]
    rule: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # taken back before its end
    ended_by: Mapped[str | None]


class Evaluation(OpsBase):
    """The last time that an environment's rules were asked.

    Without it nobody could tell "nothing is wrong" from "nobody looks".
    """

    __tablename__ = "evaluation"

    environment: Mapped[GivenId]
    evaluated_at: Mapped[datetime]
    unknown: Mapped[JsonArray]  # what could not be decided, and why
