"""An observer that tells a person what a migration waits for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.running.blockers import Blocker, listed
from bounty_ops.migrating.running.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.running.observer import Underway

#: A wait that is over before nobody needs to hear of.
_WORTH_TELLING: Final = 1.0
_AGAIN_AFTER: Final = 10.0


class Telling(Observer):
    """Says in a line whom a statement waits for, again every ten seconds, and of every retry.

    ``say`` may be called by two threads.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told: tuple[str, int, int] | None = None
        self._at = 0.0

    def waits(self, statement: Underway, blockers: tuple[Blocker, ...], seconds: float) -> None:
        """Say whom it waits for, unless that was said just now."""
        which = (statement.revision, statement.number, statement.attempt)
        now = time.monotonic()
        if seconds < _WORTH_TELLING or (which == self._told and now - self._at < _AGAIN_AFTER):
            return
        self._told, self._at = which, now
        self._say(
            f"{statement.revision}, statement {statement.number} has waited for {seconds:.0f} s "
            f"for {listed(blockers)}"
        )

    def retries(self, revision: str, attempt: int, pause_seconds: float, why: str) -> None:
        """Say that it gave up its place for a while."""
        behind = f" behind {why}" if why else ""
        self._say(
            f"{revision} did not get its locks{behind}; attempt {attempt} follows in "
            f"{pause_seconds:.0f} s"
        )
