"""Incidents that are pending, silenced, acknowledged or flapping; an outbox for each channel."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "ops_0003"
down_revision = "ops_0002"
branch_labels = None
depends_on = None

_SCHEMA = "bounty_ops"
_CHANGES = ("firing", "graver", "reminder", "flapping", "steady", "resolved", "test")


def upgrade() -> None:
    _widen_incident()
    _widen_notification()
    _create_delivery()
    _move_deliveries()
    _create_silence()
    _create_evaluation()


def downgrade() -> None:
    op.add_column("notification", _array("delivered_to"), schema=_SCHEMA)
    op.execute(
        "UPDATE bounty_ops.notification AS n SET delivered_to = d.prints FROM "
        "(SELECT notification_id, jsonb_agg(channel_fingerprint) AS prints "
        "FROM bounty_ops.notification_delivery WHERE state = 'delivered' "
        "GROUP BY notification_id) AS d WHERE d.notification_id = n.id"
    )
    for table in ("evaluation", "silence", "notification_delivery"):
        op.drop_table(table, schema=_SCHEMA)
    _narrow_notification()
    _narrow_incident()


def _widen_incident() -> None:
    op.drop_constraint(op.f("incident_state_check"), "incident", schema=_SCHEMA)
    _check("incident", "state", "state IN ('pending', 'firing', 'resolved')")
    _check("incident", "severity", "severity IN ('info', 'warning', 'critical')")
    for column in (
        _maybe_time("critical_since"),
        _maybe_time("fired_at"),
        _maybe_time("healthy_since"),
        sa.Column("cause_id", sa.BigInteger, nullable=True),
        _maybe_time("flapping_since"),
        _array("flips"),
        _maybe_text("told"),
        _maybe_time("told_at"),
        _maybe_text("told_severity"),
        _count("told_count"),
        _maybe_text("withheld"),
        _maybe_time("acknowledged_at"),
        _maybe_text("acknowledged_by"),
        _maybe_text("acknowledgement"),
        sa.Column("body", sa.Text, server_default=sa.text("''"), nullable=False),
    ):
        op.add_column("incident", column, schema=_SCHEMA)
    op.create_foreign_key(
        "incident_cause_id_fkey",
        "incident",
        "incident",
        ["cause_id"],
        ["id"],
        source_schema=_SCHEMA,
        referent_schema=_SCHEMA,
        ondelete="SET NULL",
    )
    op.create_index(
        "incident_environment_resolved_at_idx",
        "incident",
        ["environment", sa.desc("resolved_at")],
        schema=_SCHEMA,
        postgresql_where=sa.text("state = 'resolved'"),
    )
    # Until now an incident fired, and was told, when it was opened.
    op.execute(
        "UPDATE bounty_ops.incident SET fired_at = opened_at, told_at = opened_at, "
        "told_severity = severity, told_count = 1, "
        "told = CASE state WHEN 'resolved' THEN 'resolved' ELSE 'firing' END"
    )


def _narrow_incident() -> None:
    op.execute("DELETE FROM bounty_ops.incident WHERE state = 'pending' OR severity = 'info'")
    op.drop_index("incident_environment_resolved_at_idx", "incident", schema=_SCHEMA)
    op.drop_constraint("incident_cause_id_fkey", "incident", schema=_SCHEMA)
    for column in (
        "body", "acknowledgement", "acknowledged_by", "acknowledged_at", "withheld", "told_count",
        "told_severity", "told_at", "told", "flips", "flapping_since", "cause_id",
        "healthy_since", "fired_at", "critical_since",
    ):  # fmt: skip
        op.drop_column("incident", column, schema=_SCHEMA)
    op.drop_constraint(op.f("incident_severity_check"), "incident", schema=_SCHEMA)
    op.drop_constraint(op.f("incident_state_check"), "incident", schema=_SCHEMA)
    _check("incident", "state", "state IN ('firing', 'resolved')")


def _widen_notification() -> None:
    op.drop_constraint(op.f("notification_change_check"), "notification", schema=_SCHEMA)
    op.drop_index("notification_undelivered_idx", "notification", schema=_SCHEMA)
    for column in (
        _maybe_text("environment"),
        _maybe_text("severity"),
        _maybe_text("idempotency_key"),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        _maybe_time("dead_at"),
    ):
        op.add_column("notification", column, schema=_SCHEMA)
    op.execute(
        "UPDATE bounty_ops.notification AS n SET environment = i.environment, "
        "severity = i.severity, idempotency_key = 'notification-' || n.id "
        "FROM bounty_ops.incident AS i WHERE i.id = n.incident_id"
    )
    for name in ("environment", "severity", "idempotency_key"):
        op.alter_column("notification", name, nullable=False, schema=_SCHEMA)
    op.alter_column("notification", "incident_id", nullable=True, schema=_SCHEMA)
    _check("notification", "change", f"change IN ({', '.join(map(repr, _CHANGES))})")
    _check("notification", "incident_id", "incident_id IS NOT NULL OR change = 'test'")
    op.create_unique_constraint(
        "notification_idempotency_key_key", "notification", ["idempotency_key"], schema=_SCHEMA
    )
    op.create_index(
        "notification_waiting_idx",
        "notification",
        ["environment", "next_attempt_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("delivered_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "notification_dead_idx",
        "notification",
        ["dead_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("dead_at IS NOT NULL"),
    )


def _narrow_notification() -> None:
    op.execute("DELETE FROM bounty_ops.notification WHERE change NOT IN ('firing', 'resolved')")
    op.drop_index("notification_dead_idx", "notification", schema=_SCHEMA)
    op.drop_index("notification_waiting_idx", "notification", schema=_SCHEMA)
    op.drop_constraint("notification_idempotency_key_key", "notification", schema=_SCHEMA)
    op.drop_constraint(op.f("notification_incident_id_check"), "notification", schema=_SCHEMA)
    op.drop_constraint(op.f("notification_change_check"), "notification", schema=_SCHEMA)
    op.alter_column("notification", "incident_id", nullable=False, schema=_SCHEMA)
    for column in ("dead_at", "next_attempt_at", "idempotency_key", "severity", "environment"):
        op.drop_column("notification", column, schema=_SCHEMA)
    _check("notification", "change", "change IN ('firing', 'resolved')")
    op.create_index(
        "notification_undelivered_idx",
        "notification",
        ["created_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("delivered_at IS NULL"),
    )


def _create_delivery() -> None:
    op.create_table(
        "notification_delivery",
        sa.Column("notification_id", sa.BigInteger, nullable=False),
        _text("channel_fingerprint"),
        _text("channel"),
        _text("state"),
        _count("attempts"),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        _maybe_time("claimed_until"),
        _maybe_text("last_error"),
        _maybe_time("delivered_at"),
        _maybe_time("dead_at"),
        sa.PrimaryKeyConstraint(
            "notification_id", "channel_fingerprint", name="notification_delivery_pkey"
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'delivered', 'dead')",
            name=op.f("notification_delivery_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            [f"{_SCHEMA}.notification.id"],
            name="notification_delivery_notification_id_fkey",
            ondelete="CASCADE",
        ),
        schema=_SCHEMA,
    )
    op.create_index(
        "notification_delivery_waiting_idx",
        "notification_delivery",
        ["next_attempt_at"],
        schema=_SCHEMA,
        postgresql_where=sa.text("state IN ('waiting', 'sending')"),
    )


def _move_deliveries() -> None:
    """What a channel has already must not be sent to it again."""
    op.execute(
        "INSERT INTO bounty_ops.notification_delivery "
        "(notification_id, channel_fingerprint, channel, state, attempts, delivered_at) "
        "SELECT n.id, print, print, 'delivered', 1, coalesce(n.delivered_at, n.created_at) "
        "FROM bounty_ops.notification AS n, jsonb_array_elements_text(n.delivered_to) AS print "
        "GROUP BY n.id, print"
    )
    op.drop_column("notification", "delivered_to", schema=_SCHEMA)


def _create_silence() -> None:
    op.create_table(
        "silence",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _text("environment"),
        _text("rule"),
        _text("subject"),
        _text("reason"),
        _text("created_by"),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        _maybe_time("ended_at"),
        _maybe_text("ended_by"),
        sa.PrimaryKeyConstraint("id", name="silence_pkey"),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("silence_ends_at_check")),
        sa.CheckConstraint("reason <> ''", name=op.f("silence_reason_check")),
        schema=_SCHEMA,
    )
    op.create_index("silence_ends_at_idx", "silence", ["ends_at"], schema=_SCHEMA)


def _create_evaluation() -> None:
    op.create_table(
        "evaluation",
        _text("environment"),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        _array("unknown"),
        sa.PrimaryKeyConstraint("environment", name="evaluation_pkey"),
        schema=_SCHEMA,
    )


def _check(table: str, name: str, condition: str) -> None:
    op.create_check_constraint(op.f(f"{table}_{name}_check"), table, condition, schema=_SCHEMA)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _maybe_text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=True)


def _maybe_time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _array(name: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, server_default=sa.text("0"), nullable=False)
