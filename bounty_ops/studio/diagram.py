"""The relationships between Bounty's tables as a picture (SVG), drawn from the models.

``python -m bounty_ops.studio.diagram > docs/reference/er-diagram.svg``

Tables stand in columns, those of a domain together; a line leads from a column that refers to
another table to that table. All of them at once are a map. One table with its neighbours is a
drawing that can be read; the studio draws that for every table.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from bounty_ops.studio.shape import table_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.studio.shape import ColumnShape, TableShape

# All in pixels.
_WIDTH: Final = 250
_GAP: Final = 130
_LINE: Final = 16
_HEADER: Final = 24
_SPACE: Final = 26
_MARGIN: Final = 20
_COLUMNS: Final = 5
#: Of a name or a type; a box does not grow with it.
_LETTERS: Final = 24


@dataclass(frozen=True)
class _Box:
    table: TableShape
    x: int
    y: int

    @property
    def height(self) -> int:
        return _HEADER + _LINE * len(self.table.columns) + 6

    def line_of(self, column: ColumnShape) -> int:
        return self.y + _HEADER + _LINE * self.table.columns.index(column) + _LINE // 2 + 2


def draw(focus: str | None = None, *, link: Callable[[str], str] | None = None) -> str:
    """The picture of all tables, or of one and of those that it refers to or that refer to it.

    `link` gives the address behind a table's name; without it there are no links.

    Raises:
        KeyError: there is no table by the name `focus`.
    """
    tables = _chosen(table_shapes(), focus)
    boxes = _placed(tables, focus)
    width = max(box.x + _WIDTH for box in boxes.values()) + _MARGIN
    height = max(box.y + box.height for box in boxes.values()) + _MARGIN
    lines = [_edges(box, boxes, focus) for box in boxes.values()]
    drawn = [_box(box, link, bold=box.table.name == focus) for box in boxes.values()]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
            ),
            "<title>Bounty's tables and what refers to what</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *filter(None, lines),
            *drawn,
            "</svg>\n",
        ]
    )


def _chosen(tables: Sequence[TableShape], focus: str | None) -> list[TableShape]:
    if focus is None:
        return list(tables)
    known = {table.name: table for table in tables}
    wanted = {column.target for column in known[focus].columns if column.target}
    wanted |= {table.name for table in tables for column in table.columns if column.target == focus}
    return [table for table in tables if table.name in wanted | {focus}]


def _placed(tables: Sequence[TableShape], focus: str | None) -> dict[str, _Box]:
    """Referring tables to the left of the one in focus, referred ones to the right; else a map."""
    if focus is None:
        return _columns(_balanced(tables, _COLUMNS))
    middle = next(table for table in tables if table.name == focus)
    right = {column.target for column in middle.columns} - {focus}
    others = [table for table in tables if table.name != focus]
    left = [table for table in others if table.name not in right]
    # Several dozen tables refer to `user`: one column of them would be as high as a house.
    columns = [*_balanced(left, -(-len(left) // 8)), [middle]]
    columns.append([table for table in others if table.name in right])
    return _columns([column for column in columns if column])


def _balanced(tables: Sequence[TableShape], count: int) -> list[list[TableShape]]:
    """So many columns of about the same height, in the given order."""
    heights = [_Box(table, 0, 0).height + _SPACE for table in tables]
    columns: list[list[TableShape]] = [[] for _ in range(count)]
    total, sofar = sum(heights), 0
    for table, height in zip(tables, heights, strict=True):
        columns[min((sofar + height // 2) * count // total, count - 1)].append(table)
        sofar += height
    return columns


def _columns(columns: Sequence[Sequence[TableShape]]) -> dict[str, _Box]:
    boxes = {}
    for number, column in enumerate(columns):
        y = _MARGIN
        for table in column:
            box = _Box(table, _MARGIN + number * (_WIDTH + _GAP), y)
            boxes[table.name] = box
            y += box.height + _SPACE
    return boxes


def _box(box: _Box, link: Callable[[str], str] | None, *, bold: bool) -> str:
    name = escape(box.table.name)
    title = (
        f'<text x="{box.x + 8}" y="{box.y + 16}" font-size="13" font-weight="bold" '
        f'fill="#ffffff">{name}</text>'
    )
    if link is not None:
        title = f'<a href="{escape(link(box.table.name))}">{title}</a>'
    colour = "#0b5394" if bold else "#44546a"
    parts = [
        f'<g id="table-{name}">',
        f"<title>{escape(box.table.meaning)}</title>",
        _rectangle(box, box.height, fill="#f8f9fb", stroke=colour),
        _rectangle(box, _HEADER, fill=colour, stroke=colour),
        title,
    ]
    for column in box.table.columns:
        y = box.line_of(column) + 4
        weight = ' font-weight="bold"' if column.is_key else ""
        colour_of_name = "#0b5394" if column.target else "#222222"
        kind = _short(column.kind) + ("?" if column.nullable else "")
        parts.append(
            f'<text x="{box.x + 8}" y="{y}" fill="{colour_of_name}"{weight}>'
            f"{escape(_short(column.name))}</text>"
            f'<text x="{box.x + _WIDTH - 8}" y="{y}" fill="#777777" text-anchor="end">'
            f"{escape(kind)}</text>"
        )
    return "\n".join([*parts, "</g>"])


def _rectangle(box: _Box, height: int, *, fill: str, stroke: str) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{_WIDTH}" height="{height}" rx="4" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def _edges(box: _Box, boxes: dict[str, _Box], focus: str | None) -> str:
    lines = []
    for column in box.table.columns:
        target = boxes.get(column.target)
        if target is None or (focus is not None and focus not in {box.table.name, column.target}):
            continue
        lines.append(_edge(box, box.line_of(column), target, dashed=column.nullable))
    return "\n".join(lines)


def _edge(source: _Box, y: int, target: _Box, *, dashed: bool) -> str:
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
    return (
        f'<path d="M{start_x} {y} C{start_x + bend} {y} '
        f'{end_x - bend if target.x != source.x else end_x + bend} {end} {end_x} {end}" '
        f'fill="none" stroke="#8a9ab5" stroke-width="1.2" opacity="0.7"{dash}/>'
        f'<circle cx="{end_x}" cy="{end}" r="3" fill="#8a9ab5"/>'
    )


def _short(words: str) -> str:
    return words if len(words) <= _LETTERS else f"{words[: _LETTERS - 1]}…"


if __name__ == "__main__":
    sys.stdout.write(draw())
