"""The query page reads, for a while, so many rows, and nothing talks it into more."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

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


def test_the_server_refuses_too(
    fresh_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        fresh_database,
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
            ask(fresh_database, sql)
    assert execute(fresh_database, "SELECT count(*) FROM t") == [(5,)]


def test_an_answer_has_a_plan_and_an_end(
    fresh_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(fresh_database, "SELECT n, NULL AS nothing FROM generate_series(1, 3) n")
    assert answer.columns == ("n", "nothing")
    assert answer.rows == (("1", None), ("2", None), ("3", None))
    assert not answer.cut
    assert "Function Scan" in answer.plan[0]
    exact = ask(
        fresh_database,
        "SELECT 'infinity'::date, 1.10::numeric, '{\"b\": 1}'::json, ARRAY[1, 2], true",
    )
    assert exact.rows == (("infinity", "1.10", '{"b": 1}', "{1,2}", "t"),)
    empty = ask(fresh_database, "SELECT 1 AS one WHERE false")
    assert (empty.columns, empty.rows) == (("one",), ())
    endless = ask(fresh_database, "SELECT generate_series(1, 1000000000)", most=10)
    assert len(endless.rows) == 10
    assert endless.cut
    large = ask(fresh_database, "SELECT repeat('x', 8000000) FROM generate_series(1, 100)")
    assert large.cut
    assert len(large.rows) < 10
    planned = ask(fresh_database, "SELECT pg_sleep(1000)", run=False)
    assert planned.rows == ()
    assert planned.plan
    monkeypatch.setattr(asking, "STATEMENT_MILLISECONDS", 50)
    with pytest.raises(PostgresError, match="timeout"):
        ask(fresh_database, "SELECT pg_sleep(1000)")


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
    fresh_database: DatabaseUrl,
) -> None:
    answer = ask(fresh_database, "SELECT n FROM generate_series(1, 5) n", most=2)
    assert answer.cut
    assert as_csv(answer) == "n\r\n1\r\n2\r\n"
