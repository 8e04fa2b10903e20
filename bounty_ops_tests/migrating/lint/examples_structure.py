"""Statements about the structure of tables, with the hazards that they have."""

from __future__ import annotations

from bounty_ops_tests.migrating.lint.example import Example, hazard, safe, with_schema

SCHEMA = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN plain AS int;
CREATE DOMAIN short AS text CHECK (length(value) < 9);
CREATE DOMAIN sized AS varchar(20);
CREATE FUNCTION fixed() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE FUNCTION fresh() RETURNS text LANGUAGE sql AS $$ SELECT random()::text $$;
CREATE TABLE person (id bigint PRIMARY KEY, email text NOT NULL, born date);
CREATE TABLE bounty (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title varchar(80), amount numeric(10, 2),
  state mood, seen timestamp, done timestamptz, code char(4), net cidr, num int, tags text[],
  sizes varchar(9)[], p plain, s sized, doc json, person_id bigint, views int CHECK (views >= 0),
  span interval, note text, part text, watched text, doubled int GENERATED ALWAYS AS (num * 2)
  STORED, tel varchar(9), UNIQUE (note));
CREATE INDEX bounty_title ON bounty (title);
CREATE INDEX bounty_part ON bounty (part) WHERE part <> '';
CREATE UNIQUE INDEX bounty_person ON bounty (person_id);
CREATE VIEW seen AS SELECT id, tel FROM bounty;
CREATE TABLE log (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00');
CREATE TABLE log_rest PARTITION OF log DEFAULT;
CREATE TABLE log_2 (LIKE log);
CREATE TABLE hits (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE hits_2 (LIKE hits);
ALTER TABLE hits_2 ADD CHECK (at >= '2026-02-01+00' AND at < '2026-03-01+00');
"""

INDEXES: tuple[Example, ...] = (
    with_schema(hazard("CREATE INDEX CONCURRENTLY i ON bounty (doc)", "always-fails")),
    with_schema(hazard("CREATE INDEX CONCURRENTLY i ON bounty ((done::date))", "always-fails")),
    with_schema(safe("CREATE INDEX CONCURRENTLY i ON bounty ((seen::date))")),
    safe("CREATE TEMP TABLE t (a int); CREATE INDEX ON t (a); DROP TABLE t"),
    hazard("CREATE UNIQUE INDEX CONCURRENTLY i ON t USING gin (a)", "always-fails"),
    hazard("CREATE INDEX CONCURRENTLY i ON t USING hash (a, b)", "always-fails"),
    hazard("CREATE INDEX CONCURRENTLY i ON t USING brin (a) INCLUDE (b)", "always-fails"),
    hazard("CREATE INDEX CONCURRENTLY i ON t USING gist (a DESC)", "always-fails"),
    safe("CREATE INDEX CONCURRENTLY i ON t USING gist (a, b) INCLUDE (c)"),
    hazard(
        "ALTER TABLE t RENAME a TO b; CREATE INDEX CONCURRENTLY i ON t (a)",
        "rename-breaks-clients",
        "always-fails",
    ),
    hazard("DROP TABLE t; CREATE INDEX CONCURRENTLY i ON t (a)", "table-dropped", "always-fails"),
    safe("CREATE TEMP TABLE t (a int); DROP TABLE t; CREATE TABLE t (b int);CREATE INDEX ON t (b)"),
    with_schema(hazard("DROP INDEX CONCURRENTLY bounty_person", "uniqueness-dropped")),
    with_schema(hazard("ALTER TABLE bounty DROP CONSTRAINT bounty_note_key", "uniqueness-dropped")),
    with_schema(safe("DROP INDEX CONCURRENTLY bounty_title")),
    with_schema(
        safe(
            "CREATE UNIQUE INDEX CONCURRENTLY i ON bounty (person_id);"
            "DROP INDEX CONCURRENTLY bounty_person"
        )
    ),
    hazard("CREATE TEMP TABLE t (a int); CREATE INDEX ON public.t (a)", "index-blocks-writes"),
    safe("SET search_path = own; CREATE TABLE t (a int); CREATE INDEX ON own.t (a)"),
    hazard(
        "SET search_path = own; CREATE TABLE t (a int); SET search_path = public;"
        "CREATE INDEX ON t (a)",
        "index-blocks-writes",
    ),
    hazard("CREATE INDEX CONCURRENTLY i ON t (a) WHERE at > now()", "always-fails"),
    hazard("CREATE INDEX CONCURRENTLY i ON t USING gin (to_tsvector(a))", "always-fails"),
    safe("CREATE INDEX CONCURRENTLY i ON t USING gin (to_tsvector('simple', a))"),
    with_schema(
        hazard("CREATE INDEX IF NOT EXISTS bounty_title ON bounty (note)", "index-is-another")
    ),
    with_schema(
        hazard(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS bounty_title ON bounty (note)",
            "index-is-another",
        )
    ),
    with_schema(safe("CREATE INDEX IF NOT EXISTS bounty_title ON bounty (title) INCLUDE (num)")),
    hazard("CREATE INDEX CONCURRENTLY i ON t ((current_date - a))", "always-fails"),
    safe("CREATE INDEX CONCURRENTLY i ON t (lower(a), app.slug(b))"),
    with_schema(hazard("CREATE INDEX CONCURRENTLY i ON bounty (fresh())", "always-fails")),
    with_schema(safe("CREATE INDEX CONCURRENTLY i ON bounty ((title || fixed()))")),
    with_schema(hazard("CREATE INDEX CONCURRENTLY i ON bounty (nothing)", "always-fails")),
    hazard("CREATE INDEX i ON bounty (title)", "index-blocks-writes"),
    hazard('CREATE UNIQUE INDEX ON public."Bounty" (lower(title))', "index-blocks-writes"),
    hazard("BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT", "refused-in-transaction"),
    safe("CREATE INDEX CONCURRENTLY i ON bounty (title)"),
    safe("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"),
    safe("CREATE TABLE t (a int); CREATE INDEX i ON t (a)"),
    hazard("CREATE TABLE t (a int); CREATE INDEX i ON u (a)", "index-blocks-writes"),
    safe("CREATE INDEX ON ONLY log (id)"),
    hazard("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)", "index-accepts-invalid"),
    safe("DROP INDEX CONCURRENTLY IF EXISTS i; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"),
    hazard("DROP INDEX i", "index-drop-blocks"),
    safe("DROP INDEX CONCURRENTLY i"),
    hazard("BEGIN; DROP INDEX CONCURRENTLY i; COMMIT", "refused-in-transaction"),
    hazard("DROP INDEX CONCURRENTLY i, j", "always-fails", "always-fails"),
    hazard("DROP INDEX CONCURRENTLY i CASCADE", "always-fails"),
    hazard("REINDEX TABLE t", "reindex-blocks"),
    hazard("REINDEX DATABASE d", "reindex-blocks"),
    safe("REINDEX TABLE CONCURRENTLY t"),
    hazard("BEGIN; REINDEX INDEX CONCURRENTLY i; COMMIT", "refused-in-transaction"),
    safe("ALTER INDEX i RENAME TO j"),
    safe("ALTER INDEX i SET (fillfactor = 70)"),
    safe("ALTER INDEX i ATTACH PARTITION j"),
    hazard("ALTER INDEX i SET TABLESPACE fast", "table-rewritten"),
    with_schema(hazard("CREATE INDEX CONCURRENTLY ON log (id)", "always-fails")),
    with_schema(hazard("CREATE INDEX ON log (id)", "index-blocks-writes")),
    with_schema(hazard("CREATE UNIQUE INDEX ON log (id)", "always-fails")),
    with_schema(safe("CREATE INDEX ON ONLY log (id)")),
    with_schema(hazard("CREATE INDEX ON ONLY bounty (id)", "index-blocks-writes")),
    with_schema(hazard("DROP INDEX CONCURRENTLY bounty_pkey", "always-fails")),
    with_schema(hazard("CREATE INDEX CONCURRENTLY bounty_title ON bounty (id)", "always-fails")),
    with_schema(safe("CREATE INDEX CONCURRENTLY IF NOT EXISTS bounty_title ON bounty (title)")),
    with_schema(safe("CREATE INDEX IF NOT EXISTS bounty_title ON bounty (title)")),
)

COLUMNS: tuple[Example, ...] = (
    with_schema(hazard("ALTER TABLE bounty ADD feel mood DEFAULT 'odd'", "always-fails")),
    with_schema(safe("ALTER TABLE bounty ADD feel mood DEFAULT 'bad'::mood")),
    with_schema(hazard("ALTER TABLE bounty ALTER id SET DEFAULT 5", "always-fails")),
    with_schema(safe("ALTER TABLE bounty ALTER doubled DROP EXPRESSION, ALTER doubled SET DEFAULT"
                     " 5")),
    hazard("ALTER TABLE t ADD a int DEFAULT (SELECT 1)", "always-fails"),
    hazard("ALTER TABLE t ALTER a SET DEFAULT b", "always-fails"),
    hazard(
        "ALTER TABLE t ADD a int GENERATED ALWAYS AS (app.own(b)) VIRTUAL",
        "always-fails",
        major=18,
    ),
    hazard("ALTER TABLE t ADD a bigint DEFAULT NULL REFERENCES person", "foreign-key-scans"),
    hazard(
        "ALTER TABLE t ADD a date GENERATED ALWAYS AS (current_date) STORED",
        "always-fails",
        "column-rewrites-table",
    ),
    with_schema(hazard("ALTER TABLE seen ADD a int", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ALTER nothing SET STATISTICS 9", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ALTER state SET DEFAULT 'great'", "always-fails")),
    with_schema(safe("ALTER TABLE bounty ALTER state SET DEFAULT 'good'")),
    with_schema(hazard("ALTER TABLE person ALTER id DROP NOT NULL", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty DROP num", "always-fails", "column-dropped")),
    safe("ALTER TABLE t ADD COLUMN a int"),
    safe("ALTER TABLE t ADD COLUMN a text NOT NULL DEFAULT 'x'"),
    safe("ALTER TABLE t ADD COLUMN a timestamptz NOT NULL DEFAULT now()"),
    safe("ALTER TABLE t ADD COLUMN a timestamptz DEFAULT CURRENT_TIMESTAMP"),
    safe("ALTER TABLE t ADD COLUMN a jsonb NOT NULL DEFAULT '{}'::jsonb"),
    safe("ALTER TABLE t ADD COLUMN a text DEFAULT lower('X') || current_user"),
    safe("ALTER TABLE t ADD COLUMN a bigint REFERENCES person (id)"),
    hazard("ALTER TABLE t ADD COLUMN a bigint DEFAULT 1 REFERENCES person", "foreign-key-scans"),
    hazard("ALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid()", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a timestamptz DEFAULT clock_timestamp()", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a text DEFAULT app.make_code()", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a uuid DEFAULT uuid_generate_v4()", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a bigserial", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a int DEFAULT nextval('s')", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a int GENERATED ALWAYS AS IDENTITY", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED", "column-rewrites-table"),
    hazard("ALTER TABLE t ADD a int NOT NULL", "column-not-null-without-default"),
    hazard("ALTER TABLE t ADD a int NOT NULL DEFAULT NULL", "column-not-null-without-default"),
    hazard("ALTER TABLE t ADD a int CHECK (a > 0)", "column-scans-table"),
    hazard("ALTER TABLE t ADD a int UNIQUE", "column-builds-index"),
    hazard("ALTER TABLE t ADD id bigserial PRIMARY KEY", "column-builds-index",
           "column-rewrites-table"),
    safe("CREATE TABLE t (id int); ALTER TABLE t ADD a int NOT NULL, ADD b uuid DEFAULT random()"),
    hazard("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b) VIRTUAL", "version-too-old"),
    safe("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b) VIRTUAL", major=18),
    hazard("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b) VIRTUAL NOT NULL",
           "virtual-column-scans", major=18),
    hazard("ALTER TABLE t DROP COLUMN a", "column-dropped"),
    safe("ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN a"),
    safe("ALTER TABLE t ALTER a SET DEFAULT 3"),
    safe("ALTER TABLE t ALTER a DROP DEFAULT"),
    hazard("ALTER TABLE t ADD a int NOT NULL DEFAULT 1; ALTER TABLE t ALTER a DROP DEFAULT",
           "default-dropped-from-not-null"),
    safe("ALTER TABLE t ALTER a DROP NOT NULL"),
    hazard("ALTER TABLE t ALTER a SET NOT NULL", "not-null-scans"),
    safe("ALTER TABLE t VALIDATE CONSTRAINT t_a_set; ALTER TABLE t ALTER a SET NOT NULL"),
    safe(
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL AND a > 0) NOT VALID;"
        "ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER a SET NOT NULL;"
        "ALTER TABLE t DROP CONSTRAINT c"
    ),
    hazard(
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL) NOT VALID;"
        "ALTER TABLE t ALTER a SET NOT NULL",
        "not-null-scans",
    ),
    hazard("ALTER TABLE t ALTER a DROP IDENTITY", "identity-dropped"),
    hazard("ALTER TABLE t ALTER a SET EXPRESSION AS (b * 2)", "expression-rewrites-table"),
    hazard("ALTER TABLE t ALTER a SET EXPRESSION AS (b * 2)", "version-too-old", major=16),
    safe("ALTER TABLE t ALTER a SET STATISTICS 500, ALTER a SET (n_distinct = 5)"),
    safe("ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER a SET COMPRESSION lz4"),
    with_schema(hazard("ALTER TABLE bounty ADD q short", "column-rewrites-table")),
    with_schema(safe("ALTER TABLE bounty ADD q plain")),
    with_schema(safe("ALTER TABLE bounty ADD q text DEFAULT fixed()")),
    with_schema(hazard("ALTER TABLE bounty ADD q text DEFAULT fresh()", "column-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ADD title text", "always-fails")),
    with_schema(safe("ALTER TABLE bounty ADD IF NOT EXISTS title text")),
    with_schema(safe("ALTER TABLE person ALTER email SET NOT NULL")),
    with_schema(hazard("ALTER TABLE bounty DROP tel", "always-fails", "column-dropped")),
    with_schema(hazard("ALTER TABLE bounty DROP nothing", "always-fails")),
    with_schema(safe("ALTER TABLE bounty DROP IF EXISTS nothing")),
    with_schema(hazard("ALTER TABLE bounty ALTER num ADD GENERATED ALWAYS AS IDENTITY",
                       "always-fails")),
)  # fmt: skip

TYPES: tuple[Example, ...] = (
    hazard("ALTER TABLE t ALTER a TYPE bigint", "type-rewrites-table"),
    hazard("ALTER TABLE t ALTER a TYPE jsonb USING a::jsonb", "type-rewrites-table"),
    hazard("ALTER TABLE t ALTER a TYPE timestamptz", "type-changes-time-zone"),
    hazard('ALTER TABLE t ALTER a TYPE text COLLATE "C"', "collation-rebuilds-index"),
    hazard("ALTER TABLE t ALTER a TYPE char(3)", "type-rewrites-table"),
    safe("ALTER TABLE t ALTER a TYPE text"),
    safe("ALTER TABLE t ALTER a TYPE varchar(200)"),
    with_schema(safe("ALTER TABLE bounty ALTER title TYPE varchar(81)")),
    with_schema(safe("ALTER TABLE bounty ALTER title TYPE varchar")),
    with_schema(safe("ALTER TABLE bounty ALTER title TYPE text USING title::text")),
    with_schema(hazard("ALTER TABLE bounty ALTER title TYPE varchar(79)", "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER title TYPE text USING upper(title)",
                       "type-rewrites-table")),
    with_schema(hazard('ALTER TABLE bounty ALTER title TYPE varchar(80) COLLATE "C"',
                       "collation-rebuilds-index")),
    with_schema(hazard("ALTER TABLE bounty ALTER note TYPE varchar(80)", "type-rewrites-table")),
    with_schema(safe("ALTER TABLE bounty ALTER amount TYPE numeric(12, 2)")),
    with_schema(safe("ALTER TABLE bounty ALTER amount TYPE numeric")),
    with_schema(hazard("ALTER TABLE bounty ALTER amount TYPE numeric(12, 3)",
                       "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER code TYPE char(8)", "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER code TYPE text", "type-rewrites-table")),
    with_schema(safe("ALTER TABLE bounty ALTER net TYPE inet")),
    with_schema(safe("ALTER TABLE bounty ALTER done TYPE timestamptz(6)")),
    with_schema(hazard("ALTER TABLE bounty ALTER done TYPE timestamptz(3)",
                       "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER seen TYPE timestamptz",
                       "type-changes-time-zone")),
    with_schema(safe("SET timezone = 'UTC'; ALTER TABLE bounty ALTER seen TYPE timestamptz")),
    with_schema(hazard("ALTER TABLE bounty ALTER seen TYPE timestamptz USING seen AT TIME ZONE 'x'",
                       "type-rewrites-table")),
    with_schema(safe("ALTER TABLE bounty ALTER span TYPE interval(6)")),
    with_schema(safe("ALTER TABLE bounty ALTER sizes TYPE varchar[]")),
    with_schema(hazard("ALTER TABLE bounty ALTER sizes TYPE text[]", "type-rewrites-table")),
    with_schema(safe("ALTER TABLE bounty ALTER p TYPE int")),
    with_schema(safe("ALTER TABLE bounty ALTER s TYPE text")),
    with_schema(hazard("ALTER TABLE bounty ALTER s TYPE varchar(30)", "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER note TYPE short", "type-rewrites-table")),
    with_schema(hazard("ALTER TABLE bounty ALTER part TYPE varchar", "type-rebuilds-index")),
    with_schema(hazard("ALTER TABLE bounty ALTER note TYPE bpchar", "type-rebuilds-index")),
    with_schema(hazard("ALTER TABLE bounty ALTER views TYPE int", "type-rechecks-rows")),
    with_schema(hazard("ALTER TABLE bounty ALTER tel TYPE text", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ALTER num TYPE bigint", "always-fails")),
    with_schema(hazard("ALTER TABLE log ALTER at TYPE timestamp", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ALTER state TYPE text", "type-rewrites-table")),
)  # fmt: skip

CONSTRAINTS: tuple[Example, ...] = (
    with_schema(hazard("ALTER TABLE bounty ADD CHECK (nothing > 0) NOT VALID", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ADD FOREIGN KEY (nobody) REFERENCES person NOT VALID",
                       "always-fails")),
    with_schema(safe("ALTER TABLE bounty ADD a int, ADD CHECK (a > bounty.num) NOT VALID")),
    hazard("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET DEFAULT 1", "validation-under-lock"),
    safe("ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET STATISTICS 9"),
    hazard(
        "CREATE TABLE n AS SELECT a FROM t; ALTER TABLE n ADD FOREIGN KEY (a) REFERENCES u (id)",
        "foreign-key-scans",
    ),
    safe("CREATE TABLE n (a int); ALTER TABLE n ADD FOREIGN KEY (a) REFERENCES u (id)"),
    hazard("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", "check-scans"),
    safe("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID"),
    safe("ALTER TABLE t VALIDATE CONSTRAINT c"),
    hazard("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id)", "foreign-key-scans"),
    safe("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id) NOT VALID"),
    hazard("ALTER TABLE t ADD UNIQUE (a)", "unique-builds-index"),
    hazard("ALTER TABLE t ADD PRIMARY KEY (a)", "unique-builds-index"),
    hazard("ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)", "exclusion-builds-index"),
    safe("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i"),
    safe("ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY USING INDEX i"),
    safe("ALTER TABLE t DROP CONSTRAINT c"),
    hazard("ALTER TABLE t DROP CONSTRAINT t_pkey", "primary-key-dropped"),
    hazard("ALTER TABLE t DROP CONSTRAINT c CASCADE", "cascade"),
    safe("ALTER TABLE t ALTER CONSTRAINT f DEFERRABLE"),
    hazard("ALTER TABLE t ALTER CONSTRAINT f NOT ENFORCED", "constraint-not-enforced", major=18),
    hazard("ALTER TABLE t ALTER CONSTRAINT f ENFORCED", "constraint-enforced-scans", major=18),
    hazard("ALTER TABLE t ADD CONSTRAINT n NOT NULL a", "not-null-constraint-scans", major=18),
    safe("ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID", major=18),
    hazard("ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID", "version-too-old"),
    safe("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED", major=18),
    safe("CREATE TABLE t (a int REFERENCES u (id), b int REFERENCES v (id))"),
    safe("ALTER TABLE t RENAME CONSTRAINT a TO b"),
    hazard("ALTER DOMAIN d ADD CHECK (value > 0)", "domain-scans"),
    hazard("ALTER DOMAIN d SET NOT NULL", "domain-scans"),
    hazard("ALTER DOMAIN d VALIDATE CONSTRAINT c", "domain-scans"),
    safe("ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0) NOT VALID"),
    safe("ALTER DOMAIN d DROP CONSTRAINT c"),
    safe("CREATE DOMAIN d AS int; ALTER DOMAIN d ADD CHECK (value > 0)"),
    with_schema(hazard("ALTER TABLE bounty ADD PRIMARY KEY (num)", "always-fails")),
    with_schema(hazard("ALTER TABLE person DROP CONSTRAINT person_pkey", "primary-key-dropped")),
    with_schema(hazard("ALTER TABLE log ADD PRIMARY KEY (id)", "always-fails")),
    with_schema(hazard("ALTER TABLE log ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES person NOT "
                       "VALID", "always-fails")),
    with_schema(safe("ALTER TABLE log ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES person NOT "
                     "VALID", major=18)),
    with_schema(hazard("ALTER TABLE bounty ADD FOREIGN KEY (num) REFERENCES person (born)",
                       "always-fails")),
    with_schema(hazard("ALTER TABLE bounty ADD CONSTRAINT f FOREIGN KEY (note) REFERENCES person "
                       "(id) NOT VALID", "always-fails")),
    with_schema(hazard("ALTER TABLE bounty VALIDATE CONSTRAINT nothing", "always-fails")),
    with_schema(hazard("CREATE UNIQUE INDEX CONCURRENTLY u ON person (born);"
                       "ALTER TABLE person DROP CONSTRAINT person_pkey;"
                       "ALTER TABLE person ADD PRIMARY KEY USING INDEX u",
                       "primary-key-dropped", "primary-key-scans")),
    with_schema(hazard("ALTER TABLE bounty ADD CONSTRAINT u UNIQUE USING INDEX bounty_title",
                       "always-fails")),
)  # fmt: skip

PARTITIONS: tuple[Example, ...] = (
    with_schema(
        hazard(
            "CREATE TABLE log_x PARTITION OF log FOR VALUES FROM ('2026-01-15+00') TO "
            "('2026-03-01+00')",
            "always-fails",
        )
    ),
    with_schema(hazard("CREATE TABLE log_x PARTITION OF log DEFAULT", "always-fails")),
    with_schema(hazard("ALTER TABLE log_1 ADD COLUMN a int", "always-fails")),
    with_schema(safe("ALTER TABLE log ADD COLUMN a int; ALTER TABLE log_1 ALTER a SET DEFAULT 1")),
    with_schema(
        safe(
            "CREATE TABLE hits_3 PARTITION OF hits FOR VALUES FROM ('2026-03-01+00') TO "
            "('2026-04-01+00')"
        )
    ),
    with_schema(
        safe(
            "ALTER TABLE log_rest ADD CONSTRAINT c CHECK (at < '2026-03-01+00' OR at >= "
            "'2026-04-01+00') NOT VALID; ALTER TABLE log_rest VALIDATE CONSTRAINT c;"
            "CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM ('2026-03-01+00') TO "
            "('2026-04-01+00')"
        )
    ),
    with_schema(
        hazard(
            "CREATE TABLE other (id bigint NOT NULL); ALTER TABLE hits ATTACH PARTITION other "
            "FOR VALUES FROM ('2027-01-01') TO ('2027-02-01')",
            "always-fails",
        )
    ),
    hazard("ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (2)", "attach-scans"),
    safe("CREATE TABLE c (LIKE p); ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (2)"),
    safe("ALTER TABLE c VALIDATE CONSTRAINT b;"
         "ALTER TABLE p ATTACH PARTITION c FOR VALUES FROM (1) TO (2)"),
    hazard("ALTER TABLE p DETACH PARTITION c", "detach-blocks"),
    safe("ALTER TABLE p DETACH PARTITION c CONCURRENTLY"),
    safe("ALTER TABLE p DETACH PARTITION c FINALIZE"),
    hazard("BEGIN; ALTER TABLE p DETACH PARTITION c CONCURRENTLY; COMMIT",
           "refused-in-transaction"),
    hazard("CREATE TABLE c PARTITION OF p FOR VALUES IN (1)", "partition-of-blocks"),
    safe("CREATE TABLE p (a int) PARTITION BY LIST (a);"
         "CREATE TABLE c PARTITION OF p FOR VALUES IN (1)"),
    with_schema(hazard("ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES FROM ('2026-02-01+00') "
                       "TO ('2026-03-01+00')", "attach-scans", "attach-scans-default")),
    with_schema(safe("ALTER TABLE hits ATTACH PARTITION hits_2 FOR VALUES FROM "
                     "('2026-02-01 00:00:00+00') TO ('2026-03-01+00')")),
    with_schema(hazard("ALTER TABLE hits ATTACH PARTITION hits_2 FOR VALUES FROM "
                       "('2026-02-02+00') TO ('2026-03-01+00')", "attach-scans")),
    with_schema(hazard("ALTER TABLE log DETACH PARTITION log_1 CONCURRENTLY", "always-fails")),
    with_schema(hazard("CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM ('2026-03-01+00') TO "
                       "('2026-04-01+00')", "attach-scans-default")),
)  # fmt: skip
