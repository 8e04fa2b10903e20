"""Rows as COPY's text format wants them, in blocks of many rows.

psycopg encodes rows only for a COPY that is under way; these are made before it begins. A block is
escaped as a whole, with a few searches that run in C, and not value by value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.seeding.world import Row

#: PostgreSQL's text has no NUL, so what begins with one is never part of a value.
_BETWEEN_VALUES: Final = "\x00v"
_BETWEEN_ROWS: Final = "\x00r"
_NULL: Final = "\x00n"

#: What stands for something in COPY's text format is escaped first, then our own marks become it.
_REPLACED: Final = (
    ("\\", "\\\\"),
    ("\t", "\\t"),
    ("\n", "\\n"),
    ("\r", "\\r"),
    (_BETWEEN_VALUES, "\t"),
    (_BETWEEN_ROWS, "\n"),
    (_NULL, "\\N"),
)


def encode(rows: Iterable[Row]) -> bytes:
    """Write rows, at least one, as lines of COPY's text format; no text in them may have a NUL."""
    text = _BETWEEN_ROWS.join(
        [
            _BETWEEN_VALUES.join(
                [
                    value
                    if value.__class__ is str
                    else _NULL
                    if value is None
                    else "t"
                    if value is True
                    else "f"
                    if value is False
                    else str(value)
                    for value in row
                ]
            )
            for row in rows
        ]
    )
    for written, meant in _REPLACED:
        text = text.replace(written, meant)
    return f"{text}\n".encode()
