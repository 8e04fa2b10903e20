"""What monitoring measured."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, desc
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import CountedId, JsonArray, OpsBase


class Collection(OpsBase):
    """One round of measurements in one environment, and what could not be measured in it."""

    __tablename__ = "collection"
    __table_args__ = (
        Index("collection_environment_taken_at_idx", "environment", desc("taken_at")),
    )

    id: Mapped[CountedId]
    environment: Mapped[str]
    taken_at: Mapped[datetime]
    seconds: Mapped[float]
    unknown: Mapped[JsonArray]


class Sample(OpsBase):
    """What one collection measured about one subject, such as a table or a connection state."""

    __tablename__ = "sample"

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("bounty_ops.collection.id", ondelete="CASCADE"), primary_key=True
    )
    family: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    measures: Mapped[dict[str, Any]]
