"""Connected Linear workspaces."""

from sqlalchemy import ForeignKey, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId


class LinearAccount(Base):
    """A Linear workspace that a user connected through an account."""

    __tablename__ = "linear_account"
    __table_args__ = (
        Index("linear_account_workspace_idx", "account_id", "linear_workspace_id", unique=True),
        Index("linear_account_user_idx", "linear_user_id"),
        Index("linear_account_workspace_id_idx", "linear_workspace_id"),
    )

    id: Mapped[GeneratedId]
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    linear_user_id: Mapped[str]
    linear_workspace_id: Mapped[str]
    linear_workspace_name: Mapped[str]
    linear_workspace_url: Mapped[str | None]
    linear_workspace_key: Mapped[str | None]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    organization_id: Mapped[str | None]  # an organization.id, unenforced
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
