"""The session that a file runs in: its transaction, its lock_timeout, the locks that it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_UNITS: Final = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "": 1e-3,
}  # fmt: skip
_DURATION: Final = re.compile(r"\s*([0-9.]+)\s*(us|ms|s|min|h|d)?\s*")


def seconds(text: str) -> float | None:
    """What a time setting of PostgreSQL means; None when it is no time."""
    found = _DURATION.fullmatch(text)
    try:
        return float(found[1]) * _UNITS[found[2] or ""] if found else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Held:
    """A lock that blocks writers, held until the transaction ends."""

    relation: str
    mode: str
    statement: int
    counted: bool = True
    """Whether it makes a deadlock more likely: not so for what a single statement needs."""

    def __str__(self) -> str:
        return f"{self.mode} on {self.relation}"


@dataclass
class Transaction:
    """A transaction block of the file."""

    line: int
    statement: int
    held: list[Held] = field(default_factory=list)
    local_settings: dict[str, str] = field(default_factory=dict)
    session_settings: dict[str, str] = field(default_factory=dict)
    """As they were before: a rollback brings them back."""

    new_labels: dict[str, str] = field(default_factory=dict)
    """Labels that ADD VALUE gave to an enum in this transaction, and the enum."""

    savepoints: dict[str, tuple[dict[str, str], dict[str, str]]] = field(default_factory=dict)
    """The settings, local and of the session, as they were at each."""

    told: set[str] = field(default_factory=set)
    """Rules that speak once in a transaction."""


@dataclass
class Session:
    """What the statements before have left in force."""

    settings: dict[str, str] = field(default_factory=dict)
    transaction: Transaction | None = None

    def begin(self, line: int, statement: int) -> None:
        """BEGIN."""
        self.transaction = Transaction(line, statement, session_settings=dict(self.settings))

    def end(self, *, rolled_back: bool) -> None:
        """COMMIT or ROLLBACK."""
        if rolled_back and self.transaction is not None:
            self.settings = self.transaction.session_settings
        self.transaction = None

    def savepoint(self, name: str) -> None:
        """SAVEPOINT."""
        if self.transaction is not None:
            now = (dict(self.transaction.local_settings), dict(self.settings))
            self.transaction.savepoints[name] = now

    def back_to(self, name: str) -> None:
        """ROLLBACK TO SAVEPOINT: what was set since is undone."""
        known = self.transaction.savepoints.get(name) if self.transaction else None
        if self.transaction is not None and known is not None:
            self.transaction.local_settings, self.settings = dict(known[0]), dict(known[1])

    def set(self, name: str, value: str | None, *, local: bool) -> None:
        """SET, SET LOCAL or, without a value, RESET."""
        transaction = self.transaction
        if local and transaction is not None:
            transaction.local_settings[name] = value or ""
        elif not local:
            if transaction is not None:
                transaction.local_settings.pop(name, None)
            if value is None:
                self.settings.pop(name, None)
            else:
                self.settings[name] = value

    def get(self, name: str) -> str | None:
        """The value in force; None when the file has not set it."""
        local = self.transaction.local_settings.get(name) if self.transaction else None
        return local or self.settings.get(name)

    def held_before(self, statement: int) -> list[Held]:
        """The locks that earlier statements of the transaction took."""
        if self.transaction is None:
            return []
        return [each for each in self.transaction.held if each.statement != statement]
