"""Money: movements and payouts."""

from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.bounty.base import Base, DefaultsToNow, GeneratedId, postgres_enum


class PayoutStatus(StrEnum):
    """How far a payout has come."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


class TransactionType(StrEnum):
    """Which way money moved, and why."""

    PAYMENT_INTENT = "payment_intent"
    TRANSFER = "transfer"
    REFUND = "refund"
    PAYOUT = "payout"


PAYOUT_STATUS = postgres_enum(PayoutStatus, "payout_status")
TRANSACTION_TYPE = postgres_enum(TransactionType, "transaction_type")


class Payout(Base):
    """Money on its way to a user for a bounty."""

    __tablename__ = "payout"
    __table_args__ = (
        Index("payout_user_id_idx", "user_id"),
        Index("payout_bounty_id_idx", "bounty_id"),
        Index("payout_stripe_transfer_id_idx", "stripe_transfer_id"),
    )

    id: Mapped[GeneratedId]
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    amount: Mapped[Decimal] = mapped_column(Numeric(15, 2))
    status: Mapped[PayoutStatus] = mapped_column(PAYOUT_STATUS, server_default="pending")
    stripe_transfer_id: Mapped[str | None]
    created_at: Mapped[DefaultsToNow]
    updated_at: Mapped[DefaultsToNow]


class Transaction(Base):
    """One movement of a bounty's money, as Stripe knows it."""

    __tablename__ = "transaction"
    __table_args__ = (
        Index("transaction_bounty_id_idx", "bounty_id"),
        Index("transaction_stripe_id_idx", "stripe_id"),
    )

    id: Mapped[GeneratedId]
    bounty_id: Mapped[str] = mapped_column(ForeignKey("bounty.id", ondelete="CASCADE"))
    type: Mapped[TransactionType] = mapped_column(TRANSACTION_TYPE)
    amount: Mapped[Decimal] = mapped_column(Numeric(15, 2))
    stripe_id: Mapped[str]
    created_at: Mapped[DefaultsToNow]
