"""The relationships between Bounty's tables as a picture (SVG), drawn from the models.

``python -m bounty_ops.studio.diagram > docs/reference/er-diagram.svg``

All tables at once are a map: they stand in frames, one for each domain, with their keys and
references alone, and a line leads from a column that refers to another table to that table. To a
table that most others refer to no line is seen, or there would be nothing else to see: the columns
say its name, and the lines are there for whoever points at a table in the studio. One table is
drawn with all its columns and with its neighbours; the studio does that for every table.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Final

from bounty_ops.studio.shape import table_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.studio.shape import ColumnShape, TableShape

# All in pixels.
_WIDTH: Final = 250
_GAP: Final = 110
_LINE: Final = 16
_HEADER: Final = 24
_SPACE: Final = 18
_MARGIN: Final = 24
_FRAME: Final = 12
_FRAME_TITLE: Final = 22
_COLUMNS: Final = 5
#: Of a name or a type; a box does not grow with it.
_LETTERS: Final = 24
#: A table that more columns refer to is not drawn to.
_FEW: Final = 15
_GREY, _BLUE, _LIGHT = "#44546a", "#0b5394", "#8a9ab5"


@dataclass(frozen=True)
class _Box:
    table: TableShape
    x: int
    y: int
    whole: bool
    """With all columns, and not only with its keys and references."""

    @property
    def columns(self) -> tuple[ColumnShape, ...]:
        if self.whole:
            return self.table.columns
        return tuple(one for one in self.table.columns if one.is_key or one.target)

    @property
    def left_out(self) -> int:
        return len(self.table.columns) - len(self.columns)

    @property
    def height(self) -> int:
        return _HEADER + _LINE * (len(self.columns) + bool(self.left_out)) + 6

    def line_of(self, place: int) -> int:
        return self.y + _HEADER + _LINE * place + _LINE // 2 + 2


@dataclass(frozen=True)
class _Frame:
    title: str
    x: int
    y: int
    height: int


def draw(focus: str | None = None, *, link: Callable[[str], str] | None = None) -> str:
    """The picture of all tables, or of one and of those that it refers to or that refer to it.

    `link` gives the address behind a table's name; without it there are no links.

    Raises:
        KeyError: there is no table by the name `focus`.
    """
    tables = table_shapes()
    frames: list[_Frame] = []
    boxes = _neighbours(_chosen(tables, focus), focus) if focus else _map(tables, frames)
    width = max(box.x + _WIDTH for box in boxes.values()) + _MARGIN
    height = max(box.y + box.height for box in boxes.values()) + _MARGIN
    hubs = _hubs(tables) if focus is None else frozenset()
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
            ),
            "<title>Bounty's tables and what refers to what</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *map(_framed, frames),
            *filter(None, (_edges(box, boxes, focus, hubs) for box in boxes.values())),
            *(_box(box, link, hubs, bold=box.table.name == focus) for box in boxes.values()),
            "</svg>\n",
        ]
    )


def _hubs(tables: Sequence[TableShape]) -> frozenset[str]:
    referred = Counter(column.target for table in tables for column in table.columns)
    return frozenset(name for name, times in referred.items() if name and times > _FEW)


def _chosen(tables: Sequence[TableShape], focus: str) -> list[TableShape]:
    known = {table.name: table for table in tables}
    wanted = {column.target for column in known[focus].columns if column.target}
    wanted |= {table.name for table in tables for column in table.columns if column.target == focus}
    return [table for table in tables if table.name in wanted | {focus}]


def _map(tables: Sequence[TableShape], frames: list[_Frame]) -> dict[str, _Box]:
    """All tables, those of a domain in a frame, which goes to `frames`."""
    domains = [list(group) for _, group in groupby(tables, key=lambda table: table.domain)]
    heights = [_height_of(group) for group in domains]
    boxes: dict[str, _Box] = {}
    for number, column in enumerate(_balanced(heights, _COLUMNS)):
        x, y = _MARGIN + number * (_WIDTH + _GAP), _MARGIN
        for place in column:
            title = domains[place][0].domain.replace("_", " ")
            frames.append(_Frame(title, x - _FRAME, y, heights[place]))
            below = y + _FRAME_TITLE
            for table in domains[place]:
                boxes[table.name] = _Box(table, x, below, whole=False)
                below += boxes[table.name].height + _SPACE
            y += heights[place] + _SPACE
    return boxes


def _height_of(group: Sequence[TableShape]) -> int:
    heights = (_Box(table, 0, 0, whole=False).height + _SPACE for table in group)
    return _FRAME_TITLE + sum(heights) - _SPACE + _FRAME


def _neighbours(tables: Sequence[TableShape], focus: str) -> dict[str, _Box]:
    """Referring tables to the left of the one in focus, referred ones to the right."""
    middle = next(table for table in tables if table.name == focus)
    right = {column.target for column in middle.columns} - {focus}
    others = [table for table in tables if table.name != focus]
    left = [table for table in others if table.name not in right]
    # Several dozen tables refer to `user`: one column of them would be as high as a house.
    heights = [_Box(table, 0, 0, whole=False).height + _SPACE for table in left]
    columns = [
        [left[place] for place in column] for column in _balanced(heights, -(-len(left) // 8))
    ]
    columns += [[middle], [table for table in others if table.name in right]]
    boxes = {}
    for number, column in enumerate(filter(None, columns)):
        y = _MARGIN
        for table in column:
            box = _Box(table, _MARGIN + number * (_WIDTH + _GAP), y, whole=table is middle)
            boxes[table.name] = box
            y += box.height + _SPACE
    return boxes


def _balanced(heights: Sequence[int], count: int) -> list[list[int]]:
    """The places of `heights` in so many columns of about the same height, in the given order."""
    columns: list[list[int]] = [[] for _ in range(count)]
    total, sofar = sum(heights), 0
    for place, height in enumerate(heights):
        columns[min((sofar + height // 2) * count // total, count - 1)].append(place)
        sofar += height
    return columns


def _framed(frame: _Frame) -> str:
    return (
        f'<rect x="{frame.x}" y="{frame.y}" width="{_WIDTH + 2 * _FRAME}" height="{frame.height}" '
        f'rx="8" fill="#eef2f7" stroke="#d5dde8"/>'
        f'<text x="{frame.x + _FRAME}" y="{frame.y + 15}" font-size="12" fill="{_GREY}">'
        f"{escape(frame.title)}</text>"
    )


def _box(box: _Box, link: Callable[[str], str] | None, hubs: frozenset[str], *, bold: bool) -> str:
    name = escape(box.table.name)
    title = (
        f'<text x="{box.x + 8}" y="{box.y + 16}" font-size="13" font-weight="bold" '
        f'fill="#ffffff">{name}</text>'
    )
    if link is not None:
        title = f'<a href="{escape(link(box.table.name))}">{title}</a>'
    colour = _BLUE if bold else _GREY
    parts = [
        f'<g id="table-{name}" class="table-box">',
        f"<title>{escape(box.table.meaning)}</title>",
        _rectangle(box, box.height, fill="#ffffff", stroke=colour),
        _rectangle(box, _HEADER, fill=colour, stroke=colour),
        title,
    ]
    parts += [_line(box, place, column, hubs) for place, column in enumerate(box.columns)]
    if box.left_out:
        y = box.line_of(len(box.columns)) + 4
        parts.append(f'<text x="{box.x + 8}" y="{y}" fill="#999999">+ {box.left_out} more</text>')
    return "\n".join([*parts, "</g>"])


def _line(box: _Box, place: int, column: ColumnShape, hubs: frozenset[str]) -> str:
    y = box.line_of(place) + 4
    weight = ' font-weight="bold"' if column.is_key else ""
    colour = _BLUE if column.target else "#222222"
    told = f"→ {column.target}" if column.target in hubs else _short(column.kind)
    told += "?" if column.nullable else ""
    name = escape(_short(column.name))
    return (
        f'<text x="{box.x + 8}" y="{y}" fill="{colour}"{weight}>{name}</text>'
        f'<text x="{box.x + _WIDTH - 8}" y="{y}" fill="#777777" text-anchor="end">'
        f"{escape(told)}</text>"
    )


def _rectangle(box: _Box, height: int, *, fill: str, stroke: str) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{height}" rx="4" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def _edges(box: _Box, boxes: dict[str, _Box], focus: str | None, hubs: frozenset[str]) -> str:
    lines = []
    for place, column in enumerate(box.columns):
        target = boxes.get(column.target)
        if target is None or (focus is not None and focus not in {box.table.name, column.target}):
            continue
        lines.append(
            _edge(
                box,
                box.line_of(place),
                target,
                dashed=column.nullable,
                seen=column.target not in hubs,
            )
        )
    return "\n".join(lines)


def _edge(source: _Box, y: int, target: _Box, *, dashed: bool, seen: bool) -> str:
    """From the side of the source that faces the target to the target's header."""
    end = target.y + _HEADER // 2
    if target.x > source.x:
        start_x, end_x, bend = source.x + _WIDTH, target.x, _GAP // 2
    elif target.x < source.x:
        start_x, end_x, bend = source.x, target.x + _WIDTH, -_GAP // 2
    else:
        start_x = end_x = source.x + _WIDTH
        bend = _GAP // 2
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    ends = f'data-from="{escape(source.table.name)}" data-to="{escape(target.table.name)}"'
    return (
        f'<g class="edge" {ends} opacity="{"0.75" if seen else "0"}">'
        f'<path d="M{start_x} {y} C{start_x + bend} {y} '
        f'{end_x - bend if target.x != source.x else end_x + bend} {end} {end_x} {end}" '
        f'fill="none" stroke="{_LIGHT}" stroke-width="1.4"{dash}/>'
        f'<circle cx="{end_x}" cy="{end}" r="3" fill="{_LIGHT}"/></g>'
    )


def _short(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"


if __name__ == "__main__":
    sys.stdout.write(draw())
