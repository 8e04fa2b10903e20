"""What docs/reference/exit-codes-and-json.md promises, read from the page itself."""

from __future__ import annotations

import re
from pathlib import Path

import bounty_ops

_PAGE = Path(bounty_ops.__file__).parents[1] / "docs" / "reference" / "exit-codes-and-json.md"


def documented_fields(command: str) -> set[str]:
    """The fields of the table below the heading of a command."""
    text = _PAGE.read_text(encoding="utf-8")
    section = text.split(f"### `{command}`\n", 1)[1].split("\n### ", 1)[0]
    cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def text_of(page: str) -> str:
    """A page by its path in the repository."""
    return (_PAGE.parents[2] / page).read_text(encoding="utf-8")
