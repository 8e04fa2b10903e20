"""The table of rules in docs/reference/lint.md, made from the rules themselves.

``python -m bounty_ops.migrating.lint.reference`` prints it; a test compares it with the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.lint.rule import BLOCKS
from bounty_ops.migrating.lint.rulebook import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.lint.rule import Rule


def rules_table() -> str:
    """Every rule, by section."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    for title, rules in SECTIONS:
        yield f"### {title}"
        yield ""
        yield "| rule | level | lock | waits | what happens | the safe way |"
        yield "|---|---|---|---|---|---|"
        for rule in rules:
            yield _row(rule)
        yield ""


def _row(rule: Rule) -> str:
    waiting = BLOCKS.get(rule.lock or "", "nobody" if rule.lock else "")
    what = _plain(rule.what)
    if rule.grows:
        what += " (advice where a server says that the table is tiny)"
    cells = [f"`{rule.id}`", rule.level, rule.lock or "", waiting, what, _plain(rule.remedy)]
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def _plain(text: str) -> str:
    return text.format(name="the table", detail="...")


if __name__ == "__main__":
    print(rules_table())  # noqa: T201 - this is what the program is for
