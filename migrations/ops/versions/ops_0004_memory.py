"""What a collection of one family needs to know of the one before."""

import sqlalchemy as sa
from alembic import op

revision = "ops_0004"
down_revision = "ops_0003"
branch_labels = None
depends_on = None

_SCHEMA = "bounty_ops"


def upgrade() -> None:
    op.create_table(
        "collection_memory",
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("environment", "family", name=op.f("collection_memory_pkey")),
        schema=_SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("collection_memory", schema=_SCHEMA)
