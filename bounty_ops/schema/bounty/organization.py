"""Organizations, their members and invitations to them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GivenId, postgres_enum


class OrgInvitationStatus(StrEnum):
    """What became of an invitation to an organization."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"


class OrgMemberRole(StrEnum):
    """A member's role. No column uses this type: ``member.role`` is plain text."""

    OWNER = "owner"
    MEMBER = "member"


ORG_INVITATION_STATUS = postgres_enum(OrgInvitationStatus, "org_invitation_status")
ORG_MEMBER_ROLE = postgres_enum(OrgMemberRole, "org_member_role")


class Invitation(Base):
    """An invitation to join an organization, sent by e-mail."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("invitation_org_id_idx", "organization_id"),
        Index("invitation_email_idx", "email"),
    )

    id: Mapped[GivenId]
    email: Mapped[str]
    inviter_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(server_default="member")  # owner or member
    status: Mapped[OrgInvitationStatus] = mapped_column(
        ORG_INVITATION_STATUS, server_default="pending"
    )
    expires_at: Mapped[datetime]
    created_at: Mapped[DefaultsToNow]


class Member(Base):
    """A user's membership of an organization."""

    __tablename__ = "member"
    __table_args__ = (
        Index("member_org_user_idx", "organization_id", "user_id", unique=True),
        Index("member_user_id_idx", "user_id"),
        Index("member_org_id_idx", "organization_id"),
    )

    id: Mapped[GivenId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(server_default="member")  # owner or member
    created_at: Mapped[DefaultsToNow]


class Organization(Base):
    """A team, or the personal space of one user."""

    __tablename__ = "organization"
    __table_args__ = (Index("organization_slug_idx", "slug"),)

    id: Mapped[GivenId]
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    logo: Mapped[str | None]
    metadata_: Mapped[str | None] = mapped_column("metadata")  # JSON, kept as text
    is_personal: Mapped[Flag]
    stripe_customer_id: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
