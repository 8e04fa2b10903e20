"""Messages for channels, built from the few facts that a test is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.alerting.message import Message
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from datetime import datetime

OPENED: Final[datetime] = NOW - timedelta(minutes=5)

_FIRING: Final = Message(
    key="5b0f8b1e5e0c4a8e8f6f3a2b1c0d9e8f",
    number=12,
    incident=7,
    environment="production",
    rule="backup_overdue",
    subject="backups",
    severity="critical",
    change="firing",
    title="[production] there is no backup",
    body="There is no backup.\nDo: make one.",
    opened_at=OPENED,
)


def message(**differences: Any) -> Message:  # noqa: ANN401 - of any field
    """A firing one, but for what is given."""
    return replace(_FIRING, **differences)


def resolved(**differences: Any) -> Message:  # noqa: ANN401 - of any field
    return message(change="resolved", resolved_at=NOW, number=13, **differences)
