"""What a report says: one thing each, with its evidence and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from psycopg.sql import Identifier

from bounty_ops.monitoring.advice.kinds import place


class Severity(StrEnum):
    """How soon somebody should look; `report` puts the worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    UNKNOWN = "unknown"
    """It could not be seen, so nobody knows whether it is well."""
    INFO = "info"


_ORDER: Final = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True)
class Finding:
    """One observation; `kind` is for programs, the rest is for people."""

    kind: str
    severity: Severity
    subject: str
    title: str
    evidence: str
    remedy: str
    weight: float = 0.0
    """How much it matters among findings of its kind: bytes, calls, seconds."""

    def rank(self) -> tuple[int, int, float, str]:
        """For sorting: worst first, then by kind, weight and subject."""
        return _ORDER[self.severity], place(self.kind), -self.weight, self.subject

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {name: value for name, value in asdict(self).items() if name != "weight"}


def quoted(*names: str) -> str:
    """Names as SQL: `"public"."user"`."""
    return Identifier(*names).as_string()


def duration(seconds: float) -> str:
    """Seconds for people: `42 s`, `7 min`, `3.5 h`, `12 days`."""
    minute, hour, day = 60, 3_600, 86_400
    if seconds < 2 * minute:
        return f"{seconds:.0f} s"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min"
    if seconds < 2 * day:
        return f"{seconds / hour:.1f} h"
    return f"{seconds / day:.0f} days"


def size(count: float) -> str:
    """Bytes for people, in powers of 1024: `8 KiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:  # noqa: PLR2004 - what the prefixes mean
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"  # noqa: PLR2004 - two digits either way
        count /= 1024
    return f"{count:.1f} TiB"
