"""Rules about standbys, and about slots that keep WAL for somebody. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.seeing import Level, Seen, every, level, newest
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.monitoring.collectors.replication import Replication, Slot
from bounty_ops.monitoring.findings import duration, size

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings

#: A standby or subscriber that restarts is away for a moment.
INACTIVE: Final = timedelta(minutes=15)
_LOSING: Final = frozenset({"unreserved", "lost"})


def replication_lag(situation: Situation, settings: RuleSettings) -> Answer:
    """A standby shows old data, and would lose what it lacks if it had to take over."""
    seen = newest(situation, Replication)
    if isinstance(seen, Undecided):
        return seen
    found = seen.result
    behind = [
        (f"standby {standby.name or standby.pid}", standby.lag_seconds, standby.lag_bytes)
        for standby in found.standbys
    ]
    if found.in_recovery:
        behind.append(("this server", found.replay_lag_seconds, found.replay_lag_bytes))
    findings = []
    for who, seconds, count in behind:
        bad = None if seconds is None else level(seconds, settings)
        if bad is None or seconds is None:
            continue
        more = f", {size(count)}" if count else ""
        findings.append(
            Finding(
                rule=Rule.REPLICATION_LAG,
                subject=who,
                severity=bad.severity,
                title=f"[{situation.environment}] {who} is {duration(seconds)} behind",
                body=f"{who} is {duration(seconds)}{more} behind.\nDo: look at its load, at long "
                "queries there that hold replay back, and at the network between.",
                evidence={"lag_seconds": seconds, "lag_bytes": count},
                held=bad.held,
            )
        )
    if found.hidden:
        reason = f"{found.hidden} followers may not be looked into"
        return Undecided(reason, findings=tuple(findings))
    return findings


def replication_slot(situation: Situation, settings: RuleSettings) -> Answer:
    """A slot keeps WAL until the disk is full, or is about to lose what it needs."""
    seen = newest(situation, Replication)
    if isinstance(seen, Undecided):
        return seen
    findings = []
    for slot in seen.result.slots:
        judged = _judge(situation, settings, slot, seen)
        if judged is None:
            continue
        bad, why = judged
        kept = size(slot.retained_bytes or 0)
        findings.append(
            Finding(
                rule=Rule.REPLICATION_SLOT,
                subject=slot.subject,
                severity=bad.severity,
                title=f"[{situation.environment}] replication slot {slot.name} {why}",
                body=f"The {slot.kind} slot {slot.name} {why}; it keeps {kept} of WAL, which grows "
                "with every write until somebody reads it.\nDo: bring back who reads it; if nobody "
                f"will, SELECT pg_drop_replication_slot('{slot.name}');",
                evidence={
                    "retained_bytes": slot.retained_bytes,
                    "active": slot.active,
                    "wal_status": slot.wal_status,
                },
                held=bad.held,
            )
        )
    return findings


def _judge(
    situation: Situation, settings: RuleSettings, slot: Slot, seen: Seen[Replication]
) -> tuple[Level, str] | None:
    if slot.temporary:
        return None
    if slot.wal_status in _LOSING:
        lost = slot.wal_status == "lost"
        return Level(Severity.CRITICAL), "has lost WAL that it needed" if lost else (
            "is about to lose WAL that it needs"
        )
    bad = level(slot.retained_bytes or 0, settings)
    if bad is not None:
        return bad, f"keeps {size(slot.retained_bytes or 0)} of WAL"
    if _inactive_for(situation, slot, seen) >= INACTIVE:
        return Level(Severity.WARNING), "is not read by anybody"
    return None


def _inactive_for(situation: Situation, slot: Slot, seen: Seen[Replication]) -> timedelta:
    """Before PostgreSQL 17 only earlier looks tell since when."""
    if slot.active:
        return timedelta(0)
    if slot.inactive_since is not None:
        return situation.now - slot.inactive_since
    since = seen.at
    for each in sorted(every(situation, Replication), key=lambda other: other.at, reverse=True):
        then = next((one for one in each.result.slots if one.name == slot.name), None)
        if then is None or then.active:
            break
        since = each.at
    return situation.now - since
