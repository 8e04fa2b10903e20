"""What a comparison of two schemas says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Difference:
    """One thing in which a database is not what it should be."""

    kind: str
    """What differs: ``table``, ``column``, ``column_type``, ``not_null``, ``index`` ..."""
    object: str
    """Its name within schema `public`, such as ``bounty.title``."""
    expected: str | None
    """None: it should not be there."""
    found: str | None
    """None: it is not there."""
    sql: tuple[str, ...]
    """Plain DDL that makes the one into the other, in the order of all differences."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "object": self.object,
            "expected": self.expected,
            "found": self.found,
            "sql": list(self.sql),
        }

    def sentence(self) -> str:
        """For people, on one line."""
        name = f"{self.kind.replace('_', ' ')} {self.object}"
        if self.found is None:
            return f"{name} is missing"
        if self.expected is None:
            return f"{name} should not be there"
        return f"{name} is {_short(self.found)}, expected {_short(self.expected)}"


_LONGEST = 120


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
