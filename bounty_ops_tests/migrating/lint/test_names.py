"""What a server refuses for a name or an operator class, the linter says before; and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.migrating.lint import Catalogue, lint_sql, read_catalogue
from bounty_ops_tests.fix_servers import oldest_and_newest_major

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

_SCHEMA = """
CREATE SCHEMA own;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN label AS text;
CREATE SEQUENCE counter;
CREATE SEQUENCE own.counting;
CREATE SEQUENCE "Odd";
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION plain() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE FUNCTION taking(a int, b varchar) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 1 $$;
CREATE TABLE item (
  id serial PRIMARY KEY, number bigint GENERATED ALWAYS AS IDENTITY, title text, short varchar(9),
  word label, mood mood, doc json, data jsonb, tags text[], span int4range, search tsvector,
  done boolean, at timestamptz, net inet, spot point, code char(3), raw bytea, price numeric,
  day date, seen timestamp, hour time, took interval);
CREATE TRIGGER touching BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE log (at date) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TRIGGER logging AFTER INSERT ON log FOR EACH ROW EXECUTE FUNCTION touch();
"""

_COLUMNS = (
    "id", "number", "title", "short", "word", "mood", "doc", "data", "tags", "span", "search",
    "done", "at", "net", "spot", "code", "raw", "price",
)  # fmt: skip
_METHODS = ("btree", "hash", "gin", "gist", "spgist", "brin")
_INDEXES = tuple(
    f"CREATE INDEX ON item USING {method} ({column})" for method in _METHODS for column in _COLUMNS
)
_EXPRESSIONS = (
    "extract(year FROM at)", "extract(year FROM seen)", "extract(epoch FROM day)",
    "date_part('month', at)", "date_part('month', seen)", "date_part('hour', hour)",
    "date_trunc('day', at)", "date_trunc('day', seen)", "date_trunc('day', at, 'UTC')",
    "date_trunc('day', at AT TIME ZONE 'UTC')", "date_trunc('day', seen AT TIME ZONE 'UTC')",
    "(at AT TIME ZONE 'UTC')::date", "at::date", "seen::date", "day::timestamp", "day::timestamptz",
    "seen::timestamptz", "at::timestamp", "at::time", "seen::time", "date(at)", "date(seen)",
    "age(at)", "age(at, at)", "age(seen, seen)", "at + interval '1 day'", "seen + interval '1 day'",
    "at - interval '1 day'", "at - at", "day + 1", "day - day", "at + took", "seen - took",
    "at > seen", "at > day", "at > '2026-01-01'", "at > '2026-01-01'::timestamptz",
    "day > '2026-01-01'", "seen > day", "title || short", "title || id", "title || 'x'",
    "'x' || id", "title || id::text", "title || done", "title || '-' || price", "tags || title",
    "data || '{}'", "code || title", "id::text", "done::text", "price::text", "mood::text",
    "tags::text", "at::text", "day::text", "seen::text", "net::text", "data::text", "doc::text",
    "took::text", "title::date", "title::timestamptz", "title::int", "title::mood", "raw::text",
    "lower(title) || short", "coalesce(title, '') || coalesce(short, '')",
    "coalesce(at, 'epoch'::timestamptz)::date", "upper(mood::text)", "to_char(seen, 'YYYY')",
    "concat(title, short)", "md5(title)", "(data ->> 'a')", "(data ->> 'a')::int",
    "(data ->> 'a')::timestamptz", "to_tsvector('simple', title)", "to_tsvector(title)",
    "timezone('UTC', at)", "title = 'x'", "now() - at", "array_to_string(tags, ',')",
)  # fmt: skip
_OTHERS = (
    *(f"CREATE INDEX ON item (({each}))" for each in _EXPRESSIONS),
    *(f"CREATE INDEX ON item (id) WHERE (({each}) IS NOT NULL)" for each in _EXPRESSIONS),
    "CREATE INDEX ON item USING gin (title gin_trgm_ops)",
    "CREATE INDEX ON item USING gin (data jsonb_path_ops)",
    "CREATE INDEX ON item USING gin (doc jsonb_path_ops)",
    "CREATE INDEX ON item (title text_pattern_ops)",
    "CREATE INDEX ON item (short varchar_pattern_ops)",
    "CREATE INDEX ON item (short text_pattern_ops)",
    "CREATE INDEX ON item (id text_pattern_ops)",
    "CREATE INDEX ON item (word text_pattern_ops)",
    "CREATE INDEX ON item USING brin (id int4_minmax_multi_ops)",
    "CREATE TYPE hue AS ENUM ('red'); CREATE TABLE made (hue hue); CREATE INDEX ON made (hue)",
    "CREATE TYPE pair AS (a int); CREATE TABLE made (p pair); CREATE INDEX ON made (p)",
    "CREATE TYPE span AS RANGE (subtype = date); CREATE TABLE m (s span); CREATE INDEX ON m (s)",
    "CREATE DOMAIN part AS text; CREATE TABLE made (p part); CREATE INDEX ON made (p)",
    "CREATE UNIQUE INDEX ON item USING hash (id)",
    "CREATE INDEX ON item USING spgist (title, short)",
    "CREATE INDEX ON item USING brin (id, at)",
    "CREATE INDEX ON item USING gist (net inet_ops) INCLUDE (id)",
    "CREATE INDEX ON item USING spgist (title) INCLUDE (id)",
    "CREATE INDEX ON item USING gin (tags) INCLUDE (id)",
    "CREATE INDEX ON item USING brin (id NULLS LAST)",
    "CREATE INDEX ON item (missing(title))",
    "CREATE EXTENSION pg_trgm; CREATE INDEX ON item USING gin (title gin_trgm_ops)",
    "CREATE EXTENSION citext; ALTER TABLE item ADD COLUMN nick citext",
    "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE TRIGGER touching BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE OR REPLACE TRIGGER touching AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION plain()",
    "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION taking()",
    "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION missing()",
    (
        "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
    ),
    "CREATE TRIGGER t BEFORE UPDATE ON missing FOR EACH ROW EXECUTE FUNCTION touch()",
    "DROP TRIGGER touching ON item",
    "DROP TRIGGER missing ON item",
    "DROP TRIGGER IF EXISTS missing ON item",
    "DROP TRIGGER touching ON item; DROP TRIGGER touching ON item",
    "ALTER TABLE item DISABLE TRIGGER touching",
    "ALTER TABLE item DISABLE TRIGGER missing",
    "ALTER TABLE log_1 DISABLE TRIGGER logging",
    "DROP FUNCTION plain()",
    "DROP FUNCTION plain",
    "DROP FUNCTION plain(int)",
    "DROP FUNCTION missing()",
    "DROP FUNCTION IF EXISTS missing()",
    "DROP FUNCTION taking(integer, varchar(20))",
    "DROP FUNCTION taking(int4, text)",
    "CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION fresh()",
    (
        "CREATE FUNCTION fresh() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION fresh()"
    ),
    "CREATE SEQUENCE counter",
    "CREATE SEQUENCE item_id_seq",
    "CREATE SEQUENCE item_number_seq",
    "CREATE SEQUENCE IF NOT EXISTS counter",
    "CREATE SEQUENCE counting",
    "DROP SEQUENCE counter; CREATE SEQUENCE counter",
    "DROP SEQUENCE missing",
    "DROP SEQUENCE IF EXISTS missing",
    "ALTER SEQUENCE missing CACHE 5",
    "ALTER SEQUENCE own.counting CACHE 5",
    "ALTER SEQUENCE counter RENAME TO count; CREATE SEQUENCE counter",
    "ALTER TABLE counter RENAME TO count",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('counter')",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('missing')",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('public.counter'::regclass)",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('own.counter')",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('\"Odd\"')",
    "ALTER TABLE item ALTER id SET DEFAULT nextval('Odd')",
    "CREATE SEQUENCE fresh; ALTER TABLE item ALTER id SET DEFAULT nextval('fresh')",
    "ALTER TABLE item ADD COLUMN n serial; ALTER SEQUENCE item_n_seq CACHE 5",
    "ALTER TABLE item ALTER title SET DEFAULT missing()",
    "ALTER TABLE item ALTER title SET DEFAULT text(5)",
    "ALTER TABLE item ADD CHECK (missing(title) > 1) NOT VALID",
    "ALTER TABLE item ADD CHECK (length(title) > 1) NOT VALID",
    "CREATE POLICY p ON item USING (missing())",
    "CREATE VIEW v AS SELECT missing(title) FROM item",
    "CREATE VIEW v AS SELECT coalesce(upper(title), extract(year FROM at)::text) FROM item",
    "ALTER TABLE item RENAME TO thing; ALTER TABLE item ADD COLUMN a int",
    "ALTER TABLE item RENAME title TO name; CREATE INDEX ON item (title)",
    "ALTER TABLE item RENAME title TO name; CREATE INDEX ON item (name)",
)  # fmt: skip


@pytest.fixture(params=oldest_and_newest_major())
def known(
    request: pytest.FixtureRequest, pg_server_of: Callable[[int], DatabaseUrl]
) -> Iterator[tuple[psycopg.Connection[tuple[object, ...]], Catalogue, int]]:
    """A database, what the linter reads of it, and its major version."""
    major = request.param
    server = pg_server_of(major)
    name = f"lint_names_{major}"
    with psycopg.connect(**server.conninfo(), autocommit=True) as admin:  # type: ignore[arg-type] # all are text
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
    url = server.with_database(name)
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(_SCHEMA.encode())
        connection.commit()
        yield connection, read_catalogue(connection), major


@pytest.mark.many(every=3)
def test_the_linter_says_always_fails_where_the_server_refuses_and_nowhere_else(
    known: tuple[psycopg.Connection[tuple[object, ...]], Catalogue, int],
) -> None:
    connection, catalogue, major = known
    wrong = []
    for statement in (*_INDEXES, *_OTHERS):
        refused = _refused(connection, statement)
        found = {each.rule for each in lint_sql(statement, catalogue=catalogue, pg_major=major)}
        if ("always-fails" in found) != bool(refused):
            wrong.append((statement, refused, found))

    assert wrong == []


def _refused(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> str:
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate or "?"
    finally:
        connection.rollback()
    return ""
