"""What keeps incidents quiet: silences that somebody set, and windows of maintenance. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bounty_ops.environments.alerts import AlertSettings


@dataclass(frozen=True)
class Quiet:
    """A silence that is in force."""

    id: int
    environment: str
    rule: str
    subject: str
    reason: str
    created_by: str
    starts_at: datetime
    ends_at: datetime

    def covers(self, environment: str, rule: str, subject: str, now: datetime) -> bool:
        """Whether an incident is to be kept quiet by it."""
        return (
            self.starts_at <= now < self.ends_at
            and fnmatchcase(environment, self.environment)
            and fnmatchcase(rule, self.rule)
            and fnmatchcase(subject, self.subject)
        )


def kept_quiet(
    environment: str,
    rule: str,
    subject: str,
    *,
    silences: Iterable[Quiet],
    settings: AlertSettings,
    now: datetime,
) -> str | None:
    """What keeps an incident quiet, in words; None: nothing."""
    for silence in silences:
        if silence.covers(environment, rule, subject, now):
            return f"silence {silence.id} of {silence.created_by}: {silence.reason}"
    for name, window in settings.maintenance.items():
        if (
            any(fnmatchcase(environment, pattern) for pattern in window.environments)
            and any(fnmatchcase(rule, pattern) for pattern in window.rules)
            and window.open_at(now)
        ):
            return f"maintenance {name}: {window.reason}"
    return None
