"""WebAuthn credentials; the library that owns this table names its columns in camelCase."""

from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, GivenId


class Passkey(Base):
    """A WebAuthn credential of a user."""

    __tablename__ = "passkey"

    id: Mapped[GivenId]
    name: Mapped[str | None]
    public_key: Mapped[str] = mapped_column("publicKey")
    user_id: Mapped[str] = mapped_column("userId", ForeignKey("user.id", ondelete="CASCADE"))
    credential_id: Mapped[str] = mapped_column("credentialID")
    counter: Mapped[int]
    device_type: Mapped[str] = mapped_column("deviceType")
    backed_up: Mapped[bool] = mapped_column("backedUp")
    transports: Mapped[str]
    created_at: Mapped[datetime] = mapped_column("createdAt", server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column("updatedAt", server_default=func.now())
    aaguid: Mapped[str | None]
