"""Values for people: sizes, durations and tables as Dagster's metadata shows them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import dagster as dg

UNKNOWN: Final = "unknown"

#: A page with thousands of rows helps nobody, and every event is stored for ever.
_MOST_ROWS: Final = 200
_MOST_CHARACTERS: Final = 50_000
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STEP: Final = 1024


def size(count: float | None) -> str:
    """A number of bytes, such as ``9.1 MiB``."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in _UNITS[:-1]:
        if abs(value) < _STEP:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= _STEP
    return f"{value:,.1f} {_UNITS[-1]}"


def known(value: str | float | None) -> str | float:
    """The value, or the word for a missing one: what is not known is said, not left out."""
    return UNKNOWN if value is None else value


def moment(value: datetime | None) -> dg.MetadataValue:
    """A time, which the user interface shows in the reader's time zone."""
    if value is None:
        return dg.MetadataValue.text(UNKNOWN)
    return dg.MetadataValue.timestamp(value)


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str = "none") -> str:
    """A table in Markdown; numbers are aligned to the right, cells cannot break out of it."""
    shown = [list(row) for row in rows]
    if not shown:
        return empty
    more = len(shown) - _MOST_ROWS
    shown = shown[:_MOST_ROWS]
    numeric = [
        all(isinstance(row[column], int | float) for row in shown) for column in range(len(headers))
    ]
    lines = [
        _line(headers),
        _line(["---:" if right else "---" for right in numeric]),
        *(_line([_cell(value) for value in row]) for row in shown),
    ]
    text = "\n".join(lines)
    return f"{text}\n\n... and {more:,} more" if more > 0 else text


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|") or "(empty)"


def code(text: str, language: str = "sql") -> str:
    """A block of code in Markdown; whatever it holds, it cannot end the block."""
    body = text.rstrip()
    if len(body) > _MOST_CHARACTERS:
        left_out = len(body) - _MOST_CHARACTERS
        body = f"{body[:_MOST_CHARACTERS]}\n-- ... {left_out:,} characters more"
    longest = max((len(run) for run in _backtick_runs(body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def _backtick_runs(text: str) -> list[str]:
    return "".join(character if character == "`" else " " for character in text).split()
