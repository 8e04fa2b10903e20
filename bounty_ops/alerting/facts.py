"""Facts that rules go by and that others gather: about migrations, Dagster and the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Revision:
    """Where a database stands among the migrations."""

    current: str | None
    """None: it is not under migration."""
    head: str
    pending: tuple[str, ...]


@dataclass(frozen=True)
class Drift:
    """The last comparison of the schema with what its revision makes."""

    at: datetime
    differences: tuple[str, ...]
    """One line each: `column public.bounty.title: expected text, found varchar`."""


@dataclass(frozen=True)
class LatestRun:
    """The latest finished run of a job."""

    job: str
    run_id: str
    failed: bool
    ended_at: datetime
    reason: str = ""
    """What went wrong, without secrets."""


@dataclass(frozen=True)
class Automation:
    """A schedule or sensor that is switched on."""

    name: str
    kind: Literal["schedule", "sensor"]
    interval_seconds: float | None
    """Time between two ticks; None: it has no regular one."""
    last_tick_at: datetime | None
    """None: it never ticked."""
    running_since: datetime | None
    """Since when it is on; a tick can be late only after that."""
    failures_in_a_row: int = 0
    error: str = ""
    """Of the last tick, without secrets."""


@dataclass(frozen=True)
class DagsterFacts:
    """How the jobs, schedules and sensors of one environment are doing."""

    runs: tuple[LatestRun, ...] = ()
    automations: tuple[Automation, ...] = ()


@dataclass(frozen=True)
class Outbox:
    """What became of an environment's messages."""

    dead: int
    """Messages that were given up."""
    oldest_waiting_at: datetime | None = None
    problem: str = ""
    """What a channel said last, without secrets."""
