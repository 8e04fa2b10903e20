"""Definitions that PostgreSQL writes in two ways are compared in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.postgres.definitions import normalised

#: What PostgreSQL writes at first, and what it writes after a dump and a restore of that.
BOTH_FORMS = [
    (
        "(s = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
        "(s = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))",
    ),
    (
        """(x = ANY ((ARRAY['it''s, ("b"]'::text, 'c'::text])::name[]))""",
        """(x = ANY (ARRAY[('it''s, ("b"]'::text)::name, ('c'::text)::name]))""",
    ),
    ("((ARRAY[1, f(2, 3)])::bigint[])", "(ARRAY[(1)::bigint, (f(2, 3))::bigint])"),
    (
        "(m = ANY ((ARRAY['a'::text])::app.\"My Type\"[]))",
        "(m = ANY (ARRAY[('a'::text)::app.\"My Type\"]))",
    ),
    (
        "(a = ANY ((ARRAY['x'::name])::text[]) OR b = ANY ((ARRAY['y'::name])::text[]))",
        "(a = ANY (ARRAY[('x'::name)::text]) OR b = ANY (ARRAY[('y'::name)::text]))",
    ),
    ("f((ARRAY[(ARRAY[1])::text[]])::x[])", "f(ARRAY[(ARRAY[(1)::text])::x])"),
]


@pytest.mark.parametrize(("before", "after"), BOTH_FORMS)
def test_both_forms_of_a_cast_array_are_brought_to_one(before: str, after: str) -> None:
    assert normalised(before) == normalised(after) == after


@pytest.mark.parametrize(
    "definition",
    [
        "CHECK (note <> '(ARRAY[''a''::text])::text[]')",
        'SELECT "(ARRAY[1])::text[]" FROM t',
        "DEFAULT '(ARRAY[1])::text[]'::text",
        "(ARRAY[1, 2])::text",
        "(ARRAY[1, 2",
        "(ARRAY['unfinished",
        "(ARRAY[1] || 2)::text[]",
    ],
)
def test_everything_else_stays_as_it_is(definition: str) -> None:
    assert normalised(definition) == definition


def test_different_values_stay_different() -> None:
    one = normalised("((ARRAY['a'::character varying, 'b'::character varying])::text[])")
    other = normalised("((ARRAY['a, b'::character varying])::text[])")

    assert one != other


_PIECES = st.sampled_from(
    ["(ARRAY[", "])::text[]", "'a'", "''", '"b"', ",", "(", ")", "[", "]", "E'\\''", "x", "::text"]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_whatever_it_is_given_it_ends_and_doing_it_twice_changes_nothing(text: str) -> None:
    once = normalised(text)

    assert normalised(once) == once
