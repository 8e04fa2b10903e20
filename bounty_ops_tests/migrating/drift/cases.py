"""Drifts made by hand: what somebody did to a database, and what a comparison has to say of it.

Each names the kind and the object of every difference that it makes, no more and no less.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One drift."""

    name: str
    done: str
    """The SQL that somebody ran."""
    said: frozenset[str]
    """``kind object`` of each difference."""
    first_major: int = 14


def _case(name: str, done: str, *said: str, first_major: int = 14) -> Case:
    return Case(name, done, frozenset(said), first_major)


CASES = (
    # Tables and columns
    _case("table gone", "DROP TABLE scratch", "table scratch"),
    _case(
        "table with a foreign key gone",
        "DROP TABLE passkey",
        "table passkey",
        "constraint passkey.passkey_userId_user_id_fk",
    ),
    _case("table added", "CREATE TABLE stray (id serial PRIMARY KEY, x int UNIQUE)", "table stray"),
    _case(
        "two tables added that refer to each other",
        """
        CREATE TABLE stray (id int PRIMARY KEY);
        CREATE TABLE other (id int PRIMARY KEY REFERENCES stray);
        ALTER TABLE stray ADD FOREIGN KEY (id) REFERENCES other
        """,
        "table stray",
        "table other",
    ),
    _case(
        "table added that a foreign key of ours refers to",
        "CREATE TABLE stray (id text PRIMARY KEY);"
        "ALTER TABLE waitlist ADD CONSTRAINT stray_fk FOREIGN KEY (id) REFERENCES stray",
        "table stray",
        "constraint waitlist.stray_fk",
    ),
    _case("column gone", "ALTER TABLE bounty DROP description", "column bounty.description"),
    _case("column added", "ALTER TABLE bounty ADD stray text", "column bounty.stray"),
    _case(
        "serial column added",
        "ALTER TABLE waitlist ADD stray serial",
        "column waitlist.stray",
    ),
    _case(
        "column renamed",
        "ALTER TABLE bounty RENAME description TO text",
        "column bounty.description",
        "column bounty.text",
    ),
    _case(
        "column order",
        "ALTER TABLE event DROP note; ALTER TABLE event ADD note text;"
        "CREATE INDEX event_note_idx ON event (note)",
    ),
    _case(
        "column more precise",
        "ALTER TABLE bounty ALTER amount TYPE numeric(18, 4)",
        "column_type bounty.amount",
    ),
    _case(
        "column of another type below a materialized view",
        """
        DROP MATERIALIZED VIEW totals;
        ALTER TABLE payout ALTER amount TYPE double precision;
        CREATE MATERIALIZED VIEW totals AS
            SELECT user_id, sum(amount) AS total FROM payout GROUP BY user_id;
        CREATE UNIQUE INDEX totals_user_idx ON totals (user_id)
        """,
        "column_type payout.amount",
    ),
    _case(
        "primary key and foreign keys of another type",
        """
        ALTER TABLE gadget_part DROP CONSTRAINT gadget_part_gadget_id_fkey;
        ALTER TABLE gadget_part ALTER gadget_id TYPE text;
        """,
        "column_type gadget_part.gadget_id",
        "constraint gadget_part.gadget_part_gadget_id_fkey",
    ),
    _case(
        "time zone",
        "ALTER TABLE session ALTER expires_at TYPE timestamptz",
        "column_type session.expires_at",
    ),
    _case(
        "enum column made text",
        """
        ALTER TABLE submission ALTER status DROP DEFAULT;
        ALTER TABLE submission ALTER status TYPE text;
        ALTER TABLE submission ALTER status SET DEFAULT 'pending'
        """,
        "column_type submission.status",
        "default submission.status",
    ),
    _case(
        "collation of a column",
        'ALTER TABLE invite ALTER email TYPE text COLLATE "C"',
        "collation invite.email",
    ),
    _case("not null gone", "ALTER TABLE bounty ALTER title DROP NOT NULL", "not_null bounty.title"),
    _case(
        "not null added",
        "ALTER TABLE bounty ALTER deadline SET NOT NULL",
        "not_null bounty.deadline",
    ),
    _case(
        "not null, not valid",
        """
        ALTER TABLE bounty ALTER title DROP NOT NULL;
        ALTER TABLE bounty ADD CONSTRAINT stray NOT NULL title NOT VALID
        """,
        "not_null bounty.title",
        first_major=18,
    ),
    _case(
        "default changed",
        "ALTER TABLE bounty ALTER currency SET DEFAULT 'EUR'",
        "default bounty.currency",
    ),
    _case(
        "default gone", "ALTER TABLE bounty ALTER currency DROP DEFAULT", "default bounty.currency"
    ),
    _case(
        "default added",
        "ALTER TABLE bounty ALTER title SET DEFAULT 'x'",
        "default bounty.title",
    ),
    _case("identity gone", "ALTER TABLE gadget ALTER id DROP IDENTITY", "identity gadget.id"),
    _case(
        "identity counts otherwise",
        "ALTER TABLE gadget ALTER id SET INCREMENT 7 SET GENERATED ALWAYS",
        "identity gadget.id",
    ),
    _case(
        "identity added",
        "ALTER TABLE gadget_part ALTER number ADD GENERATED ALWAYS AS IDENTITY",
        "identity gadget_part.number",
    ),
    _case(
        "generated column made plain",
        "ALTER TABLE gadget ALTER slug DROP EXPRESSION",
        "generated gadget.slug",
    ),
    _case(
        "generated from something else",
        """
        ALTER TABLE gadget DROP slug;
        ALTER TABLE gadget ADD slug text GENERATED ALWAYS AS (upper(label::text)) STORED;
        ALTER TABLE gadget ALTER slug SET STORAGE external;
        CREATE INDEX gadget_slug_idx ON gadget (lower(slug) text_pattern_ops)
        """,
        "generated gadget.slug",
    ),
    _case(
        "storage of a column",
        "ALTER TABLE gadget ALTER slug SET STORAGE extended",
        "storage gadget.slug",
    ),
    _case(
        "statistics target of a column",
        "ALTER TABLE gadget ALTER label SET STATISTICS -1",
        "statistics_target gadget.label",
    ),
    _case(
        "compression of a column",
        "ALTER TABLE bounty ALTER title SET COMPRESSION pglz",
        "compression bounty.title",
    ),
    _case(
        "options of a column",
        "ALTER TABLE bounty ALTER title SET (n_distinct = 5)",
        "column_options bounty.title",
    ),
    # Types
    _case(
        "label added at the end",
        "ALTER TYPE bounty_status ADD VALUE 'lost'",
        "enum bounty_status",
    ),
    _case(
        "label added between, under a view and a policy",
        "ALTER TYPE mood ADD VALUE 'bored' BEFORE 'calm'",
        "enum mood",
    ),
    _case(
        "labels in another order",
        """
        ALTER TYPE bounty_status RENAME VALUE 'draft' TO 'x';
        ALTER TYPE bounty_status RENAME VALUE 'open' TO 'draft';
        ALTER TYPE bounty_status RENAME VALUE 'x' TO 'open';
        ALTER TABLE bounty ALTER status SET DEFAULT 'draft'
        """,
        "enum bounty_status",
    ),
    _case(
        "label renamed",
        "ALTER TYPE payout_status RENAME VALUE 'failed' TO 'lost'",
        "enum payout_status",
    ),
    _case(
        "labels gone",
        """
        ALTER TABLE submission ALTER status DROP DEFAULT;
        ALTER TYPE submission_status RENAME TO old;
        CREATE TYPE submission_status AS ENUM ('pending', 'rejected');
        ALTER TABLE submission ALTER status TYPE submission_status
            USING status::text::submission_status;
        ALTER TABLE submission ALTER status SET DEFAULT 'pending';
        DROP TYPE old
        """,
        "enum submission_status",
    ),
    _case("enum added", "CREATE TYPE stray AS ENUM ('a')", "enum stray"),
    _case(
        "domain with another default",
        "ALTER DOMAIN positive SET DEFAULT 2",
        "domain positive",
    ),
    _case("domain not null", "ALTER DOMAIN positive SET NOT NULL", "domain positive"),
    _case(
        "domain without its check",
        "ALTER DOMAIN positive DROP CONSTRAINT above_zero",
        "constraint positive.above_zero",
    ),
    _case("domain added", "CREATE DOMAIN stray AS text", "domain stray"),
    _case("composite type", "ALTER TYPE pair ADD ATTRIBUTE c date", "composite_type pair"),
    _case("range added", "CREATE TYPE stray AS RANGE (subtype = text)", "range_type stray"),
    # Constraints
    _case(
        "unique constraint gone",
        'ALTER TABLE "user" DROP CONSTRAINT user_handle_unique',
        "constraint user.user_handle_unique",
    ),
    _case(
        "constraint renamed",
        "ALTER TABLE payout RENAME CONSTRAINT payout_user_id_user_id_fk TO payout_user_id_fkey",
        "constraint payout.payout_user_id_user_id_fk",
    ),
    _case(
        "primary key gone",
        "ALTER TABLE waitlist DROP CONSTRAINT waitlist_pkey",
        "constraint waitlist.waitlist_pkey",
    ),
    _case(
        "primary key of other columns, with foreign keys to it",
        """
        ALTER TABLE gadget DROP CONSTRAINT gadget_pkey CASCADE;
        ALTER TABLE gadget ADD CONSTRAINT gadget_pkey PRIMARY KEY (id, label)
        """,
        "constraint gadget.gadget_pkey",
        "constraint gadget_part.gadget_part_gadget_id_fkey",
    ),
    _case(
        "foreign key deletes otherwise",
        """
        ALTER TABLE payout DROP CONSTRAINT payout_user_id_user_id_fk,
            ADD CONSTRAINT payout_user_id_user_id_fk FOREIGN KEY (user_id)
            REFERENCES "user" (id) ON DELETE SET NULL
        """,
        "constraint payout.payout_user_id_user_id_fk",
    ),
    _case(
        "foreign key deferrable",
        "ALTER TABLE payout ALTER CONSTRAINT payout_user_id_user_id_fk DEFERRABLE",
        "constraint payout.payout_user_id_user_id_fk",
    ),
    _case(
        "foreign key not valid",
        """
        ALTER TABLE payout DROP CONSTRAINT payout_user_id_user_id_fk,
            ADD CONSTRAINT payout_user_id_user_id_fk FOREIGN KEY (user_id)
            REFERENCES "user" (id) ON DELETE CASCADE NOT VALID
        """,
        "constraint payout.payout_user_id_user_id_fk",
    ),
    _case(
        "foreign key switched off",
        "ALTER TABLE gadget_part DISABLE TRIGGER ALL",
        "constraint gadget_part.gadget_part_gadget_id_fkey",
        "constraint gadget_part.gadget_part_label_fkey",
    ),
    _case(
        "foreign key not enforced",
        "ALTER TABLE payout ALTER CONSTRAINT payout_user_id_user_id_fk NOT ENFORCED",
        "constraint payout.payout_user_id_user_id_fk",
        first_major=18,
    ),
    _case(
        "check validated",
        "ALTER TABLE gadget_part VALIDATE CONSTRAINT number_low",
        "constraint gadget_part.number_low",
    ),
    _case(
        "check with another text",
        """
        ALTER TABLE gadget DROP CONSTRAINT gadget_known;
        ALTER TABLE gadget ADD CONSTRAINT gadget_known CHECK (label IN ('a') OR length(label) > 3)
        """,
        "constraint gadget.gadget_known",
    ),
    _case(
        "check added",
        "ALTER TABLE payout ADD CONSTRAINT positive CHECK (amount > 0)",
        "constraint payout.positive",
    ),
    _case(
        "exclusion gone",
        "ALTER TABLE gadget DROP CONSTRAINT gadget_apart",
        "constraint gadget.gadget_apart",
    ),
    _case(
        "unique constraint that takes no two nulls",
        """
        ALTER TABLE "user" DROP CONSTRAINT user_handle_unique;
        ALTER TABLE "user" ADD CONSTRAINT user_handle_unique UNIQUE NULLS NOT DISTINCT (handle)
        """,
        "constraint user.user_handle_unique",
        first_major=15,
    ),
    # Indexes
    _case("index gone", "DROP INDEX payout_bounty_id_idx", "index payout_bounty_id_idx"),
    _case("index added", "CREATE INDEX extra_idx ON bounty (title)", "index extra_idx"),
    _case(
        "index renamed",
        "ALTER INDEX payout_bounty_id_idx RENAME TO stray_idx",
        "index payout_bounty_id_idx",
    ),
    *(
        _case(
            f"index {name}",
            f"DROP INDEX payout_bounty_id_idx; CREATE INDEX payout_bounty_id_idx ON payout {text}",
            "index payout_bounty_id_idx",
        )
        for name, text in (
            ("descending", "(bounty_id DESC)"),
            ("nulls first", "(bounty_id NULLS FIRST)"),
            ("of another operator class", "(bounty_id text_pattern_ops)"),
            ("of another method", "USING hash (bounty_id)"),
            ("partial", "(bounty_id) WHERE amount > 0"),
            ("including", "(bounty_id) INCLUDE (amount)"),
            ("on an expression", "(lower(bounty_id))"),
            ("of another collation", '(bounty_id COLLATE "C")'),
            ("with room", "(bounty_id) WITH (fillfactor = 50)"),
        )
    ),
    _case(
        "index no longer unique",
        "DROP INDEX member_org_user_idx;"
        "CREATE INDEX member_org_user_idx ON member (organization_id, user_id)",
        "index member_org_user_idx",
    ),
    _case(
        "index with another predicate",
        """
        DROP INDEX gadget_feeling_idx;
        CREATE INDEX gadget_feeling_idx ON gadget (feeling DESC NULLS LAST, label)
            INCLUDE (serial) WITH (fillfactor = 80) WHERE feeling <> 'calm'
        """,
        "index gadget_feeling_idx",
    ),
    _case(
        "index invalid",
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'payout_bounty_id_idx'::regclass",
        "index payout_bounty_id_idx",
    ),
    _case(
        "table clustered",
        "ALTER TABLE payout CLUSTER ON payout_bounty_id_idx",
        "index payout_bounty_id_idx",
    ),
    _case("index of a partitioned table gone", "DROP INDEX event_note_idx", "index event_note_idx"),
    # Views
    _case("view gone", "DROP VIEW happy_labels", "view happy_labels"),
    _case(
        "view with another text",
        "CREATE OR REPLACE VIEW happy_gadgets AS"
        " SELECT id, label, feeling FROM gadget WHERE feeling <> 'sad'",
        "view happy_gadgets",
    ),
    _case(
        "view without its barrier",
        "ALTER VIEW happy_labels RESET (security_barrier)",
        "view happy_labels",
    ),
    _case("view added", "CREATE VIEW stray AS SELECT 1 AS one", "view stray"),
    _case(
        "views added upon each other and upon a column that goes",
        """
        ALTER TABLE bounty ADD stray text;
        CREATE VIEW s1 AS SELECT stray FROM bounty;
        CREATE VIEW a2 AS SELECT stray FROM s1
        """,
        "column bounty.stray",
        "view s1",
        "view a2",
    ),
    _case(
        "table in the place of a view",
        "DROP VIEW happy_labels; CREATE TABLE happy_labels (label text)",
        "view happy_labels",
        "table happy_labels",
    ),
    _case(
        "materialized view with another text",
        """
        DROP MATERIALIZED VIEW totals;
        CREATE MATERIALIZED VIEW totals AS
            SELECT user_id, max(amount) AS total FROM payout GROUP BY user_id;
        CREATE UNIQUE INDEX totals_user_idx ON totals (user_id)
        """,
        "materialized_view totals",
    ),
    _case(
        "materialized view empty",
        "REFRESH MATERIALIZED VIEW totals WITH NO DATA",
        "materialized_view totals",
    ),
    # Code
    _case(
        "function with another body",
        "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        "function touch()",
    ),
    _case(
        "function no longer immutable",
        "ALTER FUNCTION titled(text) VOLATILE",
        "function titled(wanted text)",
    ),
    _case(
        "function that returns something else, below an index",
        """
        ALTER TABLE gadget DROP slug;
        DROP FUNCTION slug_of(text);
        CREATE FUNCTION slug_of(t text) RETURNS varchar LANGUAGE sql IMMUTABLE
            AS $$ SELECT lower(t) $$;
        ALTER TABLE gadget ADD slug text GENERATED ALWAYS AS (slug_of(label::text)) STORED;
        ALTER TABLE gadget ALTER slug SET STORAGE external;
        CREATE INDEX gadget_slug_idx ON gadget (lower(slug) text_pattern_ops)
        """,
        "function slug_of(t text)",
    ),
    _case(
        "function added",
        "CREATE FUNCTION stray() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "function stray()",
    ),
    _case(
        "function with another name of an argument, below a generated column",
        """
        ALTER TABLE gadget DROP slug;
        DROP FUNCTION slug_of(text);
        CREATE FUNCTION slug_of(other text) RETURNS text LANGUAGE sql IMMUTABLE
            AS $$ SELECT lower(other) $$;
        ALTER TABLE gadget ADD slug text GENERATED ALWAYS AS (slug_of(label::text)) STORED;
        ALTER TABLE gadget ALTER slug SET STORAGE external;
        CREATE INDEX gadget_slug_idx ON gadget (lower(slug) text_pattern_ops)
        """,
        "function slug_of(t text)",
        "function slug_of(other text)",
    ),
    _case("procedure gone", "DROP PROCEDURE tidy", "procedure tidy(INOUT a integer)"),
    _case("aggregate gone", "DROP AGGREGATE total_of(integer)", "aggregate total_of(integer)"),
    _case("trigger gone", "DROP TRIGGER touch ON gadget", "trigger gadget.touch"),
    _case(
        "trigger switched off", "ALTER TABLE gadget DISABLE TRIGGER touch", "trigger gadget.touch"
    ),
    _case(
        "trigger added",
        "CREATE TRIGGER stray BEFORE UPDATE ON bounty FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "trigger bounty.stray",
    ),
    _case("rule gone", "DROP RULE kept ON gadget_part", "rule gadget_part.kept"),
    _case(
        "rule switched off",
        "ALTER TABLE gadget_part DISABLE RULE kept",
        "rule gadget_part.kept",
    ),
    # Row security
    _case("policy gone", "DROP POLICY calm_ones ON gadget", "policy gadget.calm_ones"),
    _case(
        "policy with another condition",
        "ALTER POLICY calm_ones ON gadget USING (feeling <> 'sad')",
        "policy gadget.calm_ones",
    ),
    _case(
        "row security switched off",
        "ALTER TABLE gadget DISABLE ROW LEVEL SECURITY",
        "row_security gadget",
    ),
    _case(
        "row security forced",
        "ALTER TABLE gadget FORCE ROW LEVEL SECURITY",
        "row_security gadget",
    ),
    # Sequences
    _case("sequence added", "CREATE SEQUENCE stray", "sequence stray"),
    _case(
        "sequence counts otherwise",
        "ALTER SEQUENCE counter INCREMENT 1 MAXVALUE 1000 CYCLE",
        "sequence counter",
    ),
    _case("sequence without an owner", "ALTER SEQUENCE counter OWNED BY NONE", "sequence counter"),
    _case(
        "sequence gone",
        "DROP SEQUENCE counter CASCADE",
        "sequence counter",
        "default gadget.serial",
    ),
    # What stands beside
    _case("comment gone", "COMMENT ON TABLE gadget IS NULL", "comment gadget"),
    _case("comment on a type", "COMMENT ON TYPE mood IS 'other'", "comment mood"),
    _case("comment added", "COMMENT ON COLUMN bounty.title IS 'x'", "comment bounty.title"),
    _case("statistics gone", "DROP STATISTICS gadget_stats", "statistics gadget_stats"),
    _case(
        "statistics target",
        "ALTER STATISTICS gadget_stats SET STATISTICS 7",
        "statistics gadget_stats",
    ),
    _case(
        "storage parameters",
        "ALTER TABLE gadget RESET (fillfactor); ALTER TABLE gadget SET (autovacuum_enabled = off)",
        "storage_parameters gadget",
    ),
    _case(
        "storage parameters of long values",
        "ALTER TABLE bounty SET (toast.autovacuum_enabled = off)",
        "storage_parameters bounty",
    ),
    _case("table unlogged", "ALTER TABLE waitlist SET UNLOGGED", "persistence waitlist"),
    _case("table logged", "ALTER TABLE scratch SET LOGGED", "persistence scratch"),
    _case(
        "replica identity", "ALTER TABLE gadget REPLICA IDENTITY DEFAULT", "replica_identity gadget"
    ),
    _case(
        "replica identity by an index",
        "ALTER TABLE payout REPLICA IDENTITY USING INDEX payout_pkey",
        "replica_identity payout",
    ),
    _case(
        "table partitioned",
        """
        ALTER TABLE waitlist RENAME TO old;
        CREATE TABLE waitlist (LIKE old INCLUDING DEFAULTS) PARTITION BY HASH (id);
        CREATE TABLE waitlist_0 PARTITION OF waitlist FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        ALTER TABLE waitlist ADD CONSTRAINT stray_pkey PRIMARY KEY (id);
        DROP TABLE old;
        ALTER TABLE waitlist RENAME CONSTRAINT stray_pkey TO waitlist_pkey
        """,
        "partitioning waitlist",
        "constraint waitlist.waitlist_user_id_user_id_fk",
    ),
    _case(
        "table not partitioned",
        """
        DROP TABLE event;
        CREATE TABLE event (id bigint, at timestamptz, note text, PRIMARY KEY (id, at));
        CREATE INDEX event_note_idx ON event (note)
        """,
        "partitioning event",
    ),
    _case(
        "table inherits",
        "CREATE TABLE stray (id int); ALTER TABLE scratch ADD id int;"
        "ALTER TABLE scratch INHERIT stray",
        "table stray",
        "column scratch.id",
        "inheritance scratch",
    ),
    _case("extension added", "CREATE EXTENSION pg_trgm", "extension pg_trgm"),
    _case(
        "extension added and used",
        "CREATE EXTENSION pg_trgm;CREATE INDEX trgm_idx ON bounty USING gin (title gin_trgm_ops)",
        "extension pg_trgm",
        "index trgm_idx",
    ),
    _case("collation added", "CREATE COLLATION stray (locale = 'C')", "collation public.stray"),
    _case(
        "operator added",
        "CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
        "operator public.===(integer,integer)",
    ),
)
