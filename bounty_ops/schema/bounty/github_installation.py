"""Installations of the GitHub app."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GeneratedId


class GithubInstallation(Base):
    """An installation of Bounty's GitHub app on an account, with the repositories it sees."""

    __tablename__ = "github_installation"
    __table_args__ = (
        Index("github_installation_unique_idx", "github_installation_id", unique=True),
        Index("github_installation_account_id_idx", "github_account_id"),
    )

    id: Mapped[GeneratedId]
    github_installation_id: Mapped[int] = mapped_column(unique=True)
    github_account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE")
    )
    repository_ids: Mapped[list[str] | None]
    account_login: Mapped[str | None]
    account_type: Mapped[str | None]  # User or Organization
    account_avatar_url: Mapped[str | None]
    is_default: Mapped[Flag]
    suspended_at: Mapped[datetime | None]
    organization_id: Mapped[str | None]  # an organization.id, unenforced
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
