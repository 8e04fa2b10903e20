"""A file of SQL as statements with their lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pglast import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.lint.tree import Node

_META_COMMAND = re.compile(r"(?m)^[ \t]*\\[A-Za-z!?][^\n]*$")
_COPIED_ROWS = re.compile(
    r"(?ims)^(?P<copy>[ \t]*COPY\b[^;\n]*\bFROM\s+STDIN\b[^;\n]*;[^\n]*\n)(?P<rows>.*?^\\\.[ \t]*$)"
)
_WORDLESS = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/|;)*", re.DOTALL)
_UNREADABLE = (parser.ParseError, RecursionError, UnicodeError, ValueError)


@dataclass(frozen=True)
class Statement:
    """One statement of a file; without a node it is not SQL, and `error` says why."""

    number: int
    line: int
    text: str
    node: Node = None
    error: str | None = None


def read_script(sql: str) -> list[Statement]:
    """Every statement of a text, also of one in which some cannot be read."""
    text = sql.replace("\r\n", " \n").replace("\ufeff", " ")
    lines = _Lines(text)
    try:
        found = list(_whole(text))
    except _UNREADABLE:
        found = list(_piecewise(_without_psql(text)))
    return [
        Statement(number, lines.of(start), piece, node, error)
        for number, (start, piece, node, error) in enumerate(found, start=1)
    ]


_Piece = tuple[int, str, "Node", "str | None"]


def _whole(text: str) -> Iterator[_Piece]:
    for raw in parser.parse_sql(text):
        start = raw.stmt_location or 0
        end = start + raw.stmt_len if raw.stmt_len else len(text)
        yield _skip(text, start, end), text[start:end].strip(), raw.stmt, None


def _piecewise(text: str) -> Iterator[_Piece]:
    """Statement by statement, so that one that is not SQL hides no other."""
    slices = _slices(text)
    while slices:
        piece = slices.pop(0)
        body = text[piece]
        start = _skip(text, piece.start, piece.stop)
        if start >= piece.stop:
            continue
        try:
            nodes = [raw.stmt for raw in parser.parse_sql(body)]
        except _UNREADABLE as error:
            if re.search(r"(?i)\bBEGIN\s+ATOMIC\b", body) and slices:
                # The body of a function: its semicolons separate, but do not end.
                slices[0] = slice(piece.start, slices[0].stop)
                continue
            at, why = _where(error, piece.start)
            yield max(at, start), body.strip(), None, why
            continue
        for node in nodes:
            yield start, body.strip(), node, None


def _slices(text: str) -> list[slice]:
    try:
        return list(parser.split(text, with_parser=False, only_slices=True))
    except _UNREADABLE:
        # Not even words, such as a quote that nothing closes: cut at what ends a line.
        cuts = [found.end() for found in re.finditer(r";[ \t]*(?=\n|$)", text)]
        edges = [0, *cuts, len(text)]
        return [slice(a, b) for a, b in pairwise(edges) if a < b]


def _where(error: BaseException, start: int) -> tuple[int, str]:
    if isinstance(error, parser.ParseError) and error.args:
        place = error.args[1] if len(error.args) > 1 else 0
        return start + (place if isinstance(place, int) else 0), str(error.args[0])
    if isinstance(error, RecursionError):
        return start, "nested too deeply"
    return start, "characters that no database takes"


def _skip(text: str, start: int, end: int) -> int:
    found = _WORDLESS.match(text, start, end)
    return found.end() if found else start


def _without_psql(text: str) -> str:
    """What psql keeps to itself, blanked out: its commands, and rows that follow COPY."""

    def blank(matched: str) -> str:
        return re.sub(r"[^\n]", " ", matched)

    text = _COPIED_ROWS.sub(lambda found: found["copy"] + blank(found["rows"]), text)
    return _META_COMMAND.sub(lambda found: blank(found[0]), text)


class _Lines:
    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._last = max(1, text.count("\n") + (not text.endswith("\n")))

    def of(self, position: int) -> int:
        return min(bisect_right(self._starts, max(position, 0)), self._last)
