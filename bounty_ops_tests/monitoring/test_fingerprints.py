"""A statement is known again whatever its literals, and its fingerprint gives none of them away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring.fingerprints import fingerprint_of


@pytest.mark.parametrize(
    "alike",
    [
        ("select 1", "SELECT  $1", "select 'x' -- comment", "/* a */ select $$x$$"),
        ("select * from t where a in (1, 2)", "select * from t where a in ($1,$2,$3)"),
        ("insert into t values (1, 'x')", "insert into t values ($1, $2), ($3, $4)"),
        ("create role x password 'a'", "CREATE ROLE x PASSWORD 'b'"),
        ("alter role x set a.b to 'y'", "alter role x set a.b to z"),
        ("set a.b = 'y'", "SET a.b = 'z'"),
        ("copy t from '/a'", "copy t from '/b'"),
        ("select data ? 'a'", "select data ? 'b'"),
        ("select interval '1 day'", "select interval $1"),
        ("not a ( statement 1, 2", "NOT a(statement $1"),
        ("select 'cut off", "select 'else"),
    ],
)
def test_literals_spaces_comments_and_the_length_of_lists_make_no_difference(
    alike: tuple[str, ...],
) -> None:
    assert len({fingerprint_of(text) for text in alike}) == 1


def test_different_statements_differ() -> None:
    texts = [
        "select a from t", "select b from t", "select a from u", "select a from t where b = 1",
        "select a from t where b > 1", "create role x", "set a.b = 1",
        "set a.c = 1", "not a statement", 'not a "statement"', "select 'cut", "delete from t",
    ]  # fmt: skip
    assert len({fingerprint_of(text) for text in texts}) == len(texts)


def test_what_is_too_long_or_too_deep_to_be_parsed_has_one_too() -> None:
    assert fingerprint_of("select " + "+".join(["1"] * 100_000)).startswith("~")
    assert fingerprint_of("select " + "(" * 20_000 + "1" + ")" * 20_000).startswith("~")


@given(st.text(alphabet="0123456789abc'\"$ ();-/*?", max_size=40))
def test_any_text_has_one(text: str) -> None:
    assert len(fingerprint_of(text)) == 16
    assert fingerprint_of(text) == fingerprint_of(text)
