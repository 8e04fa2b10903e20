"""Rules about what is going on in the server right now. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bounty_ops.alerting.seeing import Level, Seen, level, newest
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.monitoring import Connections
from bounty_ops.monitoring.collectors.activity import Activity, LongSession
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments.alerts import RuleSettings
    from bounty_ops.monitoring.collectors.blocking import Blocking

#: Backups, restores and migrations take long, and tell of themselves.
_OURS: Final = ("bounty-ops", "pg_dump", "pg_restore", "pg_basebackup")
_OUR_MIGRATION: Final = "bounty-ops migrate"
_BLOCKED_BY: Final = frozenset({
    Rule.IDLE_IN_TRANSACTION,
    Rule.LONG_QUERY,
    Rule.LONG_TRANSACTION,
})  # fmt: skip
#: What piles up behind a migration is its fault as a whole.
_BEHIND_MIGRATION: Final = frozenset({
    *_BLOCKED_BY,
    Rule.CONNECTIONS_NEAR_LIMIT,
    Rule.SLOW_QUERY_REGRESSION,
})  # fmt: skip
_LONGEST_STATEMENT: Final = 300


def connections_near_limit(situation: Situation, settings: RuleSettings) -> Answer:
    """Soon somebody is refused."""
    seen = newest(situation, Connections)
    if isinstance(seen, Undecided):
        return seen
    connections, limit = seen.result, seen.result.usable
    bad = level(limit.ratio, settings)
    if bad is None:
        return []
    whose = limit.kind if limit.name is None else f"{limit.kind} {limit.name}"
    top = sorted(connections.by_application.items(), key=lambda pair: -pair[1])[:3]
    return [
        Finding(
            rule=Rule.CONNECTIONS_NEAR_LIMIT,
            subject="connections",
            severity=bad.severity,
            title=f"[{situation.environment}] {limit.used} of {limit.limit} connections are taken",
            body=f"{limit.used} of {limit.limit} usable connections of the {whose} are taken "
            f"({limit.ratio:.0%}; {_thresholds(settings)}). Most by: "
            + ", ".join(f"{name} {count}" for name, count in top)
            + ".\nDo: use smaller pools or a pooler, close idle clients, or raise the limit.",
            evidence={"limit": limit.model_dump(mode="json")},
            held=bad.held,
        )
    ]


def _thresholds(settings: RuleSettings) -> str:
    named = {"warning": settings.warning, "critical": settings.critical}
    return ", ".join(f"{name} at {value:.0%}" for name, value in named.items() if value is not None)


def idle_in_transaction(situation: Situation, settings: RuleSettings) -> Answer:
    """A client began a transaction and went away."""
    return _sessions(
        situation,
        settings,
        Rule.IDLE_IN_TRANSACTION,
        chosen=_idle,
        seconds=lambda session: session.seconds,
        what="has been idle within its transaction for",
        remedy="find out why the client neither commits nor rolls back; SELECT "
        "pg_terminate_backend({pid}) ends it. idle_in_transaction_session_timeout does it for you.",
    )


def long_transaction(situation: Situation, settings: RuleSettings) -> Answer:
    """A transaction is open for long; of those that are idle for long another rule tells.

    One that only pauses between two statements counts: no rule would ever tell of it otherwise.
    """
    idle = situation.settings.rule(Rule.IDLE_IN_TRANSACTION)

    def told_as_idle(session: LongSession) -> bool:
        return idle.enabled and _idle(session) and level(session.seconds, idle) is not None

    return _sessions(
        situation,
        settings,
        Rule.LONG_TRANSACTION,
        chosen=lambda session: not told_as_idle(session),
        seconds=lambda session: session.transaction_seconds or 0.0,
        what="has had a transaction open for",
        remedy="let it end, or SELECT pg_terminate_backend({pid}). Until then VACUUM removes no "
        "row that was deleted since, anywhere in the database.",
    )


def long_query(situation: Situation, settings: RuleSettings) -> Answer:
    """A statement runs for long."""
    return _sessions(
        situation,
        settings,
        Rule.LONG_QUERY,
        chosen=lambda session: not _idle(session),
        seconds=lambda session: session.seconds,
        what="has been running a statement for",
        remedy="SELECT pg_cancel_backend({pid}) cancels it; EXPLAIN says why it takes so long, "
        "and statement_timeout bounds the next one.",
    )


def _idle(session: LongSession) -> bool:
    return session.state.startswith("idle in transaction")


def _sessions(
    situation: Situation,
    settings: RuleSettings,
    rule: Rule,
    *,
    chosen: Callable[[LongSession], bool],
    seconds: Callable[[LongSession], float],
    what: str,
    remedy: str,
) -> Answer:
    """One incident for all such sessions: the longest one names it."""
    seen = newest(situation, Activity)
    if isinstance(seen, Undecided):
        return seen
    sessions = [
        session
        for session in seen.result.sessions
        if chosen(session) and not session.application.startswith(_OURS)
    ]
    longest = max(sessions, key=seconds, default=None)
    bad = None if longest is None else level(seconds(longest), settings)
    findings: list[Finding] = []
    if longest is not None and bad is not None:
        others = sum(level(seconds(each), settings) is not None for each in sessions) - 1
        findings.append(
            Finding(
                rule=rule,
                subject="sessions",
                severity=bad.severity,
                title=f"[{situation.environment}] {longest.application or longest.user} {what} "
                f"{duration(seconds(longest))}",
                body=f"Session {longest.pid} of {longest.user} {what} "
                f"{duration(seconds(longest))}"
                + (f", and {others} more" if others > 0 else "")
                + f": {_brief(longest.statement)}\nDo: {remedy.format(pid=longest.pid)}",
                evidence=_evidence(longest),
                held=bad.held,
            )
        )
    return _as_far_as_seen(seen, findings)


def _as_far_as_seen(seen: Seen[Activity], findings: list[Finding]) -> Answer:
    """Of sessions that are hidden nobody knows how long they take."""
    if seen.result.hidden:
        reason = f"{seen.result.hidden} sessions may not be looked into"
        return Undecided(reason, findings=tuple(findings))
    return findings


def blocking(situation: Situation, settings: RuleSettings) -> Answer:
    """Sessions wait for the lock of another one."""
    seen = newest(situation, Activity)
    if isinstance(seen, Undecided):
        return seen
    trees = sorted(seen.result.blocking, key=lambda tree: tree.seconds, reverse=True)
    judged = [(tree, bad) for tree in trees if (bad := _blocks(tree, settings)) is not None]
    worst = max(judged, key=lambda pair: (not pair[1].held, pair[1].severity.rank), default=None)
    if worst is None:
        if seen.result.blocked and not trees:
            return Undecided("sessions wait, and it could not be seen for whom")
        return []
    return [_blocked(situation, *worst)]


def _blocks(tree: Blocking, settings: RuleSettings) -> Level | None:
    ours = (tree.application or "").startswith(_OUR_MIGRATION)
    if ours and settings.minimum is not None and tree.seconds >= settings.minimum:
        return Level(Severity.CRITICAL)
    return level(tree.seconds, settings)


def _blocked(situation: Situation, tree: Blocking, bad: Level) -> Finding:
    ours = (tree.application or "").startswith(_OUR_MIGRATION)
    count = len(tree.blocked_pids)
    waiting = "1 session waits" if count == 1 else f"{count} sessions wait"
    whom = (
        f"prepared transaction {tree.prepared}"
        if tree.prepared is not None
        else f"session {tree.blocker_pid} ({tree.application or tree.user or 'hidden'})"
    )
    remedy = (
        f"ROLLBACK PREPARED '{tree.prepared}' or COMMIT it"
        if tree.prepared is not None
        else f"SELECT pg_terminate_backend({tree.blocker_pid}) ends it"
    )
    if ours:
        remedy = (
            "the migration gives up by itself after lock_timeout; if it holds the lock already, "
            f"decide whether it may go on. {remedy}, and what it did is rolled back"
        )
    return Finding(
        rule=Rule.BLOCKING,
        subject="locks",
        severity=bad.severity,
        title=f"[{situation.environment}] {waiting} for "
        + ("our own migration" if ours else whom)
        + f", for {duration(tree.seconds)}",
        body=f"{waiting} for {whom}, which is {tree.state or 'hidden'}: "
        f"{_brief(tree.statement or 'its statement is hidden')}\n"
        + _first_waiters(tree)
        + f"Do: {remedy}.",
        evidence={
            "blocker_pid": tree.blocker_pid,
            "application": tree.application,
            "blocked_pids": list(tree.blocked_pids),
            "seconds": tree.seconds,
            "depth": tree.depth,
        },
        held=bad.held,
        hides=_BEHIND_MIGRATION if ours else _BLOCKED_BY,
    )


def _first_waiters(tree: Blocking) -> str:
    lines = [
        f"{each.pid} ({each.application or each.user or 'hidden'}) wants {each.lock}"
        for each in tree.waiters[:3]
    ]
    return "".join(f"{line}\n" for line in lines)


def _brief(statement: str) -> str:
    line = " ".join(statement.split())
    return line if len(line) <= _LONGEST_STATEMENT else f"{line[:_LONGEST_STATEMENT]} ..."


def _evidence(session: LongSession) -> dict[str, Any]:
    return {
        "pid": session.pid,
        "user": session.user,
        "application": session.application,
        "state": session.state,
        "seconds": session.seconds,
        "transaction_seconds": session.transaction_seconds,
        "wait_event": session.wait_event,
    }
