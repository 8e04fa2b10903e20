"""Ways in which a database can differ from Bounty's, each with the fact that must name it."""

from __future__ import annotations

MUTATIONS: tuple[tuple[str, str], ...] = (
    ("index public.payout_bounty_id_idx valid", "DROP INDEX payout_bounty_id_idx"),
    (
        "index public.payout_bounty_id_idx entries",
        """
        DROP INDEX payout_bounty_id_idx;
        CREATE INDEX payout_bounty_id_idx ON payout (bounty_id DESC)
        """,
    ),
    (
        "index public.payout_bounty_id_idx entries",
        """
        DROP INDEX payout_bounty_id_idx;
        CREATE INDEX payout_bounty_id_idx ON payout (bounty_id text_pattern_ops)
        """,
    ),
    (
        "index public.payout_bounty_id_idx method",
        """
        DROP INDEX payout_bounty_id_idx;
        CREATE INDEX payout_bounty_id_idx ON payout USING hash (bounty_id)
        """,
    ),
    (
        "index public.payout_bounty_id_idx predicate",
        """
        DROP INDEX payout_bounty_id_idx;
        CREATE INDEX payout_bounty_id_idx ON payout (bounty_id) WHERE amount > 0
        """,
    ),
    (
        "index public.payout_bounty_id_idx entries",
        """
        DROP INDEX payout_bounty_id_idx;
        CREATE INDEX payout_bounty_id_idx ON payout (bounty_id) INCLUDE (amount)
        """,
    ),
    (
        "index public.member_org_user_idx unique",
        """
        DROP INDEX member_org_user_idx;
        CREATE INDEX member_org_user_idx ON member (organization_id, user_id)
        """,
    ),
    ("index public.extra_idx table", "CREATE INDEX extra_idx ON bounty (title)"),
    (
        "column public.bounty.currency default",
        "ALTER TABLE bounty ALTER currency SET DEFAULT 'EUR'",
    ),
    ("column public.bounty.currency default", "ALTER TABLE bounty ALTER currency DROP DEFAULT"),
    ("column public.bounty.title nullable", "ALTER TABLE bounty ALTER title DROP NOT NULL"),
    ("column public.bounty.amount type", "ALTER TABLE bounty ALTER amount TYPE numeric(16, 2)"),
    (
        "column public.session.expires_at type",
        "ALTER TABLE session ALTER expires_at TYPE timestamptz",
    ),
    (
        "column public.invite.email collation",
        'ALTER TABLE invite ALTER email TYPE text COLLATE "C"',
    ),
    (
        "column public.passkey.publicKey type",
        'ALTER TABLE passkey RENAME "publicKey" TO public_key',
    ),
    (
        "column public.invite.used_at position",
        """
        ALTER TABLE invite DROP used_at;
        ALTER TABLE invite ADD used_at timestamp
        """,
    ),
    (
        "constraint public.payout.payout_user_id_user_id_fk kind",
        """
        ALTER TABLE payout RENAME CONSTRAINT payout_user_id_user_id_fk TO payout_user_id_fkey
        """,
    ),
    (
        "constraint public.payout.payout_user_id_user_id_fk on delete",
        """
        ALTER TABLE payout DROP CONSTRAINT payout_user_id_user_id_fk,
            ADD CONSTRAINT payout_user_id_user_id_fk FOREIGN KEY (user_id)
            REFERENCES "user" (id) ON DELETE SET NULL
        """,
    ),
    (
        "constraint public.payout.payout_user_id_user_id_fk on update",
        """
        ALTER TABLE payout DROP CONSTRAINT payout_user_id_user_id_fk,
            ADD CONSTRAINT payout_user_id_user_id_fk FOREIGN KEY (user_id)
            REFERENCES "user" (id) ON DELETE CASCADE ON UPDATE CASCADE
        """,
    ),
    (
        "constraint public.payout.payout_user_id_user_id_fk deferrable",
        "ALTER TABLE payout ALTER CONSTRAINT payout_user_id_user_id_fk DEFERRABLE",
    ),
    (
        "constraint public.payout.positive expression",
        "ALTER TABLE payout ADD CONSTRAINT positive CHECK (amount > 0)",
    ),
    (
        "constraint public.user.user_handle_unique kind",
        'ALTER TABLE "user" DROP CONSTRAINT user_handle_unique',
    ),
    (
        "enum public.bounty_status labels",
        """
        ALTER TYPE bounty_status RENAME VALUE 'draft' TO 'x';
        ALTER TYPE bounty_status RENAME VALUE 'open' TO 'draft';
        ALTER TYPE bounty_status RENAME VALUE 'x' TO 'open'
        """,
    ),
    (
        "enum public.payout_status labels",
        "ALTER TYPE payout_status ADD VALUE 'lost' BEFORE 'failed'",
    ),
    ("enum public.org_member_role labels", "DROP TYPE org_member_role"),
    ("relation public.passkey kind", "DROP TABLE passkey"),
    ("relation public.waitlist persistence", "ALTER TABLE waitlist SET UNLOGGED"),
    ("relation public.waitlist options", "ALTER TABLE waitlist SET (fillfactor = 70)"),
    ("relation public.waitlist row security", "ALTER TABLE waitlist ENABLE ROW LEVEL SECURITY"),
    ("relation public.stray kind", "CREATE TABLE stray (id int)"),
    ("relation public.stray kind", "CREATE VIEW stray AS SELECT 1 AS one"),
    ("relation public.stray kind", "CREATE SEQUENCE stray"),
    ("schema stray there", "CREATE SCHEMA stray"),
    ("type public.stray kind", "CREATE DOMAIN stray AS text"),
    ("relation bounty_ops.stray kind", "CREATE TABLE bounty_ops.stray (id int)"),
    ("function stray() body", "CREATE FUNCTION stray() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    (
        "trigger bounty.stray definition",
        """
        CREATE TRIGGER stray BEFORE UPDATE ON bounty
            FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
        """,
    ),
    ("policy bounty.stray there", "CREATE POLICY stray ON bounty"),
    ("rule invite.stray definition", "CREATE RULE stray AS ON DELETE TO invite DO INSTEAD NOTHING"),
)
