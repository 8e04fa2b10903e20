-- One of every kind of object and value that a backup has to bring back.
-- Made for these tests; statements end with a semicolon at the end of a line, and bodies of
-- functions hold none there.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SCHEMA app AUTHORIZATION zoo_owner;
CREATE SCHEMA "Zoo Größe ""quoted""";
GRANT USAGE ON SCHEMA app TO zoo_reader;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA app IS 'where the animals live';

CREATE TYPE app.mood AS ENUM ('sad', 'happy');
ALTER TYPE app.mood ADD VALUE 'so-so' BEFORE 'happy';
ALTER TYPE app.mood ADD VALUE '' AFTER 'happy';
COMMENT ON TYPE app.mood IS 'how they feel';
CREATE TYPE app.unused AS ENUM ();
CREATE DOMAIN app.percent AS numeric(5,2) DEFAULT 0 NOT NULL CONSTRAINT in_range CHECK (VALUE >= 0 AND VALUE <= 100);
CREATE DOMAIN app.mail AS citext CHECK (VALUE ~ '@');
CREATE TYPE app.place AS (x double precision, y double precision, label text COLLATE "C");
CREATE TYPE app.span AS RANGE (subtype = double precision, subtype_diff = float8mi);
CREATE COLLATION app.bytewise (locale = 'C');
CREATE SEQUENCE app.downwards INCREMENT -5 MINVALUE -1000 MAXVALUE -1 START -5 CACHE 10;
CREATE SEQUENCE app.circular MAXVALUE 3 CYCLE;
CREATE SEQUENCE app.untouched;
SELECT nextval('app.downwards'), nextval('app.circular');

CREATE FUNCTION app.double(i integer, factor integer DEFAULT 2) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT i * factor';
CREATE FUNCTION app.standard(i integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN i + 1;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = app, pg_temp AS $$ BEGIN NEW.touched := '2020-01-01 00:00:00+02'::timestamptz; RETURN NEW; END $$;
CREATE PROCEDURE app.nothing(INOUT i integer) LANGUAGE plpgsql AS $$ BEGIN i := i; END $$;
REVOKE EXECUTE ON FUNCTION app.touch() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.double(integer, integer) TO zoo_reader WITH GRANT OPTION;
SET ROLE zoo_reader;
GRANT EXECUTE ON FUNCTION app.double(integer, integer) TO zoo_owner;
RESET ROLE;
CREATE AGGREGATE app.total (integer) (sfunc = int4pl, stype = integer, initcond = '0');
CREATE FUNCTION app.same(app.place, app.place) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x = $2.x';
CREATE OPERATOR app.=== (leftarg = app.place, rightarg = app.place, function = app.same);
CREATE FUNCTION app.mood_number(app.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (app.mood AS integer) WITH FUNCTION app.mood_number(app.mood);
CREATE TEXT SEARCH CONFIGURATION app.plain (copy = simple);

CREATE TABLE app.animal (
    dropped_first text,
    id integer GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
    name text NOT NULL DEFAULT E'it''s, "new"\\',
    "Camel Case" varchar(40) COLLATE app.bytewise,
    status varchar(20) DEFAULT 'a' CHECK (status IN ('a', 'it''s, ("b"]', 'c')),
    kind text CONSTRAINT kinds CHECK (kind = ANY ('{x,y}'::text[])),
    mood app.mood DEFAULT 'sad',
    moods app.mood[],
    share app.percent,
    mail app.mail,
    home app.place DEFAULT ROW(1, 2, NULL),
    price numeric(12,4),
    free numeric,
    real4 real,
    real8 double precision,
    born timestamp,
    touched timestamptz DEFAULT '2020-02-02 02:02:02+05',
    wakes timetz,
    age interval,
    dropped_later integer,
    data jsonb DEFAULT '{"a": [1, 2.50]}',
    raw json,
    document xml,
    bytes bytea,
    flags bit varying(9),
    net inet,
    uid uuid DEFAULT gen_random_uuid(),
    tags text[],
    grid integer[],
    pay money,
    words tsvector,
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED,
    twice integer GENERATED ALWAYS AS (id * 2) STORED,
    span app.span,
    spans int4multirange,
    letter "char",
    reference regclass,
    pairs hstore,
    spot point,
    fixed char(5),
    parent integer REFERENCES app.animal DEFERRABLE INITIALLY DEFERRED,
    CHECK (price > '-1'::integer),
    EXCLUDE USING gist (fixed WITH =, price WITH <>) WHERE (fixed IS NOT NULL)
);
ALTER TABLE app.animal OWNER TO zoo_owner;
ALTER TABLE app.animal DROP COLUMN dropped_first, DROP COLUMN dropped_later;
ALTER TABLE app.animal ALTER COLUMN raw SET STORAGE EXTERNAL, ALTER COLUMN name SET STATISTICS 500, ALTER COLUMN mood SET (n_distinct = 4);
ALTER TABLE app.animal SET (fillfactor = 80, toast.autovacuum_enabled = false);
INSERT INTO app.animal (name, "Camel Case", status, mood, moods, share, mail, home, price, free, real4, real8, born, touched, wakes, age, data, raw, document, bytes, flags, net, tags, grid, pay, words, span, spans, letter, reference, pairs, spot, fixed, parent)
VALUES
 ('', 'NULL', 'a', 'happy', '{sad,"so-so",NULL,""}', 12.50, 'A@b.example', ROW('NaN', '-0', E'line\nbreak'), 1.5000, 1.50, 'NaN', '-0', '-infinity', 'infinity', '01:02:03+04', '1 year -2 days 00:00:00.000001', '{"a": 1.0, "b": {"é": "\u0001"}}', '{"a" :  1, "a":2}', '<a>é</a>', '\x00ff5c', B'0101', '10.0.0.1/8', '{}', '[0:1]={1,2}', '-1234.56', 'a:1A b:2', '[1.1,2.2)', '{[1,3),[5,7)}', 'q', 'app.animal', 'a=>NULL, "b c"=>"d"', '(1,2)', 'ab', NULL),
 ('x', NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (E'\\N', E'tab\there', 'c', 'so-so', '{}', 100, 'q@r', ROW(0.1, 1e300, ''), 0, 1e-30, 0.1, 0.1, '2024-02-29 23:59:59.999999', '2024-06-01 12:00+02', NULL, '-1 mon', '[]', 'null', NULL, '', '', '::1', ARRAY['', 'NULL', NULL, 'a,b', '"'], NULL, 0, NULL, 'empty', '{}', '', NULL, '', NULL, ' x', 100);
INSERT INTO app.animal (name, share) SELECT 'animal ' || g, g % 100 FROM generate_series(1, 2000) g;
ALTER TABLE app.animal ADD CONSTRAINT not_yet CHECK (id > 0 AND id <> 7) NOT VALID;
CREATE INDEX animal_names ON app.animal (lower(name) text_pattern_ops, id DESC NULLS LAST) INCLUDE (price) WHERE status IN ('a', 'c');
CREATE UNIQUE INDEX animal_twice ON app.animal (twice) WITH (fillfactor = 70);
CREATE INDEX animal_words ON app.animal USING gin (search);
ALTER TABLE app.animal CLUSTER ON animal_twice;
ALTER TABLE app.animal REPLICA IDENTITY FULL;
CREATE TRIGGER touched BEFORE UPDATE OF name ON app.animal FOR EACH ROW WHEN (OLD.status IN ('a', 'b') OR NEW.name <> OLD.name) EXECUTE FUNCTION app.touch();
CREATE TRIGGER silent AFTER INSERT ON app.animal FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.animal DISABLE TRIGGER silent;
ALTER TABLE app.animal ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.animal FOR SELECT TO zoo_reader USING (status IN ('a', 'c') AND name <> current_user);
CREATE POLICY nobody ON app.animal AS RESTRICTIVE FOR INSERT WITH CHECK (mood <> ALL ('{sad}'::app.mood[]));
CREATE STATISTICS app.together (dependencies, ndistinct) ON status, kind FROM app.animal;
COMMENT ON TABLE app.animal IS 'it''s all here';
COMMENT ON COLUMN app.animal."Camel Case" IS 'as others name it';
COMMENT ON CONSTRAINT kinds ON app.animal IS 'a rule';
COMMENT ON INDEX app.animal_names IS 'fast';
COMMENT ON TRIGGER touched ON app.animal IS 'a trigger';
COMMENT ON POLICY own ON app.animal IS 'a policy';
COMMENT ON EXTENSION citext IS 'ours';
COMMENT ON FUNCTION app.double(integer, integer) IS 'twice';
GRANT SELECT ON app.animal TO zoo_reader;
GRANT UPDATE (name) ON app.animal TO zoo_reader;
REVOKE DELETE ON app.animal FROM zoo_owner;
GRANT USAGE ON SEQUENCE app.circular TO PUBLIC;
GRANT USAGE ON TYPE app.mood TO zoo_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner IN SCHEMA app GRANT SELECT ON TABLES TO zoo_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE zoo_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

CREATE TABLE "Zoo Größe ""quoted"""."Tisch mit ""Namen"" 🐘" ("a b" integer, "ü" text, "%s" text);
INSERT INTO "Zoo Größe ""quoted"""."Tisch mit ""Namen"" 🐘" VALUES (1, '🐘', '%'), (1, '🐘', '%'), (NULL, NULL, NULL);
CREATE TABLE app.without_columns ();
INSERT INTO app.without_columns DEFAULT VALUES;
INSERT INTO app.without_columns DEFAULT VALUES;
CREATE TABLE app.one_column (single text);
INSERT INTO app.one_column VALUES (NULL), (''), ('NULL'), (E'\\N'), ('()');
CREATE TABLE app.empty_table (id serial PRIMARY KEY, animal integer REFERENCES app.animal ON DELETE CASCADE);
CREATE UNLOGGED TABLE app.unlogged AS SELECT g AS n FROM generate_series(1, 50) g;
CREATE TABLE app.one (id integer PRIMARY KEY, other integer);
CREATE TABLE app.other (id integer PRIMARY KEY, one integer REFERENCES app.one);
ALTER TABLE app.one ADD FOREIGN KEY (other) REFERENCES app.other;
INSERT INTO app.one VALUES (1, NULL);
INSERT INTO app.other VALUES (1, 1);
UPDATE app.one SET other = 1;
ALTER TABLE app.other ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES app.one NOT VALID;

CREATE TABLE app.parent (id integer, note text NOT NULL, CONSTRAINT above CHECK (id > 0));
CREATE TABLE app.child (extra text DEFAULT 'e', note text NOT NULL, id integer, CONSTRAINT above CHECK (id > 0));
ALTER TABLE app.child INHERIT app.parent;
CREATE TABLE app.grandchild (more numeric(4,1)) INHERITS (app.child);
INSERT INTO app.parent VALUES (1, 'p');
INSERT INTO app.child VALUES ('x', 'c', 2);
INSERT INTO app.grandchild VALUES ('x', 'g', 3, 4.0);

CREATE TABLE app.event (at timestamptz NOT NULL, kind app.mood NOT NULL, body text, animal integer REFERENCES app.animal) PARTITION BY RANGE (at);
CREATE TABLE app.event_2024 PARTITION OF app.event FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00') PARTITION BY LIST (kind);
CREATE TABLE app.event_2024_sad PARTITION OF app.event_2024 (CONSTRAINT short CHECK (length(body) < 99)) FOR VALUES IN ('sad', 'so-so');
CREATE TABLE app.event_2024_rest (dropped integer, body text, animal integer, kind app.mood NOT NULL, at timestamptz NOT NULL);
ALTER TABLE app.event_2024_rest DROP COLUMN dropped;
ALTER TABLE app.event_2024 ATTACH PARTITION app.event_2024_rest DEFAULT;
CREATE TABLE app.event_other PARTITION OF app.event DEFAULT;
ALTER TABLE app.event ADD PRIMARY KEY (at, kind);
CREATE INDEX ON app.event (body);
CREATE INDEX only_some ON ONLY app.event_2024 (body, at);
CREATE TRIGGER each AFTER DELETE ON app.event FOR EACH ROW EXECUTE FUNCTION app.touch();
INSERT INTO app.event SELECT timestamptz '2023-12-31 22:00+00' + g * interval '7 hours', (enum_range(NULL::app.mood))[1 + g % 3], 'e' || g, 100 FROM generate_series(1, 400) g;
CREATE TABLE app.hashed (mood app.mood, n integer) PARTITION BY HASH (mood);
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE app.hashed_2 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 3, REMAINDER 2) PARTITION BY RANGE (n);
CREATE TABLE app.hashed_2_all PARTITION OF app.hashed_2 DEFAULT;
INSERT INTO app.hashed SELECT mood, g FROM generate_series(1, 20) g, unnest(enum_range(NULL::app.mood)) mood;

CREATE VIEW app.cheerful WITH (security_barrier = true) AS SELECT a.*, e.body AS event_body FROM app.animal a LEFT JOIN app.event e ON e.animal = a.id AND e.at > '2024-01-01 00:00+03' WHERE a.status IN ('a', 'b') AND a.age > '1 day';
ALTER VIEW app.cheerful ALTER COLUMN name SET DEFAULT 'from the view';
CREATE VIEW app.editable AS SELECT id, note FROM app.parent WITH LOCAL CHECK OPTION;
CREATE RULE no_delete AS ON DELETE TO app.editable DO INSTEAD NOTHING;
CREATE MATERIALIZED VIEW app.summary AS SELECT mood, count(*) AS n FROM app.animal GROUP BY mood;
CREATE UNIQUE INDEX ON app.summary (mood);
CREATE MATERIALIZED VIEW app.derived AS SELECT sum(n) AS n FROM app.summary;
CREATE MATERIALIZED VIEW app.unpopulated AS SELECT 1 AS one WITH NO DATA;
ALTER MATERIALIZED VIEW app.summary OWNER TO zoo_owner;
INSERT INTO app.animal (name, share) VALUES ('after the refresh', 1);

CREATE PUBLICATION chosen FOR TABLE app.one, app.other WITH (publish = 'insert');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrapper OPTIONS (host 'db.example', dbname 'other');
CREATE USER MAPPING FOR zoo_owner SERVER elsewhere OPTIONS (user 'u', password 'planted-secret');
CREATE FOREIGN TABLE app.remote (id integer, name text) SERVER elsewhere OPTIONS (table_name 't');
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RETURN; END $$;
CREATE EVENT TRIGGER watch_zoo ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.watch();
SELECT lo_from_bytea(70001, '');
SELECT lo_from_bytea(70002, decode(repeat('00ff', 900000), 'hex'));
SELECT lo_put(lo_create(70003), 1500000, 'after a hole');
ALTER LARGE OBJECT 70001 OWNER TO zoo_owner;
GRANT SELECT ON LARGE OBJECT 70002 TO zoo_reader;
COMMENT ON LARGE OBJECT 70002 IS 'large';
SELECT setval('app.empty_table_id_seq', 42, false);
