"""No literal gets past the stripper, whatever the statement looks like."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bounty_ops.monitoring.literals import MAX_LENGTH, strip_literals

#: Every character of a secret is one of these, and nothing else of a statement is: so even a
#: single character that gets through is noticed.
SECRET_LETTERS = "§¤ß"
SECRET_DIGITS = "789"
_SECRET = re.compile(f"[{SECRET_LETTERS}{SECRET_DIGITS}]")


@pytest.mark.parametrize(
    ("statement", "stripped"),
    [
        ("select 'it''s', 42", "select ?, ?"),
        ("select e'it\\'s', 1.5e-7, .5, 0xFF, 1_000", "select ?, ?, ?, ?, ?"),
        ("select U&'d\\0061ta', b'101', X'1F', n'x'", "select ?, ?, ?, ?"),
        ("select $$a ' b$$, $tag$ $$ $tag$, $1, $23", "select ?, ?, $1, $23"),
        ("select date'2026-01-01' from t1 as x2", "select date? from t1 as x2"),
        ('select "credentialID" from "user"', 'select "credentialID" from "user"'),
        ('select * from t where email = "a@b.c"', 'select * from t where email = "?"'),
        ("select 1 -- the key is abc\n, x", "select ? , x"),
        ("select /* a */ x", "select x"),
        ("select /* a /* nested */ secret */ x", "select ..."),
        ("select\n\n  x,\ty", "select x, y"),
        ("select data->>'token' from t", "select data->>? from t"),
        ("create role x password 'abc'", "create role x password ?"),
        ("SET app.token TO abc", "SET app.token TO ?"),
        ("set local app . token=abc, def; select x", "set local app . token= ?; select x"),
        ("alter role x set app.token = abc", "alter role x set app.token = ?"),
        ("SET app.token abc", "SET app.token ?"),
        ("SET SESSION AUTHORIZATION x", "SET SESSION AUTHORIZATION x"),
        ("SET TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY"),
        ("set local transaction read only", "set local transaction read only"),
        ("SET ROLE x", "SET ROLE x"),
        ("CREATE USER x LOGIN PASSWORD abc", "CREATE USER x LOGIN PASSWORD ?"),
        ("ALTER ROLE x PASSWORD NULL", "ALTER ROLE x PASSWORD NULL"),
        ("update t set x = y where z = 'a'", "update t set x = y where z = ?"),
        ("select 1$$a secret$$", "select ??..."),
        ("select f(a = 'x'), -1.5e3 from t", "select f(a = ?), -? from t"),
        ("/* app */ select a from t where b = $1 /* trace */", "select a from t where b = $1"),
        ("select a -- the key\n from t -- 1", "select a from t"),
        ("insert into t values ('a', default)", "insert into t values (?, default)"),
        ("select U&'d!0061' uescape '!' as a", "select ? uescape ? as a"),
        ("select $123456", "select $?"),
    ],
)
def test_literals_become_placeholders_and_the_rest_stays(statement: str, stripped: str) -> None:
    assert strip_literals(statement) == stripped


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ("insert into t values ('O'secret', 'x')", "insert into t values (?..."),
        ("select 'a'secret, 'b'", "select ?..."),
        ("select 'a',secret', 'b", "select ?..."),
        ("/* a*/secret */ select 1", "..."),
        ("select 1 /* a*/secret */ from t", "select ? ..."),
        ("select 1 /* a*/secret/* b */ from t", "select ? ..."),
        ("select 1 -- a\nsecret", "select ? ..."),
        ("select 1 /*/ secret */ secret */", "select ? ..."),
        ("select $$a$$secret$$b$$", "select ?..."),
        ("select a from t where b = 'x' and c in (secret", "select a from t where b = ?..."),
        ('select "a@b" as x, "secret', 'select "?"...'),
    ],
)
def test_where_a_literal_or_comment_may_have_ended_too_early_nothing_is_kept_after_it(
    statement: str, kept: str
) -> None:
    assert strip_literals(statement) == kept


@pytest.mark.parametrize(
    "cut_off",
    [
        "select 'abc",
        "select e'ab\\'c",
        "select $$abc",
        "select $x$ab$$c",
        'select "abc',
        "select /* abc",
    ],
)
def test_text_that_ends_inside_a_literal_is_dropped_from_there(cut_off: str) -> None:
    assert "abc" not in strip_literals(cut_off).replace("select", "")
    assert strip_literals(cut_off).endswith("...")


def test_a_backslash_before_a_quote_drops_the_rest_because_its_meaning_depends_on_a_setting() -> (
    None
):
    # With standard_conforming_strings off the literal goes on, and `secret` belongs to it.
    assert strip_literals("select 'a\\' || secret || 'b', c") == "select ?..."


def test_a_very_long_statement_is_cut() -> None:
    stripped = strip_literals("select " + ", ".join("column_name" for _ in range(10_000)))
    assert len(stripped) == MAX_LENGTH
    assert stripped.endswith("...")


_secret = st.text(alphabet=SECRET_LETTERS + SECRET_DIGITS, min_size=1, max_size=8)
_spiced = st.lists(st.one_of(_secret, st.sampled_from([" ", "--", "/*", '"', "$", "E", ";"]))).map(
    "".join
)
_quoted = st.lists(st.one_of(_spiced, st.sampled_from(["''", "\\", "\n"]))).map(
    lambda parts: "'" + "".join(parts) + "'"
)
_escaped = st.lists(st.one_of(_spiced, st.sampled_from(["''", "\\'", "\\\\", "\\n"]))).map(
    lambda parts: "E'" + "".join(parts) + "'"
)
_prefixed = st.tuples(st.sampled_from(["B", "x", "N", "u&", "U&", "date", "json"]), _quoted).map(
    "".join
)
_number = st.tuples(
    st.text(alphabet=SECRET_DIGITS, min_size=1),
    st.sampled_from(["", ".", "e", "E+", "_", "e-", "."]),
    st.text(alphabet=SECRET_DIGITS),
).map("".join)
_dollar = st.tuples(
    st.sampled_from(["$$", "$a$", "$_x0$"]), _spiced.map(lambda text: text.replace("$", ""))
).map(lambda pair: pair[0] + pair[1] + pair[0])
_comment = st.one_of(
    _secret.map(lambda text: f"--{text}\n"), _secret.map(lambda text: f"/*{text}/*{text}*/{text}*/")
)
_literal = st.one_of(_quoted, _escaped, _prefixed, _number, _dollar, _comment)
_plain = st.sampled_from(
    ["select", "x", "t1", '"User"', "$1", "->>", "::", "(", ")", ",", "*", "-", "/", "e", "u&", ";"]
)
# Between two tokens stands a space or nothing; where nothing would join two of them into another
# token, PostgreSQL would read something else than what is meant here.
_statement = st.lists(st.tuples(_plain, _literal).map(lambda pair: f"{pair[0]} {pair[1]} ")).map(
    "".join
)


@given(_statement)
def test_no_character_of_a_literal_is_kept(statement: str) -> None:
    assert not _SECRET.search(strip_literals(statement))


@given(_statement, st.integers(min_value=0))
def test_no_character_of_a_literal_is_kept_wherever_the_text_was_cut_off(
    statement: str, length: int
) -> None:
    cut = statement[: length % (len(statement) + 1)]
    assert not _SECRET.search(strip_literals(cut))


_quotes = st.sampled_from([1, 3, 5])
_words = st.text(alphabet="§¤ß ", min_size=1, max_size=6)


@given(
    st.lists(st.tuples(_plain, _literal).map(lambda pair: f"{pair[0]} {pair[1]} "), max_size=4),
    _quotes.flatmap(lambda count: st.lists(_words, min_size=count + 1, max_size=count + 1)),
    st.integers(min_value=0),
)
def test_nothing_is_kept_of_a_literal_whose_quotes_nobody_doubled(
    before: list[str], parts: list[str], length: int
) -> None:
    """An odd number of them, so that the text ends within a literal, whole or cut off."""
    statement = "insert into t select " + "".join(before) + ", '" + "'".join(parts) + "', x from t"
    assert not _SECRET.search(strip_literals(statement))
    assert not _SECRET.search(strip_literals(statement[: length % (len(statement) + 1)]))


@given(st.sampled_from(["/*{}*/", "--{}\n"]), st.lists(_words, min_size=2, max_size=4))
def test_nothing_is_kept_of_a_comment_that_its_own_text_ends(form: str, parts: list[str]) -> None:
    end = "*/" if form.startswith("/*") else "\n"
    for statement in ("select 1 {} from t", "{} select x from t", "select x from t {}"):
        text = statement.format(form.format(end.join(parts)))
        assert not _SECRET.search(strip_literals(text))


@given(st.text())
@example("\xa00")
def test_any_text_can_be_stripped(text: str) -> None:
    stripped = strip_literals(text)
    assert len(stripped) <= MAX_LENGTH
    assert "'" not in stripped
    assert not re.search(r"(?<![\w$\u0080-\U0010ffff])[0-9]", stripped)
