"""Who is told what a runner does while it does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bounty_ops.journal.evidence import StatementRecord
    from bounty_ops.migrating.running.blockers import Blocker


@dataclass(frozen=True)
class Underway:
    """A statement that is about to be sent."""

    revision: str
    number: int
    """Counted from 1 within the revision."""
    sql: str
    """Without the values of literals."""
    online: bool
    """Whether it stops nobody, so that it may run for long."""
    autocommit: bool
    """Whether it runs outside of the revision's transaction."""
    attempt: int
    pid: int
    """The server process that runs it."""


class Observer:
    """Is told of everything, and does nothing about it; subclasses say what interests them.

    `waits` is called by another thread than the rest. What an observer raises ends the revision.
    """

    def began(self, statement: Underway) -> None:
        """Called before a statement is sent, inside its transaction if it has one."""

    def ended(self, statement: Underway, record: StatementRecord) -> None:
        """Called after it succeeded, before its transaction ends."""

    def waits(self, statement: Underway, blockers: tuple[Blocker, ...], seconds: float) -> None:
        """Called each time the statement is seen waiting for others, for so long by now."""

    def retries(self, revision: str, attempt: int, pause_seconds: float, why: str) -> None:
        """Called before a pause; ``attempt`` is the one that comes after it."""
