"""Names and values that nobody would choose: all is measured, and shown as words only."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from psycopg import sql
from rich.console import Console

from bounty_ops.cli.monitor.answer import draw_collection
from bounty_ops.cli.monitor.findings import draw_findings
from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring import (
    Indexes,
    Sequences,
    Tables,
    collect,
    latest_collections,
    report,
    store_collection,
)
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.grants import role_script
from bounty_ops.monitoring.telling import compose, page
from bounty_ops.postgres.connect import engine
from bounty_ops_tests.monitoring.conftest import environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

NAMES: Final = (
    "<script>alert(1)</script>", 'a"b', "line\nbreak", "ünïcödé 表", "it's", "%s {} %(x)s",
    "esc\x1b[31m", "user", "semi; DROP TABLE x; --", "back\\slash", "| md | `x` |", "   ", "x" * 63,
)  # fmt: skip
#: `{0}` is a name, in the same words for a table, its column, its index, its schema.
OF_EACH: Final = (
    "CREATE TABLE {0} (id serial PRIMARY KEY, {0} text NOT NULL, parent int)",
    "INSERT INTO {0} ({0}, parent) SELECT md5(g::text), g FROM generate_series(1, 50) AS g",
    "CREATE INDEX ON {0} (lower({0}))",
    "CREATE INDEX ON {0} ({0})",
    "CREATE INDEX ON {0} ({0}, id)",
    "ALTER TABLE {0} ADD CONSTRAINT {0} FOREIGN KEY (parent) REFERENCES {0} (id)",
    "CREATE SCHEMA {0}",
    "CREATE TABLE {0}.{0} (id int)",
    "CREATE SEQUENCE {0}.s AS smallint",
    "SELECT setval(pg_get_serial_sequence(quote_ident({1}), 'id'), 2140000000)",
)

UNUSUAL: Final = """
CREATE TABLE nothing (); CREATE UNLOGGED TABLE unlogged (id serial PRIMARY KEY);
CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY, a int,
                   b int GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')
    PARTITION BY LIST (id);
CREATE TABLE parts_1_rest PARTITION OF parts_1 DEFAULT;
CREATE INDEX ON parts (id); CREATE INDEX unattached ON ONLY parts (at);
CREATE MATERIALIZED VIEW seen AS SELECT 1 AS x; CREATE UNIQUE INDEX ON seen (x);
CREATE MATERIALIZED VIEW unseen AS SELECT 1 AS x WITH NO DATA;
CREATE FOREIGN DATA WRAPPER nobody; CREATE SERVER far FOREIGN DATA WRAPPER nobody;
CREATE FOREIGN TABLE abroad (id serial) SERVER far;
CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
CREATE TABLE options (id int) WITH (autovacuum_enabled = 'of', toast.autovacuum_enabled = false,
    autovacuum_vacuum_scale_factor = '1e-3', autovacuum_freeze_max_age = 100000);
CREATE TABLE ranges (r int4range, EXCLUDE USING gist (r WITH &&));
CREATE INDEX ON made USING brin (a); CREATE INDEX ON made USING hash (a);
CREATE TABLE dropped (a int, b int, c int); CREATE INDEX ON dropped (c, a);
ALTER TABLE dropped DROP COLUMN b;
CREATE SEQUENCE down INCREMENT -1 MINVALUE -9223372036854775808;
CREATE SCHEMA a; CREATE SCHEMA "a.b"; CREATE TABLE a."b.c" (id int PRIMARY KEY);
CREATE TABLE "a.b".c (id int PRIMARY KEY); CREATE SEQUENCE a."b.s"; CREATE SEQUENCE "a.b".s;
ANALYZE
"""

#: What each column of a moment may hold, and a clock and a span, which are none.
MOMENTS: Final = """
CREATE TABLE moments (expires_at timestamptz, expired date, valid_until timestamp,
                      expiry time, "expiring" timetz, "expires in" interval,
                      created_at timestamptz DEFAULT now());
INSERT INTO moments SELECT 'infinity', '5874897-12-31', '-infinity', '12:00'::time + s,
    '12:00+02', s, '-infinity'
    FROM (SELECT g * interval '1 second' AS s FROM generate_series(1, 300) AS g) AS x;
INSERT INTO moments SELECT '4713-01-01 BC', '-infinity', '294276-12-31', '1:00', '1:00+02', '1 day',
    '2001-01-01' FROM generate_series(1, 300);
INSERT INTO moments SELECT '2001-01-01'::timestamptz + g * interval '1 day', date '2002-01-01' + g,
    timestamp '2003-01-01' + g * interval '1 day', '2:00', '2:00+02', '2 days', now()
    FROM generate_series(1, 300) AS g;
CREATE TABLE begun (expires_at date);
INSERT INTO begun SELECT date '2001-01-01' + g FROM generate_series(1, 300) AS g;
ANALYZE
"""


def test_odd_names_are_words_only_and_every_remedy_is_a_statement(
    fresh_database: DatabaseUrl, make_database: Callable[..., DatabaseUrl]
) -> None:
    operations_url = make_database()
    migrate_ops(operations_url)
    operations = engine(operations_url, application_name="tests")
    with psycopg.connect(**fresh_database.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
        for name in NAMES:
            for statement in OF_EACH:
                words = sql.SQL(statement).format(sql.Identifier(name), sql.Literal(name))
                session.execute(words)
        session.execute(UNUSUAL.encode())
        temporary = session.execute("CREATE TEMP TABLE passing (id serial PRIMARY KEY)")
        assert temporary.statusmessage == "CREATE TABLE"
        environment = environment_of(fresh_database, slow_query_seconds=0.000_001)
        result = collect(environment)
    assert set(result.families) == set(FAMILIES)
    assert [each.reason for each in result.unknown if each.subject == "everything"] == []
    tables = result.family(Tables)
    assert tables is not None
    assert {*NAMES, "nothing", "unlogged", "parts_1_rest", "unseen"} <= {
        t.name for t in tables.tables
    }
    assert not {"passing", "abroad"} & {t.name for t in tables.tables}
    findings = report(result)
    full = {one.subject for one in findings if one.kind == "sequence_near_limit"}
    assert len(full) == len(NAMES)
    screen = io.StringIO()
    drawn = Console(file=screen, width=200, markup=False, highlight=False)
    draw_collection(drawn, result)
    draw_findings(drawn, "development", findings)
    assert "\x1b" not in screen.getvalue()
    html = page(compose(environment, result, findings))
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    store_collection(operations, result)
    (kept,) = latest_collections(operations, "development", families=set(FAMILIES))
    for kind in (Tables, Indexes, Sequences):
        assert kept.family(kind) is not None
    again = collect(environment, former=kept, memory=result.memory)
    assert set(again.families) == set(FAMILIES)


@pytest.mark.parametrize("granted", [False, True], ids=["the owner", "the printed function"])
def test_moments_that_no_clock_shows_cost_nothing_but_themselves(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl], *, granted: bool
) -> None:
    execute(fresh_database, MOMENTS)
    url = fresh_database
    if granted:
        url = make_role(fresh_database)
        script = role_script(fresh_database, "monitoring", url.user).sql()
        with psycopg.connect(**fresh_database.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
            session.execute(script.encode())
    result = collect(environment_of(url))
    tables = result.family(Tables)
    assert tables is not None
    found = {table.name: table for table in tables.tables}
    assert found["begun"].expired_share == 1.0
    assert found["begun"].earliest_expiry is not None
    assert found["moments"].expiry_column == "expires_at"
    assert found["moments"].expired_share == pytest.approx(2 / 3, abs=0.35)
