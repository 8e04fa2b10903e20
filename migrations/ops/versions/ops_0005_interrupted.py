"""Attempts whose end nobody knows, told from those that a channel refused."""

import sqlalchemy as sa
from alembic import op

revision = "ops_0005"
down_revision = "ops_0004"
branch_labels = None
depends_on = None

_SCHEMA = "bounty_ops"


def upgrade() -> None:
    op.add_column(
        "notification_delivery",
        sa.Column("interrupted", sa.Integer, nullable=False, server_default=sa.text("0")),
        schema=_SCHEMA,
    )


def downgrade() -> None:
    op.drop_column("notification_delivery", "interrupted", schema=_SCHEMA)
