"""The chart is an image that any browser shows, small, and says in words what it shows."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.defs.chart import MOST_BARS, Bar, size_chart
from bounty_ops.journal.records import Verdict

NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)
_SHAPE = re.compile(r"!\[([^\[\]()]+)\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)")


def rectangles(markdown: str) -> list[dict[str, float]]:
    found = _SHAPE.fullmatch(markdown)
    assert found is not None
    # What is parsed was drawn a moment ago by ourselves.
    root = ET.fromstring(base64.b64decode(found[2]))  # noqa: S314 - see above
    numbers = ("x", "y", "width", "height")
    return [
        {name: float(each.attrib[name]) for name in numbers}
        for each in root
        if each.tag.endswith("rect")
    ]


_bars = st.lists(
    st.builds(
        Bar,
        st.integers(0, 10**4).map(lambda hours: NIGHT + timedelta(hours=hours)),
        st.integers(0, 10**15),
        st.sampled_from(list(Verdict)),
    ),
    min_size=1,
    max_size=150,
)


@given(_bars)
def test_every_history_is_a_small_picture_with_its_bars_inside(bars: list[Bar]) -> None:
    chart = size_chart(bars)
    drawn = rectangles(chart)
    assert len(drawn) == min(len(bars), MOST_BARS)
    assert len(chart) < 15_000
    for each in drawn:
        assert -0.1 <= each["x"] <= each["x"] + each["width"] <= 440.2
        assert 0 <= each["y"] <= each["y"] + each["height"] <= 120


def test_heights_follow_sizes_and_the_oldest_is_left() -> None:
    bars = [Bar(NIGHT - timedelta(days=day), 100 - day * 50, Verdict.PROVED) for day in (0, 1)]
    older, newer = rectangles(size_chart(bars))
    assert older["x"] < newer["x"]
    assert older["height"] * 2 == newer["height"]
    assert "size of 2 backups from 2026-11-21 to 2026-11-22, at most 100 bytes" in size_chart(bars)


def test_without_a_backup_there_is_a_word_instead() -> None:
    assert size_chart([]) == "no backup yet"
