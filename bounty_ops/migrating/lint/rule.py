"""What a rule is: an identifier, and sentences with places for names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bounty_ops.migrating.lint.finding import Level

ACCESS_EXCLUSIVE: Final = "ACCESS EXCLUSIVE"
EXCLUSIVE: Final = "EXCLUSIVE"
SHARE_ROW_EXCLUSIVE: Final = "SHARE ROW EXCLUSIVE"
SHARE: Final = "SHARE"
SHARE_UPDATE_EXCLUSIVE: Final = "SHARE UPDATE EXCLUSIVE"
ROW_EXCLUSIVE: Final = "ROW EXCLUSIVE"
ROW_SHARE: Final = "ROW SHARE"
ACCESS_SHARE: Final = "ACCESS SHARE"

BLOCKS: Final = {
    ACCESS_EXCLUSIVE: "reads and writes",
    EXCLUSIVE: "writes",
    SHARE_ROW_EXCLUSIVE: "writes",
    SHARE: "writes",
}
"""Whom a mode makes wait; the others let reads and writes go on."""


@dataclass(frozen=True)
class Rule:
    """What PostgreSQL does, why that is a hazard, and the safe way."""

    id: str
    level: Level
    what: str
    """One sentence; `{name}` is the relation, `{detail}` what the check knows besides."""

    remedy: str
    lock: str | None = None
    grows: bool = False
    """Whether it takes as long as the table is large: a known tiny table makes it harmless."""

    title: str = ""
    """What stands in the reference where `what` is nothing but the detail."""


def message(rule: Rule, *, name: str | None, detail: str, lock: str | None) -> str:
    """The sentence of a finding, with the lock and whom it makes wait."""
    said = rule.what.format(name=name or "the table", detail=detail)
    if lock is None or name is None:
        return said
    waiting = BLOCKS.get(lock)
    tail = f"{waiting} wait" if waiting else "reads and writes go on"
    return f"{said} Lock: {lock} on {name}, {tail}."
