"""Findings about what is going on now: who runs too long, who waits, who holds VACUUM back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.monitoring.collectors.activity import Activity, LongSession
    from bounty_ops.monitoring.collectors.blocking import Blocking
    from bounty_ops.monitoring.collectors.horizons import Horizon
    from bounty_ops.monitoring.collectors.queries import Queries
    from bounty_ops.monitoring.collectors.running import RunningQuery

LONG_SECONDS: Final = 300
VERY_LONG_SECONDS: Final = 900
WAITING_SECONDS: Final = 300
PREPARED_SECONDS: Final = 900
HORIZON_SECONDS: Final = 1_800
HORIZON_XIDS: Final = 20_000_000


def activity_findings(activity: Activity) -> Iterator[Finding]:
    """What the family `activity` tells."""
    for tree in activity.blocking:
        yield _blocking(tree)
    waiting = {pid for tree in activity.blocking for pid in tree.blocked_pids}
    for session in activity.sessions:
        if session.pid not in waiting:
            yield _long(session)
    for horizon in activity.horizons:
        if (horizon.seconds or 0) >= HORIZON_SECONDS or horizon.xid_age >= HORIZON_XIDS:
            yield _horizon(horizon)
    if activity.oldest_prepared_seconds >= PREPARED_SECONDS:
        yield Finding(
            kind="prepared_transaction",
            severity=Severity.WARNING,
            subject="prepared transactions",
            title=f"{activity.prepared} prepared transactions wait to be finished, the oldest for "
            f"{duration(activity.oldest_prepared_seconds)}",
            evidence="they keep their locks and hold VACUUM back, even over a restart",
            remedy="SELECT gid, owner, prepared FROM pg_prepared_xacts; then ROLLBACK PREPARED or "
            "COMMIT PREPARED each",
            weight=activity.oldest_prepared_seconds,
        )


def _blocking(tree: Blocking) -> Finding:
    who = "a prepared transaction" if tree.prepared is not None else f"pid {tree.blocker_pid}"
    ending = f"SELECT pg_cancel_backend({tree.blocker_pid});"
    if tree.prepared is not None:
        ending = "ROLLBACK PREPARED (see pg_prepared_xacts);"
    elif (tree.state or "").startswith("idle"):
        ending = f"SELECT pg_terminate_backend({tree.blocker_pid});"
    known = tree.statement or "its statement is not visible to this role"
    return Finding(
        kind="blocked_query",
        severity=Severity.CRITICAL if tree.seconds >= WAITING_SECONDS else Severity.WARNING,
        subject=tree.subject,
        title=f"{len(tree.blocked_pids)} sessions have been waiting up to "
        f"{duration(tree.seconds)} for {who} ({tree.user or 'unknown'})",
        evidence=f"{who}, {tree.application or 'no name'}, {tree.state or 'state unknown'}: "
        f"{known}; waiting: {', '.join(f'pid {pid}' for pid in tree.blocked_pids[:10])}",
        remedy=f"Let the blocker finish, or end it: {ending}",
        weight=tree.seconds,
    )


def _long(session: LongSession) -> Finding:
    if session.state.startswith("idle in transaction"):
        return _idle(session, session.statement)
    return _running(session, session.statement)


def _idle(session: LongSession | RunningQuery, text: str) -> Finding:
    return Finding(
        kind="idle_in_transaction",
        severity=by_age(session.seconds),
        subject=session.subject,
        title=f"pid {session.pid} ({session.user}) keeps a transaction open and has done nothing "
        f"for {duration(session.seconds)}",
        evidence=f"last statement: {text}",
        remedy=f"SELECT pg_terminate_backend({session.pid}); and look for a missing commit in "
        f"{session.application or 'its application'}",
        weight=session.seconds,
    )


def _running(session: LongSession | RunningQuery, text: str) -> Finding:
    return Finding(
        kind="long_running_query",
        severity=by_age(session.seconds),
        subject=session.subject,
        title=f"pid {session.pid} ({session.user}) has been running {duration(session.seconds)}",
        evidence=text,
        remedy=f"SELECT pg_cancel_backend({session.pid}); if nobody needs its result",
        weight=session.seconds,
    )


def by_age(seconds: float) -> Severity:
    """How grave it is that something lasts so long."""
    if seconds >= VERY_LONG_SECONDS:
        return Severity.CRITICAL
    return Severity.WARNING if seconds >= LONG_SECONDS else Severity.INFO


def _horizon(horizon: Horizon) -> Finding:
    what = {
        "backend": "end its transaction: SELECT pg_terminate_backend"
        f"({horizon.name.removeprefix('pid ')});",
        "prepared": "ROLLBACK PREPARED or COMMIT PREPARED it (see pg_prepared_xacts)",
        "slot": "let its consumer catch up, or SELECT pg_drop_replication_slot(...) if it is gone",
        "standby": "end the long query on the standby, or set hot_standby_feedback = off there",
    }[horizon.kind]
    lasting = "" if horizon.seconds is None else f" for {duration(horizon.seconds)}"
    return Finding(
        kind="horizon_held",
        severity=Severity.WARNING,
        subject=horizon.subject,
        title=f"{horizon.subject} keeps VACUUM from removing rows{lasting}",
        evidence=f"{horizon.xid_age:,} transactions have begun since; "
        f"{horizon.user or 'unknown'}, {horizon.application or 'no name'}, {horizon.state or '-'}",
        remedy=what,
        weight=horizon.xid_age,
    )


def running_findings(queries: Queries) -> Iterator[Finding]:
    """The same from running queries alone, where the family `activity` is not there."""
    by_pid = {query.pid: query for query in queries.running}
    for query in queries.running:
        if query.blocked_by:
            yield _blocked(query, by_pid)
        elif query.state.startswith("idle in transaction"):
            yield _idle(query, query.text)
        elif query.seconds >= queries.slow_query_seconds:
            yield _running(query, query.text)


def _blocked(query: RunningQuery, by_pid: dict[int, RunningQuery]) -> Finding:
    blockers = "; ".join(_blocker(pid, by_pid.get(pid)) for pid in query.blocked_by)
    return Finding(
        kind="blocked_query",
        severity=Severity.CRITICAL if query.seconds >= WAITING_SECONDS else Severity.WARNING,
        subject=query.subject,
        title=f"pid {query.pid} ({query.user}) has been waiting {duration(query.seconds)} for "
        f"{', '.join(_name(pid) for pid in query.blocked_by)}",
        evidence=f"waits: {query.text}; held up by {blockers}",
        remedy="Let the blocker finish, or end it: "
        + " ".join(_ending(pid, by_pid.get(pid)) for pid in query.blocked_by),
        weight=query.seconds,
    )


def _ending(pid: int, query: RunningQuery | None) -> str:
    if pid == 0:
        return "ROLLBACK PREPARED (see pg_prepared_xacts);"
    if query is not None and query.state.startswith("idle in transaction"):
        # There is no statement to cancel.
        return f"SELECT pg_terminate_backend({pid});"
    return f"SELECT pg_cancel_backend({pid});"


def _name(pid: int) -> str:
    return f"pid {pid}" if pid else "a prepared transaction"


def _blocker(pid: int, query: RunningQuery | None) -> str:
    if query is None:
        return f"{_name(pid)} (not visible to this role)" if pid else _name(pid)
    return (
        f"pid {pid} ({query.user}, {query.application or 'no name'}, {query.state}): {query.text}"
    )
