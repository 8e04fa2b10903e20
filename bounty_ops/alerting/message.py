"""One message about one incident, as every kind of channel gets it; nothing here sends."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import datetime

#: Makes keys of ours differ from everybody else's; never change it, or what waits is sent twice.
_OURS: Final = uuid.UUID("6c1c40a4-4f0c-5d3e-9f53-3a4c1a0b7f11")

RESOLVED: Final = "resolved"
#: What Apprise calls the kinds of messages.
Kind = Literal["failure", "warning", "success"]


@dataclass(frozen=True)
class Message:
    """What a channel is told, and what a receiver can recognise it by."""

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
    created_at: datetime
    opened_at: datetime
    resolved_at: datetime | None = None
    attempt: int = 1
    """Above 1 an earlier attempt failed, or nobody knows how it ended."""

    @property
    def key(self) -> str:
        """The same at every attempt, and never that of another message.

        Not the number alone: those of an operations database that was made anew begin at 1 again,
        and a receiver that remembers would swallow the new ones.
        """
        origin = (
            self.environment,
            self.rule,
            self.subject,
            self.opened_at.timestamp(),
            self.incident,
            self.number,
            self.created_at.timestamp(),
        )
        return str(uuid.uuid5(_OURS, repr(origin)))

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
        # Short enough for a person's eye, long enough for a machine's: the rest is never needed
        # to tell two messages of one receiver apart.
        mark = f"incident {self.incident}, message {self.number}, key {self.key}"
        if self.attempt > 1:
            mark += f", attempt {self.attempt}: an earlier one may have arrived"
        return f"{self.body}\n\n{mark}"
