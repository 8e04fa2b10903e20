"""The query page reads, for a while, so many rows, and nothing talks it into more."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.errors import PostgresError, UsageError
from bounty_ops.studio import asking
from bounty_ops.studio.asking import as_csv, ask, harmless
from bounty_ops.studio.statement import require_reading
from bounty_ops_tests.studio.conftest import execute

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.studio.conftest import Visitor

WRITING = (
    "DELETE FROM t",
    "COMMIT; DELETE FROM t",
    "SELECT 1; DELETE FROM t",
    "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM t",
    "SELECT * INTO u FROM t",
    "SELECT * FROM t FOR UPDATE",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "DO $$ BEGIN SET TRANSACTION READ WRITE; DELETE FROM t; END $$",
    "DO $$ BEGIN COMMIT; SET default_transaction_read_only = off; DELETE FROM t; END $$",
    "SET TRANSACTION READ WRITE",
    "COMMIT",
    "TRUNCATE t",
    "CALL p()",
)
#: Of these the server refuses nothing: they end or change nothing but the session itself.
HARMLESS = ("COMMIT",)


@pytest.mark.parametrize("sql", [*WRITING, "COPY t TO PROGRAM 'id'", "LISTEN x", "", "SELEC 1"])
def test_only_one_statement_that_reads_is_let_through(sql: str) -> None:
    with pytest.raises(UsageError):
        require_reading(sql)


@pytest.mark.parametrize(
    ("sql", "explainable"),
    [
        ("SELECT 1", True),
        ("(SELECT 1) UNION SELECT 2 -- that is all", True),
        ("WITH a AS (SELECT 1) TABLE a;", True),
        ("VALUES (1)", True),
        ("SHOW timezone", False),
        ("EXPLAIN ANALYZE SELECT 1", False),
    ],
)
def test_what_reads_is_let_through(sql: str, explainable: bool) -> None:
    assert require_reading(sql) is explainable


def test_the_server_refuses_too(empty: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(
        empty,
        "CREATE TABLE t AS SELECT generate_series(1, 5) AS n; "
        "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; DELETE FROM t; END $$; "
        "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM set_config('transaction_read_only', 'off', false); "
        "DELETE FROM t; RETURN 1; END $$",
    )
    monkeypatch.setattr(asking, "require_reading", lambda _sql: False)
    for sql in (*WRITING, "SELECT f()"):
        if sql in HARMLESS:
            continue
        with pytest.raises(PostgresError):
            ask(empty, sql, secrets=None)
    assert execute(empty, "SELECT count(*) FROM t") == [(5,)]


def test_an_answer_has_a_plan_and_an_end(
    empty: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(empty, "SELECT n, NULL AS nothing FROM generate_series(1, 3) n", secrets=None)
    assert answer.columns == ("n", "nothing")
    assert answer.rows == (("1", None), ("2", None), ("3", None))
    assert not answer.cut
    assert "Function Scan" in answer.plan[0]
    exact = ask(
        empty,
        "SELECT 'infinity'::date, 1.10::numeric, '{\"b\": 1}'::json, ARRAY[1, 2], true",
        secrets=None,
    )
    assert exact.rows == (("infinity", "1.10", '{"b": 1}', "{1,2}", "t"),)
    nothing = ask(empty, "SELECT 1 AS one WHERE false", secrets=None)
    assert (nothing.columns, nothing.rows) == (("one",), ())
    endless = ask(empty, "SELECT generate_series(1, 1000000000)", secrets=None, most=10)
    assert len(endless.rows) == 10
    assert endless.cut
    large = ask(
        empty,
        "SELECT repeat('x', 8000000) FROM generate_series(1, 100)",
        secrets=None,
        letters=5_000_000,
    )
    assert large.cut
    assert large.shortened
    assert 0 < len(large.rows) < 10
    planned = ask(empty, "SELECT pg_sleep(1000)", secrets=None, run=False)
    assert planned.rows == ()
    assert planned.plan
    monkeypatch.setattr(asking, "STATEMENT_MILLISECONDS", 50)
    with pytest.raises(PostgresError, match="timeout"):
        ask(empty, "SELECT pg_sleep(1000)", secrets=None)


def test_a_spreadsheet_carries_nothing_out() -> None:
    for formula in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"):
        assert harmless(formula) == f"'{formula}"
    for plain in ("-5", "-5.25", "-1e-7", "text", "", "a=b"):
        assert harmless(plain) == plain


def test_the_page_answers(reader: Visitor) -> None:
    visitor = reader
    sql = "SELECT grows, row_no - 2 AS less FROM garden.bed ORDER BY 1"
    shown = visitor.post("/query", {"sql": sql, "wish": "run"})
    assert "2 rows in" in shown.text
    assert "=1+1" in shown.text
    assert "Sort" in shown.text, "the plan"
    sheet = visitor.post("/query", {"sql": sql, "wish": "csv"})
    assert sheet.headers["content-type"].startswith("text/csv")
    assert sheet.headers["content-disposition"] == 'attachment; filename="query.csv"'
    assert list(csv.reader(io.StringIO(sheet.text))) == [
        ["grows", "less"],
        ["'=1+1", "-1"],
        ["beans", "-1"],
    ]
    refused = visitor.post("/query", {"sql": "COMMIT; DELETE FROM keyless"})
    assert refused.status == 400
    assert "there are 2 statements" in refused.text
    wrong = visitor.post("/query", {"sql": "SELECT nothing FROM keyless"})
    assert "does not exist" in wrong.text
    explained = visitor.post("/query", {"sql": "TABLE keyless", "wish": "explain"})
    assert "Seq Scan on keyless" in explained.text
    assert " rows in" not in explained.text


def test_a_cut_file_says_so_in_its_name(
    empty: DatabaseUrl,
) -> None:
    answer = ask(empty, "SELECT n FROM generate_series(1, 5) n", secrets=None, most=2)
    assert answer.cut
    assert as_csv(answer) == "n\r\n1\r\n2\r\n"


def test_values_come_as_the_server_writes_them(empty: DatabaseUrl) -> None:
    """The query around the query changes nothing but the length of long values."""
    execute(
        empty,
        "CREATE TYPE mood AS ENUM ('good'); CREATE DOMAIN word AS text; "
        "CREATE TYPE pair AS (a integer, b text); "
        "CREATE TABLE t (a char(4), b varchar(9), c bytea, d jsonb, e uuid, f interval, g mood, "
        "h word, i pair, j inet, k xml, l integer[], m tsvector, n numeric, o timestamptz, "
        'p boolean, q name, r "char", s bit varying, t int4range, u point, v money); '
        "INSERT INTO t VALUES ('ab', 'c', '\\xff', '{\"k\": [1, null]}', "
        "'00000000-0000-0000-0000-000000000001', '1 day 2 hours', 'good', 'w', (1, 'x, y'), "
        "'10.0.0.1/8', '<a/>', '{1,NULL}', 'cat:3', 1.50, '2026-01-01 00:00+00', true, 'n', 'x', "
        "B'101', '[1,5)', '(1,2)', 3); "
        "INSERT INTO t DEFAULT VALUES;",
    )
    got = ask(empty, "TABLE t; -- all of it", secrets=None)
    with psycopg.connect(**empty.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        columns = ", ".join(f"format('%s', {name})" for name in got.columns)
        written = connection.execute(f"SELECT {columns} FROM t".encode()).fetchone()
    assert got.rows == (written, (None,) * len(got.columns))
    assert len(got.columns) == 22
    odd = ask(
        empty,
        "SELECT 1 AS same, 2 AS same, ROW(1, 'x'), pg_sleep(0), NULL, 'u', "
        "(SELECT array_agg(n) FROM generate_series(1, 3) n)",
        secrets=None,
    )
    assert odd.rows == (("1", "2", "(1,x)", "", None, "u", "{1,2,3}"),)
    assert odd.columns[:2] == ("same", "same")
    assert ask(empty, "SELECT FROM t", secrets=None).rows == ((), ())
    ordered = ask(empty, "SELECT n FROM generate_series(1, 5) n ORDER BY n DESC", secrets=None)
    assert [row[0] for row in ordered.rows] == ["5", "4", "3", "2", "1"]


def test_a_value_of_a_gigabyte_stays_where_it_is(empty: DatabaseUrl) -> None:
    answer = ask(empty, "SELECT repeat('x', 100000000) AS long, 'y' AS short", secrets=None)
    assert answer.rows == (("x" * 2_000 + "…", "y"),)
    assert answer.shortened
    assert not ask(empty, "SELECT repeat('x', 2000)", secrets=None).shortened


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_terminate_backend(1)",
        "SELECT pg_catalog.pg_cancel_backend(pid) FROM pg_stat_activity",
        "SELECT * FROM dblink('host=x', 'DELETE FROM t') AS t(a integer)",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_reload_conf()",
        "WITH a AS (SELECT set_config('x.y', 'z', false)) SELECT * FROM a",
        "SELECT 1 WHERE pg_switch_wal() IS NULL",
    ],
)
def test_functions_that_act_are_refused(sql: str) -> None:
    with pytest.raises(UsageError, match="does more than read"):
        require_reading(sql)
