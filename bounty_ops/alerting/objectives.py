"""How much would be lost, how long a restore would take, and whether a backup is of unusual size.

Pure: what the bucket lists goes in. Recovery point (RPO): the age of the newest backup that a
restore has proved; what happened since would be lost. Recovery time (RTO): how long fetching and
restoring took in that proof, for the size that the database has now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from bounty_ops.journal.records import BackupState, BackupSummary, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bounty_ops.environments import Policy

#: A backup from further in the future has a wrong clock behind it, or a damaged record; it must
#: not keep `backup_overdue` quiet for years.
CLOCK_TOLERANCE: Final = timedelta(hours=1)
#: With how many earlier backups the newest one is compared, at most and at least.
MOST_COMPARED: Final = 10
LEAST_COMPARED: Final = 3
#: A migration adds some KiB to an archive; that a small one grows by half says nothing.
_UNREMARKABLE_GROWTH: Final = 1024 * 1024


def usable(backups: Iterable[BackupSummary], now: datetime) -> list[BackupSummary]:
    """The backups that count: whole, taken by us, and not from the future; newest first."""
    found = [
        backup
        for backup in backups
        if backup.state is BackupState.COMPLETE
        and not backup.imported
        and backup.taken_at <= now + CLOCK_TOLERANCE
    ]
    return sorted(found, key=lambda backup: (backup.taken_at, backup.id), reverse=True)


@dataclass(frozen=True)
class Recovery:
    """What a disaster would cost now, and what the policy allows; None is "not known"."""

    rpo_seconds: float | None
    """Age of the newest proved backup: what would be lost."""
    rpo_objective_seconds: float
    rto_seconds: float | None
    """How long fetching and restoring would take at the present size of the database."""
    rto_measured_seconds: float | None
    """How long it took in the newest proof that was timed."""
    rto_objective_seconds: float
    backup_id: str | None
    """Of the newest proved backup."""

    @property
    def rto_met(self) -> bool | None:
        """Whether a restore is fast enough; None when no proof was timed."""
        return None if self.rto_seconds is None else self.rto_seconds <= self.rto_objective_seconds


def recovery(
    backups: Iterable[BackupSummary],
    policy: Policy,
    now: datetime,
    *,
    database_bytes: int | None = None,
) -> Recovery:
    """Measure one environment.

    Args:
        backups: of this environment, as the bucket lists them.
        policy: says what is wanted.
        now: timezone-aware.
        database_bytes: the present size of the database. Where nobody knows it, the size that it
            had at the newest backup stands in.
    """
    known = usable(backups, now)
    proved = [backup for backup in known if backup.verdict is Verdict.PROVED]
    newest = proved[0] if proved else None
    timed = next((one for one in proved if _restore_seconds(one) is not None), None)
    measured = None if timed is None else _restore_seconds(timed)
    present = database_bytes or next((one.database_bytes for one in known), None)
    return Recovery(
        rpo_seconds=None if newest is None else max(0.0, (now - newest.taken_at).total_seconds()),
        rpo_objective_seconds=policy.proof_max_age_hours * 3600.0,
        rto_seconds=_scaled(measured, None if timed is None else timed.database_bytes, present),
        rto_measured_seconds=measured,
        rto_objective_seconds=policy.rto_minutes * 60.0,
        backup_id=None if newest is None else newest.id,
    )


def _restore_seconds(backup: BackupSummary) -> float | None:
    if backup.fetch_seconds is None or backup.restore_seconds is None:
        return None
    return backup.fetch_seconds + backup.restore_seconds


def _scaled(seconds: float | None, then: int | None, now: int | None) -> float | None:
    """Copying rows and building indexes both take about as long as the data is large."""
    if seconds is None or not then or not now:
        return seconds
    return round(seconds * now / then, 3)


@dataclass(frozen=True)
class SizeChange:
    """The newest backup's size beside that of those before it."""

    backup_id: str
    size_bytes: int
    median_bytes: float
    compared: int
    """With how many earlier backups."""
    limit: float

    @property
    def ratio(self) -> float:
        """1 is the median; 0.1 is a tenth of it."""
        return self.size_bytes / self.median_bytes

    @property
    def anomalous(self) -> bool:
        """Whether somebody should look: rows may have been lost, or something runs wild."""
        change = self.size_bytes - self.median_bytes
        if 0 < change < _UNREMARKABLE_GROWTH:
            return False
        return abs(change) > self.limit * self.median_bytes


def size_change(backups: Iterable[BackupSummary], limit: float, now: datetime) -> SizeChange | None:
    """Compare the newest whole backup with those before it; None when there are too few.

    The median follows a lasting change by itself, and one odd backup among ten does not move it.
    Backups that a restore has refuted are no measure for anything.
    """
    sizes = [
        (backup.id, backup.size_bytes)
        for backup in usable(backups, now)
        if backup.size_bytes is not None and backup.verdict is not Verdict.REFUTED
    ]
    earlier = [size for _, size in sizes[1 : MOST_COMPARED + 1]]
    if len(earlier) < LEAST_COMPARED or median(earlier) <= 0:
        return None
    (newest, size), *_ = sizes
    return SizeChange(newest, size, float(median(earlier)), len(earlier), limit)
