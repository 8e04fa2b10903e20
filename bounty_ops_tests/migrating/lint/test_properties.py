"""What holds for every text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from bounty_ops.migrating.lint import RULES, lint_sql
from bounty_ops_tests.migrating.lint.examples import EXAMPLES, hazards, lint

if TYPE_CHECKING:
    from bounty_ops_tests.migrating.lint.example import Example

_STATEMENTS = st.sampled_from([each.sql for each in EXAMPLES])
_MAJORS = st.integers(14, 18)


@settings(max_examples=150, deadline=None)
@given(
    st.text() | st.lists(_STATEMENTS | st.text(max_size=30), max_size=4).map(";\n".join), _MAJORS
)
def test_no_text_breaks_the_linter_and_every_line_is_in_it(text: str, major: int) -> None:
    found = lint_sql(text, pg_major=major)
    last = max(1, len(text.replace("\r\n", "\n").split("\n")))
    for each in found:
        assert 1 <= each.line <= last
        assert each.rule in RULES


@settings(max_examples=60, deadline=None)
@given(st.lists(_STATEMENTS, max_size=6), st.lists(_STATEMENTS, max_size=6))
def test_no_history_breaks_the_linter(history: list[str], statements: list[str]) -> None:
    lint_sql(";\n".join(statements), history=history)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cutting_a_text_anywhere_breaks_nothing(data: st.DataObject) -> None:
    text = data.draw(_STATEMENTS)
    end = data.draw(st.integers(0, len(text)))
    lint_sql(text[:end])


_WORDS = re.compile(r"'[^']*'|\"[^\"]*\"|\$\$.*?\$\$|\s+|\w+|.", re.DOTALL)


def _respelled(text: str, data: st.DataObject) -> str:
    """The same statements in another case, with comments and white space between the words."""
    between = st.sampled_from(["  ", "\n", " /* DROP TABLE x; */ ", " -- it's\n\t"])
    cases = st.sampled_from([str.upper, str.lower, str.title])
    spelled = []
    for word in _WORDS.findall(text):
        if word.isspace():
            spelled.append(data.draw(between))
        elif word[0] in "'\"$":
            spelled.append(word)
        else:
            spelled.append(data.draw(cases)(word))
    return "".join(spelled)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_case_comments_and_spaces_change_nothing(example: Example, data: st.DataObject) -> None:
    assert hazards(lint(example, _respelled(example.text(), data))) == example.rules


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EXAMPLES))
def test_a_file_with_windows_line_ends_says_the_same(example: Example) -> None:
    assert hazards(lint(example, example.text().replace("\n", "\r\n"))) == example.rules
