"""Revision files, with the SQL beside them: the same steps give the same bytes."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.backfill import ROWS, one_page
from bounty_ops.migrating.generate.step import RISKS
from bounty_ops.migrating.script import ACKNOWLEDGED, BREAKPOINT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bounty_ops.migrating.generate.step import Risk, Step

_LONGEST_SLUG: Final = 40
_WIDTH: Final = 99
_BY_GRAVITY: Final[tuple[Risk, ...]] = tuple(RISKS)


@dataclass(frozen=True)
class Draft:
    """One revision before it is written."""

    revision: str
    previous: str | None
    slug: str
    title: str
    steps: tuple[Step, ...]
    down: tuple[str, ...]

    @property
    def stem(self) -> str:
        """The name that its files share."""
        return f"{self.revision}_{self.slug}"

    @property
    def risk(self) -> Risk:
        """The gravest of its steps'."""
        return max((step.risk for step in self.steps), key=_BY_GRAVITY.index)

    def files(self) -> dict[str, str]:
        """The names and contents of its files."""
        made = {f"{self.stem}.py": _python(self), f"{self.stem}.sql": upgrade_sql(self)}
        if self.down:
            made[f"{self.stem}.down.sql"] = _down_sql(self)
        return made

    def write(self, versions: Path) -> list[Path]:
        """Write them; existing files are not replaced."""
        paths = []
        for name, content in self.files().items():
            path = versions / name
            with path.open("x", encoding="utf-8") as file:
                file.write(content)
            paths.append(path)
        return paths


def slug_of(message: str) -> str:
    """A message as a part of a file name."""
    plain = unicodedata.normalize("NFKD", message).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    return slug[:_LONGEST_SLUG].rstrip("_") or "change"


def groups_of(steps: Sequence[Step]) -> list[tuple[Step, ...]]:
    """The steps of each revision."""
    return [tuple(group) for _, group in itertools.groupby(steps, key=lambda step: step.group)]


def what_happens(steps: Sequence[Step]) -> str:
    """A revision in two or three words."""
    first = steps[0]
    if first.backfill is not None:
        return f"fill {first.table}"
    if first.kind == "validate":
        return "validate"
    if first.kind == "alone":
        return "drop index" if first.sql.startswith("DROP") else "build index"
    if first.kind == "enum":
        return "add label"
    if first.stage == 0:
        return "begin"
    return "finish"


def upgrade_sql(draft: Draft) -> str:
    """The SQL of the upgrade, with what each statement costs before it."""
    said = [f"-- {draft.revision}: {draft.title}"]
    if draft.steps[0].kind == "alone":
        said.append("-- Outside of a transaction, alone in its revision.")
    parts = []
    for step in draft.steps:
        lock = f"locks {step.table}: {step.lock}" if step.lock and step.table else "locks no table"
        comment = f"{lock}; risk: {step.risk} ({RISKS[step.risk]}). {step.why}"
        accepted = "".join(f"{ACKNOWLEDGED} {rule}: {reason}\n" for rule, reason in step.accepts)
        parts.append(f"{_comment(comment)}\n{accepted}{_statement(step)};\n")
    return "\n".join(said) + "\n\n" + f"{BREAKPOINT}\n".join(parts)


def _statement(step: Step) -> str:
    page = step.backfill
    if page is None:
        return step.sql
    return one_page(page.table, page.key, page.assignments, page.where, ROWS)


def _down_sql(draft: Draft) -> str:
    parts = [f"{statement};\n" for statement in draft.down]
    return f"-- Takes {draft.revision} back: {draft.title}\n\n" + f"{BREAKPOINT}\n".join(parts)


def _comment(text: str) -> str:
    lines, line = [], "--"
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = "--"
        line += f" {word}"
    return "\n".join([*lines, line])


def _python(draft: Draft) -> str:
    alone = draft.steps[0].kind == "alone"
    page = draft.steps[0].backfill
    imports, used = [], []
    if alone and page is None:
        imports.append("from alembic import op\n")
    if page is not None:
        imports.append("from bounty_ops.migrating.backfill import backfill")
    if draft.down:
        used.append("downgrade_script")
    if page is None:
        used.append("upgrade_script")
    if used:
        imports.append(f"from bounty_ops.migrating.script import {', '.join(used)}")
    body = "    upgrade_script(__file__)"
    if page is not None:
        body = _backfill_call(draft.steps[0])
    elif alone:
        body = "    with op.get_context().autocommit_block():\n        upgrade_script(__file__)"
    back = "    downgrade_script(__file__)" if draft.down else _NOTHING
    previous = "None" if draft.previous is None else f'"{draft.previous}"'
    return (
        f'"""{_title(draft)}\n\n{_header(draft)}\n"""\n\n'
        + "\n".join(imports)
        + f'\n\nrevision = "{draft.revision}"\ndown_revision = {previous}\n'
        + "branch_labels = None\ndepends_on = None\n\n\n"
        + f"def upgrade() -> None:\n{body}\n\n\ndef downgrade() -> None:\n{back}\n"
    )


_NOTHING: Final = "    pass  # the revision before this one takes back what there is to take back"


def _title(draft: Draft) -> str:
    safe = draft.title.replace("\\", "/").replace('"', "'")
    return f"{safe[:1].upper()}{safe[1:]}."


def _header(draft: Draft) -> str:
    locks = sorted(
        {f"{step.lock} on {step.table}" for step in draft.steps if step.lock and step.table}
    )
    lines = [f"Risk: {draft.risk} - {RISKS[draft.risk]}."]
    lines += [f"Locks: {', '.join(locks) or 'no table that others use'}."]
    lines.append(f"The statements stand in {draft.stem}.sql, each with its own.")
    return "\n".join(
        "\n".join(line.removeprefix("-- ") for line in _comment(each).split("\n")) for each in lines
    ).replace("\\", "/")


def _backfill_call(step: Step) -> str:
    page = step.backfill
    if page is None:
        raise AssertionError("a step without a backfill")
    key = ", ".join(map(_text, page.key)) + ("," if len(page.key) == 1 else "")
    return (
        "    backfill(\n"
        f"        {_text(page.table)},\n"
        f"        key=({key}),\n"
        f"        assignments={_text(page.assignments)},\n"
        f"        where={_text(page.where)},\n"
        "    )"
    )


def _text(value: str) -> str:
    """A Python literal in double quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
