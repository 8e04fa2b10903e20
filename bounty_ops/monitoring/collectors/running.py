"""What runs longer than it should, who is waiting, and for whom."""

from typing import NamedTuple

from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.result import Entry, Unknown


class RunningQuery(Entry):
    """One session at the moment of the collection."""

    pid: int
    user: str
    application: str
    state: str
    seconds: float
    """How long the query runs; of an idle transaction, how long it has been idle."""
    transaction_seconds: float | None
    wait_event: str | None
    blocked_by: tuple[int, ...]
    """The sessions it waits for; 0 stands for a prepared transaction."""
    text: str
    """The statement without literals; of an idle transaction, its last one."""
    truncated: bool
    """Whether the server kept only the beginning (track_activity_query_size)."""

    @property
    def subject(self) -> str:
        """Its process id at the server."""
        return f"pid {self.pid}"


class _Session(NamedTuple):
    pid: int
    user: str
    application: str | None
    state: str | None
    hidden: bool
    seconds: float | None
    transaction_seconds: float | None
    wait_event: str | None
    blocked_by: list[int]
    text: bytes
    truncated: bool


def collect_running(probe: Probe, family: str) -> tuple[tuple[RunningQuery, ...], list[Unknown]]:
    """Sessions that take longer than the policy's `slow_query_seconds`, and whoever blocks them.

    Raises:
        psycopg.Error: the statement failed.
    """
    sessions = [_Session(*row) for row in probe.rows("running")]
    visible = {session.pid: session for session in sessions if not session.hidden}
    chosen = _with_blockers(visible, probe.policy.slow_query_seconds)
    running = tuple(
        sorted((_entry(visible[pid]) for pid in chosen), key=lambda entry: -entry.seconds)
    )
    hidden = sum(session.hidden for session in sessions)
    return running, _unknown(probe, family, hidden)


def _with_blockers(sessions: dict[int, _Session], threshold: float) -> set[int]:
    """The slow ones, and along every chain of waiting the ones that hold them up."""
    open_ends = [s.pid for s in sessions.values() if (s.seconds or 0) >= threshold]
    chosen: set[int] = set()
    while open_ends:
        pid = open_ends.pop()
        if pid in sessions and pid not in chosen:
            chosen.add(pid)
            open_ends.extend(sessions[pid].blocked_by)
    return chosen


def _entry(session: _Session) -> RunningQuery:
    return RunningQuery(
        pid=session.pid,
        user=session.user,
        application=session.application or "",
        state=session.state or "",
        seconds=max(0.0, session.seconds or 0.0),
        transaction_seconds=session.transaction_seconds,
        wait_event=session.wait_event,
        # Parallel workers of one query make their leader's pid come more than once.
        blocked_by=tuple(sorted(set(session.blocked_by))),
        text=strip_literals(session.text.decode("utf-8", errors="replace")),
        truncated=session.truncated,
    )


def _unknown(probe: Probe, family: str, hidden: int) -> list[Unknown]:
    if not hidden:
        return []
    return [
        Unknown(
            family=family,
            subject="queries of other roles",
            reason=f"{hidden} sessions of this database belong to other roles, and {probe.user} "
            "may not see what they run",
            remedy=probe.grant_stats(),
        )
    ]
