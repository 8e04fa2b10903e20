"""Invitations to the site."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId


class Invite(Base):
    """A single-use invitation to the site; only the hash of its token is kept."""

    __tablename__ = "invite"

    id: Mapped[GeneratedId]
    email: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[DefaultsToNow]  # upstream's default makes an invite expire as it is made
    used_at: Mapped[datetime | None]
    created_at: Mapped[DefaultsToNow]
    used_by_user_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
