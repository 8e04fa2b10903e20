"""Line charts as SVG: no library, no script, nothing loaded, readable on white and on black.

Where nothing is known the line has a gap; it is never drawn through what nobody measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from html import escape
from math import floor, log10
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.monitoring.findings import duration, size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Unit = Literal["bytes", "seconds", "ratio", "count", "per second"]

#: Told apart by people who see no red or no green (Okabe and Ito's palette, darker and lighter
#: ends left out); the legend names them too.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_TEXT: Final = "#8a8f98"
_LIMIT: Final = "#d6453d"
_LEFT: Final = 64
_RIGHT: Final = 8
_TOP: Final = 10
_BOTTOM: Final = 20
_LEGEND: Final = 18
#: More points than that are not seen on a screen, and every one costs bytes.
MOST_POINTS: Final = 300
#: Less than that is none; the smallest numbers there are have no neighbours to round up to.
_NOTHING: Final = 1e-300
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_BINARY: Final = 1024.0


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[datetime, float | None]]
    """Oldest first; None: not known."""


@dataclass(frozen=True)
class _Frame:
    """Where moments and values lie."""

    since: datetime
    until: datetime
    top: float
    width: int
    height: int

    def x(self, moment: datetime) -> float:
        span = (self.until - self.since) or timedelta(seconds=1)
        return _LEFT + (self.width - _LEFT - _RIGHT) * ((moment - self.since) / span)

    def y(self, value: float) -> float:
        room = self.height - _TOP - _BOTTOM
        return _TOP + room * (1 - value / self.top)


def line_chart(
    lines: Sequence[Line],
    unit: Unit,
    *,
    limit: float | None = None,
    width: int = 600,
    height: int = 160,
) -> str | None:
    """One SVG; None when no value is known.

    Args:
        lines: at most as many as there are colours are drawn.
        unit: of the values.
        limit: drawn as a line of its own, such as max_connections.
        width: in pixels.
        height: in pixels, without the legend.
    """
    drawn = [line for line in lines if any(value is not None for _, value in line.points)]
    drawn = drawn[: len(COLOURS)]
    if not drawn:
        return None
    moments = [moment for line in drawn for moment, _ in line.points]
    values = [value for line in drawn for _, value in line.points if value is not None]
    highest = max([*values, 0.0 if limit is None else limit])
    frame = _Frame(min(moments), max(moments), _round_up(highest, unit), width, height)
    parts = [*_grid(frame, unit), *_limit(frame, limit)]
    parts += [_path(frame, line, colour) for line, colour in zip(drawn, COLOURS, strict=False)]
    legend = len(drawn) > 1
    if legend:
        parts += _legend(frame, [line.name for line in drawn])
    total = height + (_LEGEND if legend else 0)
    told = escape(", ".join(line.name for line in drawn))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}" role="img" aria-label="{told}" '
        f'font-family="sans-serif" font-size="11" fill="{_TEXT}">{"".join(parts)}</svg>'
    )


def in_words(value: float, unit: Unit) -> str:
    """A value as an axis shows it."""
    if unit == "bytes":
        return size(value)
    if unit == "seconds":
        return f"{value:.3g} s" if value < 1 else duration(value)
    if unit == "ratio":
        return f"{value:.0%}"
    rounded = f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"  # noqa: PLR2004 - two digits either way
    return f"{rounded}/s" if unit == "per second" else rounded


def _round_up(highest: float, unit: Unit) -> float:
    """The top of the axis: a number that halves into numbers that people read."""
    if highest < _NOTHING:
        return 1.0
    scale = 1.0
    if unit == "bytes":
        while highest / scale >= _BINARY:
            scale *= _BINARY
    power = 10.0 ** floor(log10(highest / scale))
    return next(step * power * scale for step in _STEPS if step * power * scale >= highest)


def _grid(frame: _Frame, unit: Unit) -> list[str]:
    parts = []
    for share in (0.0, 0.5, 1.0):
        y = frame.y(frame.top * share)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{frame.width - _RIGHT}" stroke="{_TEXT}" '
            'stroke-opacity=".3"/>'
        )
        parts.append(_label(_LEFT - 6, y + 4, "end", in_words(frame.top * share, unit)))
    short = frame.until - frame.since < timedelta(days=2)
    told = "%H:%M" if short else "%Y-%m-%d"
    bottom = frame.height - 4
    parts.append(_label(_LEFT, bottom, "start", f"{frame.since:{told}}"))
    parts.append(_label(frame.width - _RIGHT, bottom, "end", f"{frame.until:{told}} UTC"))
    return parts


def _limit(frame: _Frame, limit: float | None) -> list[str]:
    if limit is None:
        return []
    way = f"M{_LEFT} {frame.y(limit):.1f}H{frame.width - _RIGHT}"
    return [f'<path d="{way}" stroke="{_LIMIT}" stroke-dasharray="4 3"/>']


def _path(frame: _Frame, line: Line, colour: str) -> str:
    pieces: list[str] = []
    begun = False
    for moment, value in _thinned(line.points):
        if value is None:
            begun = False
            continue
        place = f"{frame.x(moment):.1f} {frame.y(max(0.0, value)):.1f}"
        # A zero-length line with round ends shows a point that has no neighbours.
        pieces.append(f"L{place}" if begun else f"M{place}h0")
        begun = True
    return (
        f'<path d="{"".join(pieces)}" fill="none" stroke="{colour}" stroke-width="1.5" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _thinned(
    points: Sequence[tuple[datetime, float | None]],
) -> list[tuple[datetime, float | None]]:
    """At most `MOST_POINTS`: of each group the highest, so that no peak disappears; gaps stay."""
    if len(points) <= MOST_POINTS:
        return list(points)
    group = -(-len(points) // MOST_POINTS)
    kept: list[tuple[datetime, float | None]] = []
    for begin in range(0, len(points), group):
        several = points[begin : begin + group]
        known = [(moment, value) for moment, value in several if value is not None]
        if not known:
            kept.append(several[0])
        else:
            kept.append(max(known, key=lambda pair: pair[1]))
    return kept


def _legend(frame: _Frame, names: Sequence[str]) -> list[str]:
    parts, x = [], float(_LEFT)
    y = frame.height + _LEGEND - 6
    for name, colour in zip(names, COLOURS, strict=False):
        parts.append(f'<rect x="{x:.0f}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(_label(x + 14, y, "start", name))
        x += 26 + 6.5 * len(name)
    return parts


def _label(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
