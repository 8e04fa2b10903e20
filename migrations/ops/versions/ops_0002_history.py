"""History: packed samples in partitions, with texts, subjects and rollups.

Of the samples so far the newest collection of each environment is carried over, as it is. The
others are dropped: they took some 30 times the space, and end after `keep_samples_days` anyway.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

revision = "ops_0002"
down_revision = "ops_0001"
branch_labels = None
depends_on = None

_SCHEMA = "bounty_ops"
_PARTITIONED = ("collection", "sample", "sample_5min", "sample_hourly")


def upgrade() -> None:
    op.rename_table("collection", "old_collection", schema=_SCHEMA)
    op.rename_table("sample", "old_sample", schema=_SCHEMA)
    # Names of indexes and sequences are unique in their schema.
    op.execute("ALTER INDEX bounty_ops.collection_pkey RENAME TO old_collection_pkey")
    op.execute("ALTER INDEX bounty_ops.sample_pkey RENAME TO old_sample_pkey")
    op.execute("DROP INDEX bounty_ops.collection_environment_taken_at_idx")
    op.execute("ALTER SEQUENCE bounty_ops.collection_id_seq RENAME TO old_collection_id_seq")
    op.execute(sa.schema.CreateSequence(sa.Sequence("collection_id_seq", schema=_SCHEMA)))
    _create_dictionaries()
    _create_samples()
    for table in _PARTITIONED:
        op.execute(
            f"CREATE TABLE bounty_ops.{table}_default PARTITION OF bounty_ops.{table} DEFAULT"
        )
    _carry_over()
    op.drop_table("old_sample", schema=_SCHEMA)
    op.drop_table("old_collection", schema=_SCHEMA)


def downgrade() -> None:
    """Go back to the tables of before; what was collected since is lost."""
    for table in (*_PARTITIONED, "sample_rolled_day", "sample_text", "sample_subject"):
        op.drop_table(table, schema=_SCHEMA)
    op.drop_table("sample_page", schema=_SCHEMA)
    op.execute("DROP SEQUENCE bounty_ops.collection_id_seq")
    _create_as_before()


def _create_dictionaries() -> None:
    op.create_table(
        "sample_page",
        _number(),
        _text("environment"),
        _text("shelf"),
        sa.PrimaryKeyConstraint("id", name="sample_page_pkey"),
        schema=_SCHEMA,
    )
    op.create_index(
        "sample_page_environment_shelf_idx", "sample_page", ["environment", "shelf"], schema=_SCHEMA
    )
    op.create_table(
        "sample_subject",
        _number(),
        sa.Column("page_id", sa.Integer, nullable=False),
        sa.Column("seen_on", sa.Date, nullable=False),
        sa.Column("slot", sa.SmallInteger, nullable=False),
        _text("environment"),
        _text("family"),
        _text("list"),
        _text("name"),
        sa.PrimaryKeyConstraint("id", name="sample_subject_pkey"),
        sa.UniqueConstraint(
            "environment", "family", "list", "name", name="sample_subject_environment_name_key"
        ),
        sa.UniqueConstraint("page_id", "slot", name="sample_subject_page_id_slot_key"),
        sa.ForeignKeyConstraint(
            ["page_id"], [f"{_SCHEMA}.sample_page.id"], name="sample_subject_page_id_fkey"
        ),
        schema=_SCHEMA,
    )
    op.create_table(
        "sample_text",
        _number(),
        sa.Column("used_on", sa.Date, nullable=False),
        sa.Column("lasting", sa.Boolean, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _text("body"),
        sa.PrimaryKeyConstraint("id", name="sample_text_pkey"),
        sa.UniqueConstraint("digest", name="sample_text_digest_key"),
        schema=_SCHEMA,
    )
    op.create_table(
        "sample_rolled_day",
        sa.Column("day", sa.Date, nullable=False),
        _time("rolled_at"),
        sa.PrimaryKeyConstraint("day", name="sample_rolled_day_pkey"),
        schema=_SCHEMA,
    )


def _create_samples() -> None:
    op.create_table(
        "collection",
        _time("taken_at"),
        sa.Column(
            "id",
            sa.BigInteger,
            server_default=sa.text("nextval('bounty_ops.collection_id_seq')"),
            nullable=False,
        ),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("families_id", sa.Integer, nullable=False),
        sa.Column("unknown_id", sa.Integer, nullable=False),
        _text("environment"),
        sa.Column("details", JSON, nullable=True),
        sa.PrimaryKeyConstraint("taken_at", "id", name="collection_pkey"),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (taken_at)",
    )
    op.create_index(
        "collection_environment_taken_at_idx",
        "collection",
        ["environment", sa.desc("taken_at"), sa.desc("id")],
        schema=_SCHEMA,
    )
    op.create_table(
        "sample",
        sa.Column("page_id", sa.Integer, nullable=False),
        sa.Column("collection_id", sa.BigInteger, nullable=False),
        _time("taken_at"),
        sa.Column("is_key", sa.Boolean, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("page_id", "collection_id", "taken_at", name="sample_pkey"),
        schema=_SCHEMA,
        postgresql_partition_by="RANGE (taken_at)",
    )
    for name in ("sample_5min", "sample_hourly"):
        op.create_table(
            name,
            sa.Column("subject_id", sa.Integer, nullable=False),
            _time("starts_at"),
            sa.Column("body", sa.LargeBinary, nullable=False),
            sa.PrimaryKeyConstraint("subject_id", "starts_at", name=f"{name}_pkey"),
            schema=_SCHEMA,
            postgresql_partition_by="RANGE (starts_at)",
        )


def _carry_over() -> None:
    """The newest collection of each environment, whole, in the form that history reads."""
    op.execute(
        """
        CREATE TEMPORARY TABLE carried ON COMMIT DROP AS
        SELECT c.id, c.environment, c.taken_at, c.seconds, c.unknown::text AS unknown,
               (SELECT coalesce(json_object_agg(family, entries), '{}')
                FROM (SELECT s.family,
                             json_agg(json_build_array(s.subject, s.measures) ORDER BY s.ctid)
                                 AS entries
                      FROM bounty_ops.old_sample AS s
                      WHERE s.collection_id = c.id
                      GROUP BY s.family) AS families) AS entries
        FROM (SELECT DISTINCT ON (environment) *
              FROM bounty_ops.old_collection
              ORDER BY environment, taken_at DESC, id DESC) AS c
        """
    )
    op.execute(
        """
        INSERT INTO bounty_ops.sample_text (used_on, lasting, digest, body)
        SELECT DISTINCT current_date, false, substr(sha256(convert_to(body, 'UTF8')), 1, 16), body
        FROM (SELECT '{}' AS body FROM carried UNION SELECT unknown FROM carried) AS bodies
        """
    )
    op.execute(
        """
        INSERT INTO bounty_ops.collection
               (taken_at, id, seconds, families_id, unknown_id, environment, details)
        SELECT c.taken_at, c.id, c.seconds, f.id, u.id, c.environment,
               json_build_object('entries', c.entries)
        FROM carried AS c
        JOIN bounty_ops.sample_text AS f ON f.body = '{}'
        JOIN bounty_ops.sample_text AS u ON u.body = c.unknown
        """
    )
    op.execute(
        """
        SELECT setval('bounty_ops.collection_id_seq', max(id))
        FROM bounty_ops.old_collection HAVING max(id) IS NOT NULL
        """
    )
    op.execute("DROP TABLE carried")


def _create_as_before() -> None:
    op.create_table(
        "collection",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _text("environment"),
        _time("taken_at"),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("unknown", JSONB, server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="collection_pkey"),
        schema=_SCHEMA,
    )
    op.create_index(
        "collection_environment_taken_at_idx",
        "collection",
        ["environment", sa.desc("taken_at")],
        schema=_SCHEMA,
    )
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


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, sa.Identity(always=True), nullable=False)
