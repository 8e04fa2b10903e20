-- Added to the zoo for the corpus: a table with a column for each type, and things that are easy
-- to lose. Every column has values that are nearly something else.
DROP PUBLICATION IF EXISTS whole;
DROP PUBLICATION IF EXISTS part;
CREATE SCHEMA corpus;
GRANT USAGE ON SCHEMA corpus TO zoo_reader;
CREATE TYPE corpus.size AS ENUM ('s', 'm', 'l');
CREATE TYPE corpus.pair AS (left_one integer, right_one text);
CREATE TYPE corpus.words AS RANGE (subtype = text, collation = "C");
CREATE DOMAIN corpus.positive AS integer DEFAULT 1 CHECK (VALUE > 0);
CREATE TABLE corpus.kept (
    id integer PRIMARY KEY,
    words text, words_c text COLLATE "C", short varchar(20), fixed char(8), code "char", label name,
    small smallint, whole integer, large bigint, exact numeric, scaled numeric(12,4),
    float4 real, float8 double precision, yes boolean,
    day date, hour time, hour_tz timetz, moment timestamp, instant timestamptz, span interval,
    bytes bytea, bits bit(8), flags bit varying(9), key uuid,
    doc jsonb, raw json, page xml, pairs hstore, ci citext,
    tags text[], grid integer[][], stamps timestamptz[],
    net inet, block cidr, mac macaddr,
    size corpus.size, sizes corpus.size[], pair corpus.pair, range int4range, ranges int4multirange,
    between_words corpus.words, positive corpus.positive,
    point point, vector tsvector, query tsquery, pay money,
    doubled integer GENERATED ALWAYS AS (whole * 2) STORED
);
INSERT INTO corpus.kept (id, words, words_c, short, fixed, code, label, small, whole, large, exact, scaled, float4, float8, yes, day, hour, hour_tz, moment, instant, span, bytes, bits, flags, key, doc, raw, page, pairs, ci, tags, grid, stamps, net, block, mac, size, sizes, pair, range, ranges, between_words, positive, point, vector, query, pay)
SELECT g, 'word ' || g, U&'caf\00E9', 'Straße', 'ab', 'q', 'name', g, g * 10, 9007199254740993 + g, 1.50 + g, 1.5, 0.1, 0.1::float8 + 0.2::float8, true,
 '2024-02-29', '12:00:00.000001', '12:00+02', '2024-06-01 12:00:00.123456', '2024-06-01 12:00:00.123456+00', '1 mon',
 '\x00ff10', '01010101', '0101', '00000000-0000-0000-0000-000000000001',
 '{"a": 1, "b": [1, 2.50, null], "c": {"d": "x"}}', '{"a": 1,  "a": 2}', '<a b="1">x</a>', 'a=>1, b=>NULL', 'Ci',
 ARRAY['x', NULL, '', 'NULL'], '{{1,2},{3,4}}', ARRAY[timestamptz '2024-06-01 00:00+00'],
 '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', 'm', '{s,l}', ROW(1, '')::corpus.pair, '[1,5)', '{[1,3),[5,7)}', '[a,b)', 7,
 '(1,2)', 'a:1A b:2', 'a & b', 12.34
 FROM generate_series(1, 5) g;
INSERT INTO corpus.kept (id) VALUES (6);
CREATE TABLE corpus.many (a integer, b integer, c text);
INSERT INTO corpus.many SELECT g % 7, g % 5, 'same' FROM generate_series(1, 70) g;
INSERT INTO corpus.many VALUES (NULL, 1, ''), (1, NULL, NULL), (NULL, NULL, '');
CREATE TABLE corpus.ordered (id serial PRIMARY KEY, name text NOT NULL, note text, amount numeric(10,2) DEFAULT 0 CHECK (amount >= 0), parent integer, made timestamptz DEFAULT '2024-01-01 00:00+00');
INSERT INTO corpus.ordered (name, note, amount, parent) SELECT 'n' || g, CASE WHEN g % 3 > 0 THEN 'note ' || g END, g * 1.25, nullif(g - 1, 0) FROM generate_series(1, 60) g;
ALTER TABLE corpus.ordered ADD CONSTRAINT ordered_parent FOREIGN KEY (parent) REFERENCES corpus.ordered ON DELETE SET NULL DEFERRABLE;
ALTER TABLE corpus.ordered ADD CONSTRAINT ordered_name UNIQUE (name);
ALTER TABLE corpus.ordered ADD CONSTRAINT checked_later CHECK (length(name) < 50) NOT VALID;
CREATE INDEX ordered_note ON corpus.ordered (note) WHERE note IS NOT NULL;
CREATE INDEX ordered_lower ON corpus.ordered (lower(name), amount DESC);
ALTER INDEX corpus.ordered_lower ALTER COLUMN 1 SET STATISTICS 300;
CREATE INDEX ordered_hash ON corpus.ordered USING hash (made);
CREATE STATISTICS corpus.ordered_stats (dependencies) ON name, note FROM corpus.ordered;
ALTER STATISTICS corpus.ordered_stats SET STATISTICS 77;
SELECT setval('corpus.ordered_id_seq', 61, false);
CREATE SEQUENCE corpus.far START 1000;
SELECT nextval('corpus.far') FROM generate_series(1, 25);
CREATE FUNCTION corpus.twice(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i * 2';
CREATE FUNCTION corpus.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'stamped'); RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON corpus.ordered FOR EACH ROW EXECUTE FUNCTION corpus.stamp();
ALTER TABLE corpus.ordered ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON corpus.ordered FOR SELECT TO zoo_reader USING (amount < 50);
CREATE VIEW corpus.cheap AS SELECT id, name FROM corpus.ordered WHERE amount < 10;
CREATE MATERIALIZED VIEW corpus.total AS SELECT count(*) AS n, sum(amount) AS amount FROM corpus.ordered;
CREATE UNIQUE INDEX total_n ON corpus.total (n);
GRANT SELECT, INSERT ON corpus.ordered TO zoo_reader;
GRANT SELECT (a) ON corpus.many TO zoo_reader;
COMMENT ON COLUMN corpus.ordered.amount IS 'in euros';
CREATE FUNCTION corpus.size_number(corpus.size) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (corpus.size AS integer) WITH FUNCTION corpus.size_number(corpus.size) AS ASSIGNMENT;
CREATE OPERATOR corpus.~~~ (leftarg = integer, rightarg = integer, function = int4eq, commutator = OPERATOR(corpus.~~~));
CREATE OPERATOR CLASS corpus.backwards FOR TYPE integer USING btree AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(integer, integer);
CREATE COLLATION corpus.plain (provider = libc, locale = 'C');
CREATE TEXT SEARCH CONFIGURATION corpus.search (copy = simple);
CREATE TEXT SEARCH DICTIONARY corpus.stopless (template = simple, accept = true);
CREATE TABLE corpus.parted (id integer NOT NULL, part integer NOT NULL, body text) PARTITION BY LIST (part);
CREATE TABLE corpus.parted_1 PARTITION OF corpus.parted FOR VALUES IN (1);
CREATE TABLE corpus.parted_2 PARTITION OF corpus.parted FOR VALUES IN (2);
CREATE FUNCTION corpus.pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER parted_stamp BEFORE UPDATE ON corpus.parted FOR EACH ROW EXECUTE FUNCTION corpus.pass();
ALTER TABLE corpus.parted_2 DISABLE TRIGGER parted_stamp;
INSERT INTO corpus.parted SELECT g, 1 + g % 2, 'p' || g FROM generate_series(1, 40) g;
CREATE SCHEMA shown;
CREATE TABLE shown.one (id integer PRIMARY KEY, name text, hidden text);
INSERT INTO shown.one VALUES (1, 'a', 'b'), (2, 'c', NULL);
CREATE PUBLICATION shown FOR TABLE shown.one (id, name) WHERE (id > 0);
