"""What is going on: long queries and transactions, who waits for whom, who holds VACUUM back."""

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from bounty_ops.monitoring.collectors.blocking import ASKED, Blocked, Blocking, collect_blocking
from bounty_ops.monitoring.collectors.horizons import Horizon, collect_horizons
from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import Measured, Probe, identifier
from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult, Unknown


class LongSession(Entry):
    """A session of this database that is at something for `slow_query_seconds` or longer."""

    pid: int
    user: str
    application: str
    state: str
    seconds: float
    """How long its query runs; of an idle transaction, how long it has been idle."""
    transaction_seconds: float | None
    wait_event: str | None
    statement: str
    """The statement without literals; of an idle transaction, its last one."""

    @property
    def subject(self) -> str:
        """Its process id at the server."""
        return f"pid {self.pid}"


class Activity(FamilyResult):
    """Sessions of this database, and what holds others up.

    Of a role that may not see other roles' sessions, the longest ones are None: what it sees
    stands in the lists all the same.
    """

    family: ClassVar[str] = "activity"
    lists: ClassVar[tuple[str, ...]] = ("sessions", "blocking", "horizons")
    cadence: ClassVar[Cadence] = "vitals"

    hidden: int
    """Sessions of this database that the role may not look into, or the server does not track."""
    longest_query_seconds: float | None
    longest_transaction_seconds: float | None
    longest_idle_in_transaction_seconds: float | None
    """All three: 0 where there is none, None where sessions are hidden."""
    blocked: int
    """Sessions of this database that wait for a lock somebody else holds or waits for."""
    longest_wait_seconds: float
    """How long the longest of them has been waiting; 0 where nobody waits."""
    prepared: int
    """Prepared transactions of this database that nobody has committed or rolled back yet."""
    oldest_prepared_seconds: float
    """Of the oldest of them; 0 where there is none."""
    oldest_xmin_age: int | None
    """The age of the oldest horizon; 0 where nobody holds one, None where some are hidden."""
    sessions: tuple[LongSession, ...]
    blocking: tuple[Blocking, ...]
    horizons: tuple[Horizon, ...]


class _Session(NamedTuple):
    pid: int
    client: bool
    hidden: bool
    state: str | None
    user: str | None
    application: str | None
    query_seconds: float | None
    state_seconds: float | None
    transaction_seconds: float | None
    wait_event_type: str | None
    wait_event: str | None
    text: bytes | None

    @property
    def untracked(self) -> bool:
        return self.state == "disabled"

    @property
    def idle_in_transaction(self) -> bool:
        return (self.state or "").startswith("idle in transaction")

    @property
    def seconds(self) -> float:
        since = self.state_seconds if self.idle_in_transaction else self.query_seconds
        return max(0.0, since or 0.0)


def collect_activity(probe: Probe) -> Measured:
    """Look at sessions, locks and horizons.

    Raises:
        psycopg.Error: a statement failed.
    """
    found = [_Session(*row) for row in probe.rows("activity")]
    shown = [each for each in found if each.client and not each.untracked]
    hidden = [each for each in found if each.hidden]
    untracked = [each for each in found if each.untracked]
    # Of a hidden session it is not known whether it waits, so the server is asked.
    suspects = {each.pid for each in found if each.hidden or each.wait_event_type == "Lock"}
    blocked = collect_blocking(probe, suspects)
    horizons, oldest_xmin_age = collect_horizons(probe)
    ((prepared, oldest_prepared, hidden_standbys),) = probe.rows("held_elsewhere")
    result = Activity(
        hidden=len(hidden) + len(untracked),
        **_longest(shown, blind=bool(hidden or untracked)),
        blocked=blocked.sessions,
        longest_wait_seconds=blocked.longest_seconds,
        prepared=prepared,
        oldest_prepared_seconds=oldest_prepared,
        oldest_xmin_age=None if hidden or hidden_standbys else oldest_xmin_age,
        sessions=_long(shown, probe.policy.slow_query_seconds),
        blocking=blocked.trees,
        horizons=horizons,
    )
    return Measured(
        result,
        (
            *_hidden_sessions(probe, len(hidden)),
            *_untracked_sessions(probe, len(untracked)),
            *_hidden_standbys(probe, hidden_standbys),
            *_not_asked(blocked),
        ),
    )


def _longest(shown: Iterable[_Session], *, blind: bool) -> dict[str, float | None]:
    """The longest of each sort; unknown where there may be longer ones that cannot be seen."""
    found: dict[str, float | None] = dict.fromkeys(
        (
            "longest_query_seconds",
            "longest_transaction_seconds",
            "longest_idle_in_transaction_seconds",
        ),
        None if blind else 0.0,
    )
    for each in () if blind else shown:
        kind = "idle_in_transaction" if each.idle_in_transaction else "query"
        for name, seconds in ((kind, each.seconds), ("transaction", each.transaction_seconds)):
            field = f"longest_{name}_seconds"
            found[field] = max(found[field] or 0.0, seconds or 0.0)
    return found


def _long(sessions: Iterable[_Session], threshold: float) -> tuple[LongSession, ...]:
    """Those that take long, longest first."""
    long = (
        LongSession(
            pid=each.pid,
            user=each.user or "",
            application=each.application or "",
            state=each.state or "",
            seconds=each.seconds,
            transaction_seconds=each.transaction_seconds,
            wait_event=each.wait_event_type and f"{each.wait_event_type}: {each.wait_event}",
            statement=strip_literals((each.text or b"").decode("utf-8", errors="replace")),
        )
        for each in sessions
        if max(each.seconds, each.transaction_seconds or 0.0) >= threshold
    )
    return tuple(sorted(long, key=lambda each: (-(each.transaction_seconds or 0), each.pid)))


def _hidden_sessions(probe: Probe, hidden: int) -> tuple[Unknown, ...]:
    if not hidden:
        return ()
    return (
        Unknown(
            family=Activity.family,
            subject="sessions of other roles",
            reason=f"{hidden} sessions belong to other roles; {probe.user} may not see how long "
            "their queries and transactions run, nor how far back they hold VACUUM",
            remedy=probe.grant_stats(),
        ),
    )


def _untracked_sessions(probe: Probe, untracked: int) -> tuple[Unknown, ...]:
    if not untracked:
        return ()
    return (
        Unknown(
            family=Activity.family,
            subject="sessions without tracking",
            reason=f"{untracked} sessions run with track_activities off: the server itself does "
            "not keep how long their queries and transactions run",
            remedy=f"ALTER DATABASE {identifier(probe.database)} SET track_activities = on",
        ),
    )


def _hidden_standbys(probe: Probe, hidden: int) -> tuple[Unknown, ...]:
    if not hidden:
        return ()
    return (
        Unknown(
            family=Activity.family,
            subject="horizons of standbys",
            reason=f"{hidden} followers of this server may hold VACUUM back; {probe.user} may not "
            "see it",
            remedy=probe.grant_stats(),
        ),
    )


def _not_asked(blocked: Blocked) -> tuple[Unknown, ...]:
    if not blocked.not_asked:
        return ()
    return (
        Unknown(
            family=Activity.family,
            subject="who blocks the others",
            reason=f"{blocked.sessions} sessions wait for locks, and the server was asked about "
            f"the {ASKED} that have been waiting longest",
            remedy="See to the blockers that are told; the next collection asks about the others",
        ),
    )
