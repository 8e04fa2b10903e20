"""What the linter says about one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "advice"]


@dataclass(frozen=True)
class Finding:
    """One thing that a statement does, or that PostgreSQL will not let it do."""

    rule: str
    level: Level
    """`error` and `warning` are hazards; `advice` is not."""

    line: int
    """1-based, in the text that was given."""

    message: str
    lock: str | None
    """The strongest mode that the statement takes on the relation, as PostgreSQL names it."""

    remedy: str
    relation: str | None = None
    statement: int = 1
    """1-based, among the statements of the text."""

    @property
    def hazard(self) -> bool:
        """Whether this must not reach a database unseen."""
        return self.level != "advice"
