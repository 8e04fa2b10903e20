"""What a page says, before anybody decides what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bounty_ops.monitoring.findings import Finding

Tone = Literal["good", "bad", "unknown", "plain"]


@dataclass(frozen=True)
class Table:
    """Words in rows; a column whose name begins with ``>`` holds numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Card:
    """One number that people look at first."""

    title: str
    value: str
    note: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Chart:
    """A picture of how something went."""

    title: str
    svg: str | None
    """None: nothing is known of it yet."""
    note: str = ""
    """Such as when a limit is reached."""


@dataclass(frozen=True)
class View:
    """One environment at one moment."""

    environment: str
    protected: bool
    taken_at: datetime
    cards: tuple[Card, ...]
    findings: Sequence[Finding]
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
