"""Who follows this server, how far behind, and how much WAL is kept for those who do not."""

from typing import ClassVar, Literal

from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult, Unknown, UtcTime


class Slot(Entry):
    """One replication slot."""

    name: str
    kind: Literal["physical", "logical"]
    database: str | None
    plugin: str | None
    temporary: bool
    active: bool
    retained_bytes: int | None
    """WAL that is kept because of it; None where it keeps none."""
    wal_status: str | None
    """`reserved`, `extended`, `unreserved` (about to be lost) or `lost`; None: it keeps no WAL."""
    safe_wal_bytes: int | None
    """How much may be written before it is lost; None where nothing limits it."""
    inactive_since: UtcTime | None
    """From PostgreSQL 17 on."""
    invalidation_reason: str | None
    """From PostgreSQL 17 on."""

    @property
    def subject(self) -> str:
        """Its name."""
        return f"slot {self.name}"


class Standby(Entry):
    """Somebody who receives this server's WAL: a standby, a logical subscriber, a backup."""

    pid: int
    name: str | None
    """Its application_name; None where the role may not see it."""
    state: str | None
    sync_state: str | None
    slot: str | None
    sent_lag_bytes: int | None
    """Written here and not sent yet."""
    lag_bytes: int | None
    """Written here and not replayed there yet (a subscriber: not confirmed; a receiver that
    replays nothing: not on its disk); None while it is being started or copied."""
    lag_seconds: float | None
    """How long what was replayed last had been on its way; None where nothing has to be."""

    @property
    def subject(self) -> str:
        """Its process id at the server: names need not be unique."""
        return f"standby pid {self.pid}"


class Replication(FamilyResult):
    """Slots and followers of this server and, where it is a standby itself, what it follows."""

    family: ClassVar[str] = "replication"
    lists: ClassVar[tuple[str, ...]] = ("slots", "standbys")
    cadence: ClassVar[Cadence] = "vitals"

    in_recovery: bool
    hidden: int
    """Followers whose state the role may not see."""
    slots_inactive: int
    retained_bytes: int
    """The most that any slot keeps."""
    worst_lag_bytes: int | None
    """Of the follower that is furthest behind; 0 where there is none, None where one is hidden."""
    replay_lag_bytes: int | None
    """Of a standby: received and not replayed yet."""
    replay_lag_seconds: float | None
    """Of a standby: age of the last transaction that was replayed, 0 where all that was received
    is; None where it is none, or has replayed none yet."""
    receiving: bool | None
    """Of a standby: whether it is receiving WAL now; None where it is none."""
    slots: tuple[Slot, ...]
    standbys: tuple[Standby, ...]


def collect_replication(probe: Probe) -> Measured:
    """Read slots and followers.

    Raises:
        psycopg.Error: a statement failed.
    """
    slots = tuple(Slot.model_validate(each) for each in probe.records("slots"))
    standbys = tuple(Standby.model_validate(each) for each in probe.records("followers"))
    hidden = sum(each.state is None for each in standbys)
    result = Replication(
        **probe.record("recovery"),
        hidden=hidden,
        slots_inactive=sum(not each.active for each in slots),
        retained_bytes=max((each.retained_bytes or 0 for each in slots), default=0),
        worst_lag_bytes=None
        if hidden
        else max((each.lag_bytes or 0 for each in standbys), default=0),
        slots=slots,
        standbys=standbys,
    )
    return Measured(result, _unknown(probe, hidden))


def _unknown(probe: Probe, hidden: int) -> tuple[Unknown, ...]:
    if not hidden:
        return ()
    return (
        Unknown(
            family=Replication.family,
            subject="lag of followers",
            reason=f"{hidden} follow this server; {probe.user} may not see how far behind",
            remedy=probe.grant_stats(),
        ),
    )
