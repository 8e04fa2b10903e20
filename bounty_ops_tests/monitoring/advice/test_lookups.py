"""Lookups without an index are found by evidence: statements, counters, or how a table is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring import Finding, Severity
from bounty_ops.monitoring.advice.conditions import Lookup, lookups
from bounty_ops.monitoring.advice.lookups import lookup_findings
from bounty_ops.monitoring.advice.window import Window
from bounty_ops.monitoring.collectors.indexes import ForeignKey, IndexFacts
from bounty_ops_tests.monitoring.advice.examples import collection, index, indexes, table, tables

if TYPE_CHECKING:
    from bounty_ops.monitoring.collectors.tables import TableFacts

PRIMARY = index("id", unique=True, primary=True)


def _found(
    one: TableFacts,
    *own: IndexFacts,
    statements: tuple[tuple[str, int], ...] = (),
    keys: tuple[ForeignKey, ...] = (),
    before: TableFacts | None = None,
) -> list[Finding]:
    result = collection(tables(one))
    history = [] if before is None else [collection(tables(before), days_ago=1)]
    window = Window(result, history)
    return list(lookup_findings(tables(one), indexes(*own, keys=keys), statements, window))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT * FROM rate_limit WHERE key = $1", [Lookup("rate_limit", ("key",))]),
        ('select "count" from "rate_limit" where "rate_limit"."key" = ? limit ?',
         [Lookup("rate_limit", ("key",))]),
        ("UPDATE s.t SET a = ? WHERE b = ? AND c > ?", [Lookup("s.t", ("b",))]),
        ("DELETE FROM t AS x WHERE x.a = $1::text AND ? = b", [Lookup("t", ("a", "b"))]),
        ("SELECT FROM t WHERE a IN ($1, $2) AND b = ANY ($3)", [Lookup("t", ("a", "b"))]),
        ("SELECT FROM a JOIN b ON a.id = b.a WHERE b.c = $1", [Lookup("b", ("c",))]),
        ("SELECT FROM a JOIN b ON a.id = b.a WHERE c = $1", []),
        ("SELECT FROM t WHERE a = $1 OR b = $2", []),
        ("SELECT FROM t WHERE lower(a) = $1", []),
        ("SELECT FROM t WHERE a = b", []),
        ("SELECT FROM t, (SELECT 1 AS a) AS s WHERE a = $1", []),
        ("SELECT * FROM t WHERE a = ? AND name = ...", []),
        ("INSERT INTO t VALUES (?)", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_statement_looks_up_what_must_equal_something_given(
    text: str, expected: list[Lookup]
) -> None:
    assert list(lookups(text)) == expected


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    assert isinstance(lookups(text), tuple)


def test_a_statement_that_no_index_serves_names_the_column() -> None:
    asked = ("SELECT * FROM rate_limit WHERE key = $1", 40), ("SELECT 1", 7)
    (finding,) = _found(table(sequential_scans=40), PRIMARY, statements=asked)
    assert finding.severity is Severity.WARNING
    assert "is looked up by key" in finding.title
    assert "40 calls" in finding.evidence
    assert finding.remedy == 'CREATE INDEX CONCURRENTLY ON "public"."rate_limit" ("key");'


@pytest.mark.parametrize(
    "own",
    [
        index("key"),
        index("key", "count"),
        index(None),  # an expression: it may be the very one
    ],
)
def test_a_statement_that_an_index_may_serve_is_no_finding(own: IndexFacts) -> None:
    asked = (("SELECT * FROM rate_limit WHERE key = $1 AND count = $2", 40),)
    assert not _found(table(), PRIMARY, own, statements=asked)


def test_an_invalid_index_serves_no_statement() -> None:
    asked = (("SELECT * FROM rate_limit WHERE key = $1", 40),)
    assert _found(table(), PRIMARY, index("key", valid=False), statements=asked)


def test_a_name_that_two_schemas_have_is_not_guessed() -> None:
    both = tables(table(), table(schema_name="other"))
    asked = [("SELECT * FROM rate_limit WHERE key = $1", 40)]
    window = Window(collection(both))
    assert not list(lookup_findings(both, indexes(PRIMARY), asked, window))


LOOKED_UP = {"lookup_columns": ("key",), "sequential_scans": 40, "sequential_rows_read": 40_000}


def test_rows_that_were_changed_without_an_index_scan_were_looked_for() -> None:
    (finding,) = _found(table(rows_updated=20, **LOOKED_UP), PRIMARY, index("count"))
    assert finding.severity is Severity.WARNING
    assert "is looked up by key" in finding.title
    assert "20 rows were changed or deleted, and indexes scanned 0 times" in finding.evidence


@pytest.mark.parametrize(
    "facts",
    [
        {"rows_updated": 20, "index_scans": 20},  # found through an index
        {"rows_updated": 4_000},  # many at once: reading all of it was right
        {"rows_updated": 0},
        {"rows_updated": 20, "lookup_columns": ()},
    ],
)
def test_counters_that_have_another_explanation_are_no_finding(facts: dict[str, object]) -> None:
    assert not _found(table(**{**LOOKED_UP, **facts}), PRIMARY, index("count"))


def test_only_what_was_counted_since_the_earlier_collection_speaks() -> None:
    long_ago = table(rows_updated=20, **LOOKED_UP)
    assert not _found(long_ago, PRIMARY, index("count"), before=long_ago)


def test_a_table_with_nothing_but_an_unused_primary_key_is_noted() -> None:
    (finding,) = _found(table(lookup_columns=("key", "other")), PRIMARY)
    assert finding.severity is Severity.INFO
    assert "can be searched by key, other only by reading all of it" in finding.title
    assert finding.remedy.endswith('("key");')


@pytest.mark.parametrize(
    "facts",
    [
        {"referenced": True},
        {"index_scans": 1},
        {"lookup_columns": ()},
        {"kind": "materialized view"},
    ],
)
def test_a_table_whose_rows_are_found_otherwise_is_not(facts: dict[str, object]) -> None:
    assert not _found(table(**{"lookup_columns": ("key",), **facts}), PRIMARY)


def test_a_table_that_refers_to_others_is_found_through_them() -> None:
    key = ForeignKey(
        schema_name="public", table="rate_limit", name="fk", columns=("user",), references="p.u"
    )
    assert not _found(table(lookup_columns=("key",)), PRIMARY, keys=(key,))
