"""The statements of the collectors, one a file; nothing in them depends on a search path.

What only some majors have stands in the file as it is for the newest or the oldest of them: a
line that begins with `--16:` counts from 16 on, a line that ends with `--<16` before 16.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Final

_SINCE: Final = re.compile(r"\s*--(\d+): (.*)")
_BEFORE: Final = re.compile(r"(.*)--<(\d+)\s*")


@cache
def load(name: str, major: int | None = None) -> str:
    """The text of one statement, for a major where the file makes a difference."""
    text = (files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
    if major is None:
        return text
    return "\n".join(kept for line in text.splitlines() for kept in _of_major(line, major))


def _of_major(line: str, major: int) -> list[str]:
    if since := _SINCE.fullmatch(line):
        return [since[2]] if major >= int(since[1]) else []
    if before := _BEFORE.fullmatch(line):
        return [before[1].rstrip()] if major < int(before[2]) else []
    return [line]
