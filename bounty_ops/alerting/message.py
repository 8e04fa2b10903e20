"""One message about one incident, as every kind of channel gets it; nothing here sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import datetime

RESOLVED: Final = "resolved"
#: What Apprise calls the kinds of messages.
Kind = Literal["failure", "warning", "success"]


@dataclass(frozen=True)
class Message:
    """What a channel is told, and what a receiver can recognise it by."""

    key: str
    """The same at every attempt, and never that of another message."""
    number: int
    """Of the message in the outbox."""
    incident: int
    environment: str
    rule: str
    subject: str
    severity: str
    change: str
    """`resolved`; everything else says that it fires."""
    title: str
    body: str
    opened_at: datetime
    resolved_at: datetime | None = None
    attempt: int = 1
    """Above 1 an earlier attempt failed, or nobody knows how it ended."""
    interrupted: int = 0
    """How many attempts there were of which nobody knows."""

    @property
    def tried(self) -> int:
        """How many attempts the channel can be judged by, this one included."""
        return self.attempt - self.interrupted

    @property
    def over(self) -> bool:
        """Whether it tells the end of its incident."""
        return self.change == RESOLVED

    @property
    def kind(self) -> Kind:
        """How grave it is, in Apprise's words."""
        if self.over:
            return "success"
        return "failure" if self.severity == "critical" else "warning"

    @property
    def text(self) -> str:
        """The body for channels that have no place for a key but their text."""
        mark = f"incident {self.incident}, message {self.number}, key {self.key}"
        if self.attempt > 1:
            mark += f", attempt {self.attempt}: an earlier one may have arrived"
        return f"{self.body}\n\n{mark}"
