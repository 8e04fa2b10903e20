"""The states in which a database that Drizzle made can be found."""

from __future__ import annotations

from bounty_ops.migrating.lineage import BOUNTY

#: Drizzle's journal, as `drizzle-kit migrate` leaves it.
JOURNAL = """
    CREATE SCHEMA drizzle;
    CREATE TABLE drizzle.__drizzle_migrations (
        id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint);
    INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
        VALUES ('a1b2c3', 1735689600000);
"""
_ROWS = """
    INSERT INTO "user" (id, name, email) VALUES ('u1', 'One', 'one@example.org'),
        ('u2', 'Two', 'two@example.org');
    INSERT INTO bounty (id, title, description, amount, created_by_id)
        VALUES ('b1', 'First', 'What to do', 100, 'u1'), ('b2', 'Second', 'What else', 5, 'u2');
"""
#: `drizzle-kit push` adds what is missing at the end, so columns stand in another order.
_OTHER_ORDER = """
    ALTER TABLE bounty DROP description; ALTER TABLE bounty ADD description text NOT NULL;
    ALTER TABLE waitlist DROP ip_address; ALTER TABLE waitlist ADD ip_address text;
"""
#: What was committed lacks 13 of the 37 tables and some columns, and has some that were given up.
_OLDER = """
    DROP TABLE admin_events, bounty_links, cancellation_request, feature_vote, invitation,
        linear_account, member, moderation_flags, oauth_state, onboarding_coupon,
        onboarding_state, organization, rate_limit CASCADE;
    DROP TYPE admin_event_type, admin_event_target_type, cancellation_request_status,
        feature_type, moderation_content_type, moderation_status, org_invitation_status,
        org_member_role;
    CREATE TYPE old_kind AS ENUM ('a', 'b');
    ALTER TABLE bounty DROP organization_id, ADD old_kind old_kind DEFAULT 'a' NOT NULL;
    ALTER TABLE "user" DROP stripe_connect_onboarding_complete, DROP card_background;
    ALTER TABLE waitlist ADD old_note text;
    ALTER TYPE bounty_status RENAME TO given_up;
    CREATE TYPE bounty_status AS ENUM ('draft', 'open', 'in_progress', 'completed');
    ALTER TABLE bounty ALTER status DROP DEFAULT,
        ALTER status TYPE bounty_status USING status::text::bounty_status,
        ALTER status SET DEFAULT 'draft';
    DROP TYPE given_up;
"""
_BY_HAND = """
    CREATE INDEX by_hand_idx ON bounty (title);
    ALTER TABLE bounty ALTER title DROP NOT NULL;
    ALTER TABLE waitlist ALTER email TYPE varchar(200);
    CREATE VIEW by_hand AS SELECT email FROM waitlist;
    ALTER TABLE payout RENAME CONSTRAINT payout_user_id_user_id_fk TO by_hand_fk;
    CREATE FUNCTION by_hand() RETURNS int LANGUAGE sql AS 'SELECT 1';
    DROP INDEX payout_bounty_id_idx;
"""


def baseline() -> str:
    """The DDL of the 37 tables."""
    folder = BOUNTY.directory() / "versions"
    return (folder / "bounty_0001_baseline.sql").read_text("utf-8")


_REQUIRED = """
    ALTER TABLE bounty DROP description;
    ALTER TABLE waitlist ADD given_up text, ALTER email TYPE varchar(100);
"""

#: name -> the SQL that makes it
EQUAL = {
    "pushed": _OTHER_ORDER + _ROWS,
    "pushed and migrated": JOURNAL + _OTHER_ORDER + _ROWS,
    "migrated": JOURNAL + _ROWS,
}
UNEQUAL = {
    "committed only": JOURNAL + _ROWS + _OLDER,
    "edited a little": _ROWS + "ALTER TABLE bounty ALTER title DROP NOT NULL",
    "without a required column": _ROWS + _REQUIRED,
    "edited by hand": _OTHER_ORDER + _ROWS + _BY_HAND,
}
#: What rows get in required columns that are missing.
FILLS = {"without a required column": {"bounty.description": "'nothing said'"}}
