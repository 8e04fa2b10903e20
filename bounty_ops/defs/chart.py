"""A small chart in Markdown: bars in an SVG that stands in the text itself.

Dagster's Markdown lets images with `data:` addresses through (and no HTML), and a browser runs
nothing that stands in an image. Nothing is loaded from anywhere.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bounty_ops.defs.presentation import size
from bounty_ops.journal.records import Verdict

#: Every event is stored for ever, so a chart stays below some 10 KB.
MOST_BARS: Final = 60
#: What the page of an asset has room for beside the names.
_WIDTH: Final = 440
_WIDEST: Final = 24.0
_HEIGHT: Final = 120
_TOP: Final = 18
_BOTTOM: Final = 18
_LOWEST: Final = 1.5
#: Readable on white and on black; who sees no colours reads the table below the chart.
_COLOURS: Final = {
    Verdict.PROVED: "#2f9e5b",
    Verdict.REFUTED: "#d6453d",
    Verdict.INCONCLUSIVE: "#d99a2b",
    Verdict.UNVERIFIED: "#8a8f98",
}
_TEXT: Final = "#8a8f98"


@dataclass(frozen=True)
class Bar:
    """One backup."""

    taken_at: datetime
    size_bytes: int
    verdict: Verdict


def size_chart(bars: Sequence[Bar]) -> str:
    """The sizes of backups over time as Markdown, oldest on the left."""
    shown = sorted(bars, key=lambda bar: bar.taken_at)[-MOST_BARS:]
    if not shown:
        return "no backup yet"
    highest = max(bar.size_bytes for bar in shown)
    first, last = shown[0].taken_at, shown[-1].taken_at
    told = (
        f"size of {len(shown)} backups from {first:%Y-%m-%d} to {last:%Y-%m-%d}, "
        f"at most {size(highest)}"
    )
    return image(_svg(shown, highest), told)


def image(svg: str, told: str) -> str:
    """A drawing as Markdown.

    Args:
        svg: the drawing, which loads nothing.
        told: what it shows, in words without brackets, for those who cannot see it.
    """
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{told}](data:image/svg+xml;base64,{encoded})"


def _svg(bars: Sequence[Bar], highest: int) -> str:
    room = _HEIGHT - _TOP - _BOTTOM
    step = _WIDTH / len(bars)
    width = min(step * 0.8, _WIDEST)
    drawn = []
    for place, bar in enumerate(bars):
        height = max(_LOWEST, room * bar.size_bytes / highest if highest else 0)
        drawn.append(
            f'<rect x="{(place + 0.5) * step - width / 2:.1f}" '
            f'y="{_HEIGHT - _BOTTOM - height:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" fill="{_COLOURS[bar.verdict]}"/>'
        )
    labels = (
        _label(0, _TOP - 6, "start", size(highest)),
        _label(0, _HEIGHT - 4, "start", f"{bars[0].taken_at:%Y-%m-%d}"),
        _label(_WIDTH, _HEIGHT - 4, "end", f"{bars[-1].taken_at:%Y-%m-%d}"),
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12" '
        f'fill="{_TEXT}">{"".join(drawn)}{"".join(labels)}</svg>'
    )


def _label(x: int, y: int, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>'
