"""Values for people: what is shown must be true to the value and cannot break the page."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.defs.presentation import code, known, size, table


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1024, "1.0 KiB"),
        (9_542_041, "9.1 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (5000 * 1024**4, "5,000.0 TiB"),
        (None, "unknown"),
    ],
)
def test_a_size_reads_in_the_largest_unit_that_fits(count: float | None, shown: str) -> None:
    assert size(count) == shown


def test_zero_is_a_value_and_not_unknown() -> None:
    assert known(0) == 0
    assert known("") == ""
    assert known(None) == "unknown"


def test_a_table_aligns_numbers_to_the_right_and_says_what_is_missing() -> None:
    shown = table(["name", "rows", "seconds"], [("a", 12_345, 0.5), ("b", 2, 1.0)])
    assert shown.splitlines() == [
        "| name | rows | seconds |",
        "| --- | ---: | ---: |",
        "| a | 12,345 | 0.5 |",
        "| b | 2 | 1 |",
    ]
    assert "| unknown |" in table(["x"], [(None,)])
    assert table(["x"], [], empty="nothing here") == "nothing here"


def test_a_long_table_is_cut_and_says_how_much_is_left_out() -> None:
    shown = table(["n"], [(number,) for number in range(250)])
    assert shown.count("\n| ") == 201
    assert shown.endswith("... and 50 more")


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=20))
def test_no_cell_can_break_out_of_its_table(rows: list[tuple[str, str]]) -> None:
    lines = table(["left", "right"], rows).split("\n")
    assert len(lines) == 2 + len(rows)
    for line in lines:
        # What remains after taking escaped characters away are the borders.
        assert re.sub(r"\\.", "", line).count("|") == 3


@given(st.text(alphabet=st.sampled_from(["`", "a", "\n", " "]), max_size=60))
def test_no_text_can_end_its_own_block_of_code(text: str) -> None:
    lines = code(text).split("\n")
    fence = lines[-1]
    assert set(fence) == {"`"}
    assert lines[0] == f"{fence}sql"
    assert all(fence not in line for line in lines[1:-1])


def test_a_very_long_text_is_cut_and_says_so() -> None:
    shown = code("x" * 60_000)
    assert len(shown) < 51_000
    assert "10,000 characters more" in shown
