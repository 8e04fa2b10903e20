"""The catalogue: an index of the records in the bucket, which remain the truth.

Nothing here refers to anything by foreign key. A proof may be indexed before its backup, and a
catalogue that was lost is rebuilt from the bucket in any order.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, desc
from sqlalchemy.orm import Mapped, mapped_column

from bounty_ops.schema.ops.base import GivenId, JsonArray, JsonObject, OpsBase


class Backup(OpsBase):
    """A backup whose manifest is in the bucket."""

    __tablename__ = "backup"
    __table_args__ = (Index("backup_environment_taken_at_idx", "environment", desc("taken_at")),)

    id: Mapped[GivenId]
    environment: Mapped[str]
    taken_at: Mapped[datetime]  # the moment its content is from, not the moment it was finished
    finished_at: Mapped[datetime]
    bucket: Mapped[str]
    key: Mapped[str]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    server_version: Mapped[str]
    revision: Mapped[str | None]
    rows: Mapped[int] = mapped_column(BigInteger)
    manifest: Mapped[dict[str, Any]]


class Verification(OpsBase):
    """One attempt to prove a backup by restoring it."""

    __tablename__ = "verification"
    __table_args__ = (
        Index("verification_backup_id_verified_at_idx", "backup_id", desc("verified_at")),
    )

    id: Mapped[GivenId]
    backup_id: Mapped[str]  # no foreign key: see the module
    environment: Mapped[str]
    verdict: Mapped[str]
    verified_at: Mapped[datetime]
    seconds: Mapped[float]
    differences: Mapped[JsonArray]
    proof: Mapped[dict[str, Any]]


class MigrationRecord(OpsBase):
    """One attempt to bring an environment's database to a revision."""

    __tablename__ = "migration_record"
    __table_args__ = (
        Index("migration_record_environment_started_at_idx", "environment", desc("started_at")),
    )

    id: Mapped[GivenId]
    environment: Mapped[str]
    from_revision: Mapped[str | None]
    to_revision: Mapped[str | None]
    digest: Mapped[str]
    operator: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    outcome: Mapped[str]
    detail: Mapped[JsonObject]
