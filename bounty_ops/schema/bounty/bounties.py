"""Bounties and everything people do with them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, Flag, GeneratedId, postgres_enum


class BountyStatus(StrEnum):
    """How far a bounty has come."""

    DRAFT = "draft"
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CancellationRequestStatus(StrEnum):
    """What became of the wish to cancel."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class PaymentStatus(StrEnum):
    """Where a bounty's money is."""

    PENDING = "pending"
    HELD = "held"
    RELEASED = "released"
    REFUNDED = "refunded"
    FAILED = "failed"


class SubmissionStatus(StrEnum):
    """What the review of a submission said."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVISION_REQUESTED = "revision_requested"


BOUNTY_STATUS = postgres_enum(BountyStatus, "bounty_status")
CANCELLATION_REQUEST_STATUS = postgres_enum(
    CancellationRequestStatus, "cancellation_request_status"
)
PAYMENT_STATUS = postgres_enum(PaymentStatus, "payment_status")
SUBMISSION_STATUS = postgres_enum(SubmissionStatus, "submission_status")


class Bounty(Base):
    """A paid task: what is to be done, for how much, and where its money stands."""

    __tablename__ = "bounty"
    __table_args__ = (Index("bounty_organization_id_idx", "organization_id"),)

    id: Mapped[GeneratedId]
    title: Mapped[str]
    description: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Numeric(15, 2))
    currency: Mapped[str] = mapped_column(server_default="USD")
    status: Mapped[BountyStatus] = mapped_column(BOUNTY_STATUS, server_default="draft")
    deadline: Mapped[datetime | None]
    tags: Mapped[list[str] | None]
    repository_url: Mapped[str | None]
    issue_url: Mapped[str | None]
    github_issue_number: Mapped[int | None]
    github_installation_id: Mapped[int | None]  # GitHub's number, not a row id
    github_repo_owner: Mapped[str | None]
    github_repo_name: Mapped[str | None]
    github_comment_id: Mapped[int | None] = mapped_column(BigInteger)
    linear_issue_id: Mapped[str | None] = mapped_column(unique=True)
    linear_issue_identifier: Mapped[str | None]
    linear_issue_url: Mapped[str | None]
    linear_account_id: Mapped[str | None]  # a linear_account.id, unenforced
    linear_comment_id: Mapped[str | None]
    submission_keyword: Mapped[str | None] = mapped_column(server_default="@bountydotnew submit")
    organization_id: Mapped[str | None] = mapped_column(
        ForeignKey("organization.id", ondelete="CASCADE")
    )
    created_by_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    assigned_to_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    is_featured: Mapped[Flag]
    is_hidden: Mapped[Flag]
    stripe_payment_intent_id: Mapped[str | None]
    stripe_checkout_session_id: Mapped[str | None]
    stripe_transfer_id: Mapped[str | None]
    payment_status: Mapped[PaymentStatus | None] = mapped_column(
        PAYMENT_STATUS, server_default="pending"
    )
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class BountyApplication(Base):
    """A user's request to be the one who works on a bounty."""

    __tablename__ = "bounty_application"

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    applicant_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    message: Mapped[str]
    is_accepted: Mapped[Flag | None]
    applied_at: Mapped[DefaultsToNow]
    responded_at: Mapped[datetime | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class BountyBookmark(Base):
    """A bounty that a user keeps for later."""

    __tablename__ = "bounty_bookmark"
    __table_args__ = (
        Index("bounty_bookmark_unique_idx", "bounty_id", "user_id", unique=True),
        Index("bounty_bookmark_bounty_id_idx", "bounty_id"),
        Index("bounty_bookmark_user_id_idx", "user_id"),
    )

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[DefaultsToNow]


class BountyComment(Base):
    """A comment on a bounty, or an answer to another comment."""

    __tablename__ = "bounty_comment"
    __table_args__ = (
        Index("bounty_comment_bounty_id_idx", "bounty_id"),
        Index("bounty_comment_user_id_idx", "user_id"),
        Index("bounty_comment_parent_id_idx", "parent_id"),
    )

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("bounty_comment.id", ondelete="CASCADE")
    )
    content: Mapped[str]
    original_content: Mapped[str | None]
    edit_count: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class BountyCommentLike(Base):
    """A user's approval of a comment."""

    __tablename__ = "bounty_comment_like"
    __table_args__ = (
        Index("bounty_comment_like_unique_idx", "comment_id", "user_id", unique=True),
        Index("bounty_comment_like_comment_id_idx", "comment_id"),
        Index("bounty_comment_like_user_id_idx", "user_id"),
    )

    id: Mapped[GeneratedId]
    comment_id: Mapped[str] = mapped_column(ForeignKey("bounty_comment.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[DefaultsToNow]


class BountyVote(Base):
    """A user's vote for a bounty."""

    __tablename__ = "bounty_vote"
    __table_args__ = (
        Index("bounty_vote_unique_idx", "bounty_id", "user_id", unique=True),
        Index("bounty_vote_bounty_id_idx", "bounty_id"),
        Index("bounty_vote_user_id_idx", "user_id"),
    )

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    created_at: Mapped[DefaultsToNow]


class BountyLink(Base):
    """A link found in a bounty's description, taken apart for display."""

    __tablename__ = "bounty_links"
    __table_args__ = (Index("bounty_links_bounty_id_idx", "bounty_id"),)

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    url: Mapped[str]
    domain: Mapped[str]
    display_text: Mapped[str]
    is_github: Mapped[Flag]
    github_owner: Mapped[str | None]
    github_repo: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class CancellationRequest(Base):
    """The wish to withdraw a bounty, and what was decided about the money."""

    __tablename__ = "cancellation_request"
    __table_args__ = (
        Index("cancellation_request_bounty_id_idx", "bounty_id"),
        Index("cancellation_request_status_idx", "status"),
    )

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    requested_by_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    reason: Mapped[str | None]
    status: Mapped[CancellationRequestStatus] = mapped_column(
        CANCELLATION_REQUEST_STATUS, server_default="pending"
    )
    processed_by_id: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    processed_at: Mapped[datetime | None]
    refund_amount: Mapped[Decimal | None] = mapped_column(Numeric(15, 2))
    created_at: Mapped[DefaultsToNow]


class Submission(Base):
    """Work handed in for a bounty, usually a pull request, and its review."""

    __tablename__ = "submission"

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    contributor_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    description: Mapped[str]
    deliverable_url: Mapped[str]
    pull_request_url: Mapped[str | None]
    github_pull_request_number: Mapped[int | None]
    github_pull_request_id: Mapped[int | None] = mapped_column(BigInteger)
    github_comment_id: Mapped[int | None] = mapped_column(BigInteger)
    github_username: Mapped[str | None]
    github_head_sha: Mapped[str | None]
    pull_request_title: Mapped[str | None]
    status: Mapped[SubmissionStatus] = mapped_column(SUBMISSION_STATUS, server_default="pending")
    review_notes: Mapped[str | None]
    submitted_at: Mapped[DefaultsToNow]
    reviewed_at: Mapped[datetime | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]
