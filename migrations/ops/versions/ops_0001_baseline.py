"""Baseline: the catalogue, samples, incidents and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "ops_0001"
down_revision = None
branch_labels = None
depends_on = None

_SCHEMA = "bounty_ops"
_TABLES = (
    "notification",
    "incident",
    "sample",
    "collection",
    "migration_record",
    "verification",
    "backup",
)


def upgrade() -> None:
    _create_catalogue()
    _create_samples()
    _create_incidents()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table, schema=_SCHEMA)


def _create_catalogue() -> None:
    op.create_table(
        "backup",
        _text("id"),
        _text("environment"),
        _time("taken_at"),
        _time("finished_at"),
        _text("bucket"),
        _text("key"),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        _text("sha256"),
        _text("server_version"),
        sa.Column("revision", sa.Text, nullable=True),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("manifest", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="backup_pkey"),
        schema=_SCHEMA,
    )
    _index_by_age("backup", "environment", "taken_at")
    op.create_table(
        "verification",
        _text("id"),
        _text("backup_id"),
        _text("environment"),
        _text("verdict"),
        _time("verified_at"),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("differences", JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("proof", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name="verification_pkey"),
        schema=_SCHEMA,
    )
    _index_by_age("verification", "backup_id", "verified_at")
    op.create_table(
        "migration_record",
        _text("id"),
        _text("environment"),
        sa.Column("from_revision", sa.Text, nullable=True),
        sa.Column("to_revision", sa.Text, nullable=True),
        _text("digest"),
        _text("operator"),
        _time("started_at"),
        _time("finished_at"),
        _text("outcome"),
        sa.Column("detail", JSONB, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="migration_record_pkey"),
        schema=_SCHEMA,
    )
    _index_by_age("migration_record", "environment", "started_at")


def _create_samples() -> None:
    op.create_table(
        "collection",
        _number(),
        _text("environment"),
        _time("taken_at"),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("unknown", JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="collection_pkey"),
        schema=_SCHEMA,
    )
    _index_by_age("collection", "environment", "taken_at")
    op.create_table(
        "sample",
        sa.Column("collection_id", sa.BigInteger, nullable=False),
        _text("family"),
        _text("subject"),
        sa.Column("measures", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", "family", "subject", name="sample_pkey"),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            [f"{_SCHEMA}.collection.id"],
            name="sample_collection_id_fkey",
            ondelete="CASCADE",
        ),
        schema=_SCHEMA,
    )


def _create_incidents() -> None:
    op.create_table(
        "incident",
        _number(),
        _text("environment"),
        _text("rule"),
        _text("subject"),
        _text("severity"),
        _text("state"),
        _time("opened_at"),
        _time("last_seen_at"),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        _text("message"),
        sa.Column("evidence", JSONB, server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="incident_pkey"),
        sa.CheckConstraint("state IN ('firing', 'resolved')", name=op.f("incident_state_check")),
        schema=_SCHEMA,
    )
    op.create_index(
        "incident_open_idx",
        "incident",
        ["environment", "rule", "subject"],
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    _index_by_age("incident", "environment", "opened_at")
    op.create_table(
        "notification",
        _number(),
        sa.Column("incident_id", sa.BigInteger, nullable=False),
        _text("change"),
        _text("title"),
        _text("body"),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_to", JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("attempts", sa.Integer, server_default=sa.text("0"), nullable=False),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="notification_pkey"),
        sa.CheckConstraint(
            "change IN ('firing', 'resolved')", name=op.f("notification_change_check")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            [f"{_SCHEMA}.incident.id"],
            name="notification_incident_id_fkey",
            ondelete="CASCADE",
        ),
        schema=_SCHEMA,
    )
    op.create_index("notification_incident_id_idx", "notification", ["incident_id"], schema=_SCHEMA)
    op.create_index(
        "notification_undelivered_idx",
        "notification",
        ["created_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("delivered_at IS NULL"),
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _index_by_age(table: str, subject: str, time: str) -> None:
    op.create_index(
        f"{table}_{subject}_{time}_idx", table, [subject, sa.desc(time)], schema=_SCHEMA
    )
