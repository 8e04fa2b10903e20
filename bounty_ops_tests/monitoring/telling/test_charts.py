"""Charts show what was measured, and nothing where nothing was."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bounty_ops.monitoring.telling.charts import MOST_POINTS, Line, in_words, line_chart

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SVG = "{http://www.w3.org/2000/svg}"


def line(values: list[float | None], name: str = "size") -> Line:
    return Line(name, [(BEGIN + number * MINUTE, value) for number, value in enumerate(values)])


def drawn(lines: list[Line], **given: float) -> ET.Element:
    svg = line_chart(lines, "count", **given)  # type: ignore[arg-type] # limit is the only one
    assert svg is not None
    return ET.fromstring(svg)  # noqa: S314 - our own


def ways(svg: ET.Element) -> list[str]:
    return [one.get("d", "") for one in svg.iter(f"{SVG}path") if one.get("fill") == "none"]


def test_a_line_has_a_gap_where_nothing_is_known() -> None:
    (way,) = ways(drawn([line([1, 2, None, 4, 5, None, 7])]))

    assert re.findall("[ML]", way) == ["M", "L", "M", "L", "M"]


def test_a_peak_survives_when_there_are_too_many_points() -> None:
    values: list[float | None] = [1.0] * 5000
    values[2345] = 100.0
    (way,) = ways(drawn([line(values)]))
    heights = [float(y) for y in re.findall(r"[ML]\S+ ([\d.]+)", way)]

    assert len(heights) <= MOST_POINTS
    assert heights.count(min(heights)) == 1


def test_a_limit_is_drawn_and_makes_the_chart_high_enough() -> None:
    with_limit, without = drawn([line([1, 2])], limit=100), drawn([line([1, 2])])
    dashed = [one for one in with_limit.iter(f"{SVG}path") if one.get("stroke-dasharray")]

    assert len(dashed) == 1
    assert not [one for one in without.iter(f"{SVG}path") if one.get("stroke-dasharray")]
    assert "100" in [one.text for one in with_limit.iter(f"{SVG}text")]


def test_several_lines_are_told_apart_by_name() -> None:
    svg = drawn([line([1, 2], "a < b"), line([2, 1], "idle")])

    assert {"a < b", "idle"} <= {one.text for one in svg.iter(f"{SVG}text")}
    assert len({one.get("stroke") for one in svg.iter(f"{SVG}path") if one.get("fill")}) == 2


def test_without_any_value_there_is_no_chart() -> None:
    assert line_chart([line([None, None]), line([])], "bytes") is None


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0, "bytes", "0 B"),
        (3 * 1024**2, "bytes", "3.0 MiB"),
        (0.025, "seconds", "0.025 s"),
        (600, "seconds", "10 min"),
        (0.5, "ratio", "50%"),
        (12_345, "count", "12,345"),
        (0.5, "per second", "0.5/s"),
    ],
)
def test_values_are_words_that_people_read(value: float, unit: str, words: str) -> None:
    assert in_words(value, unit) == words  # type: ignore[arg-type] # one of them


@given(
    st.lists(
        st.none() | st.floats(min_value=0, max_value=1e18, allow_nan=False), min_size=1, max_size=50
    ),
    st.sampled_from(["bytes", "seconds", "ratio", "count", "per second"]),
    st.none() | st.floats(min_value=0, max_value=1e18, allow_nan=False),
)
@example([5e-324], "bytes", None)
def test_every_value_lies_within_the_chart(
    values: list[float | None], unit: str, limit: float | None
) -> None:
    svg = line_chart([line(values)], unit, limit=limit)  # type: ignore[arg-type] # one of them
    if svg is None:
        assert all(value is None for value in values)
        return
    (way,) = ways(ET.fromstring(svg))  # noqa: S314 - our own
    heights = [float(y) for y in re.findall(r"[ML]\S+ (-?[\d.]+)", way)]
    assert all(0 <= y <= 160 for y in heights)
