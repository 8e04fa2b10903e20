"""What one collection leaves to the next."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import OpsBase


class CollectionMemory(OpsBase):
    """What the next collection of a family needs to know of the one before; one row for each.

    It is no history: each collection writes over what the one before left.
    """

    __tablename__ = "collection_memory"

    environment: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)
