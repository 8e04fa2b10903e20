"""What a restore tells while it runs, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Difference, Verdict


def _nobody(*_: int) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Watching:
    """Who wants to know how far it is."""

    fetched: Callable[[int], None] = _nobody
    """Bytes of the archives so far."""
    restored: Callable[[int, int], None] = _nobody
    """Entries of the archives so far, and of all."""
    step: Callable[[str], None] = lambda _: None
    """What begins now."""


@dataclass(frozen=True)
class Treatment:
    """What is done to a copy after it was found equal, before it is handed over."""

    carry_out: Callable[[DatabaseUrl], Sequence[str]]
    """Returns what has to be told about it."""
    comment: str
    """What the database then says about itself."""


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    backup_id: str
    address: str
    database: str
    way: str
    done: bool
    """False: the copy differs, and was not handed over."""
    verdict: Verdict | None
    tables_compared: int
    rows_compared: int
    differences: tuple[Difference, ...]
    old_database: str | None
    """Where the replaced content is kept."""
    seconds: float
    fetch_seconds: float
    restore_seconds: float
    compare_seconds: float
    notes: tuple[str, ...]

    @property
    def removal(self) -> str | None:
        """The statement that removes what was replaced."""
        if self.old_database is None:
            return None
        name = self.old_database.replace('"', '""')
        return f'DROP DATABASE "{name}"'
