"""Pages as what a walk does with them: commands to run, files to write, SQL to execute.

A fenced block is acted upon by its language. ``console`` holds commands; lines that begin with
``$ `` are commands and the others what they print, or, where no line does, every line is a command.
``sql`` is executed in the walk's database, on pages of walks alone. Comments right before a block,
which no reader of the page sees, say more:

====================================  ==========================================================
``<!-- given: SOMETHING -->``         is made true before the block: ``stages.py`` says how
``<!-- typed: WORDS -->``             it asks, and gets this as its answer, at a terminal
``<!-- needs: PROGRAM -->``           where there is no such program the block is left out
``<!-- exit: 1 -->``                  the last command of the block ends with it; ``0 or 1``
``<!-- file: NAME -->``               the block is written to this file of the walk's directory
``<!-- append: NAME -->``             the same, behind what is there
``<!-- change: NAME -->``             this file is changed as the block, a ``diff``, says
``<!-- shown by: TEST -->``           another test runs it; its path in this repository
``<!-- elsewhere: REASON -->``        cannot be run at all; test_pages.py lists these
====================================  ==========================================================

Of ``make`` it is enough that there is the target, which journeys/test_readme.py sees to.

A whole page may say ``<!-- commands run by: TEST -->`` where a test of its own executes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import bounty_ops

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(bounty_ops.__file__).parents[1]
#: What is done with a block; it has at most one of them.
_DONE: Final = ("exit", "file", "append", "change", "shown by", "elsewhere")
_AROUND: Final = ("given", "typed", "needs")
MARKS: Final = "|".join((*_DONE, *_AROUND))
_FENCE: Final = re.compile(
    rf"(?P<marks>(?:^<!-- (?:{MARKS}): [^\n]+? -->\n)*)"
    r"^```(?P<language>[\w{}-]*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_MARK: Final = re.compile(rf"<!-- ({MARKS}): (.+) -->")
_WHOLE_PAGE: Final = re.compile(r"^<!-- commands run by: (\S+) -->$", re.MULTILINE)
_PROMPT: Final = "$ "


@dataclass
class Command:
    """One command line, and the lines that the page shows beneath it."""

    text: str
    output: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A fenced block with the comments before it."""

    page: str
    line: int
    language: str
    text: str
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str | None:
        """What is done with it, if something else than with others of its language."""
        return next((mark for mark in _DONE if mark in self.marks), None)

    @property
    def value(self) -> str:
        """What `mark` says."""
        return self.marks.get(self.mark or "", "")

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether a walk executes it."""
        if self.mark in {"shown by", "elsewhere"}:
            return False
        if self.language == "console":
            return any(not each.text.startswith("make ") for each in self.commands)
        return self.language == "sql"

    @property
    def commands(self) -> list[Command]:
        """What a ``console`` block holds."""
        lines = self.text.splitlines()
        if not any(line.startswith(_PROMPT) for line in lines):
            joined = self.text.replace("\\\n", " ")
            plain = [re.sub(r"\s+#.*", "", line).strip() for line in joined.splitlines()]
            return [Command(line) for line in plain if line and not line.startswith("#")]
        commands: list[Command] = []
        for line in lines:
            if line.startswith(_PROMPT):
                commands.append(Command(line.removeprefix(_PROMPT)))
            elif commands and commands[-1].text.endswith("\\") and not commands[-1].output:
                commands[-1].text = commands[-1].text.removesuffix("\\") + line.strip()
            elif commands:
                commands[-1].output.append(line)
        return commands


def pages() -> list[str]:
    """Every page for people, by its path in the repository."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted(str(page.relative_to(ROOT)) for page in found)


def text_of(page: str) -> str:
    """The page as it is written."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    text = text_of(page)
    return [
        Block(
            page,
            text.count("\n", 0, found.start("language")) + 1,
            found["language"],
            found["text"],
            dict(_MARK.findall(found["marks"])),
        )
        for found in _FENCE.finditer(text)
    ]


def own_test(page: str) -> str | None:
    """The test that executes the whole page, where the page names one."""
    found = _WHOLE_PAGE.search(text_of(page))
    return None if found is None else found[1]
