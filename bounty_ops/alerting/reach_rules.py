"""Rules about what has to be reachable, and about those who watch. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.seeing import collections, level
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.errors import BountyOpsError
from bounty_ops.monitoring.cadence import INTERVALS
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.environments.alerts import RuleSettings
    from bounty_ops.monitoring.result import Cadence

EVERYTHING: Final = "everything"
#: The watcher asks every minute; what it heard is no news any more after several that it missed.
_ASKED_WITHIN: Final = timedelta(minutes=15)


def server_unreachable(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """Nobody answers, or the login is refused."""
    if isinstance(situation.collection, BountyOpsError):
        return [_broken(situation, Rule.SERVER_UNREACHABLE, "server", situation.collection)]
    newest = _newest(situation)
    if newest is None or situation.now - newest > _ASKED_WITHIN:
        return Undecided("nobody asked the server lately")
    return []


def bucket_unreachable(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The bucket could not be asked."""
    if not isinstance(situation.backups, BountyOpsError):
        return []
    return [_broken(situation, Rule.BUCKET_UNREACHABLE, "bucket", situation.backups)]


def operations_unreachable(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """The operations database cannot be used: nothing is recorded, and nobody is told."""
    if situation.operations is None:
        return []
    error = situation.operations
    return [_broken(situation, Rule.OPERATIONS_UNREACHABLE, "operations database", error)]


def _broken(situation: Situation, rule: Rule, subject: str, error: BountyOpsError) -> Finding:
    return Finding(
        rule=rule,
        subject=subject,
        severity=Severity.CRITICAL,
        title=f"[{situation.environment}] the {subject} cannot be reached: {error}",
        body=f"{error}\nDo: {error.hint}",
        evidence={"error": type(error).__name__},
    )


def alert_settings_wrong(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """What somebody wrote about alerting is not what is in force."""
    problem = situation.alerts_problem
    if problem is None:
        return []
    return [
        Finding(
            rule=Rule.ALERT_SETTINGS_WRONG,
            subject="settings",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] the alert settings cannot be read; the defaults "
            "are in force",
            body=f"{problem}\nDo: {problem.hint}",
        )
    ]


def messages_undelivered(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """A channel did not take messages, and they were given up."""
    outbox = situation.outbox
    if outbox is None:
        return Undecided("nobody looked into the outbox")
    if not outbox.dead:
        return []
    what = "1 message was" if outbox.dead == 1 else f"{outbox.dead} messages were"
    return [
        Finding(
            rule=Rule.MESSAGES_UNDELIVERED,
            subject="outbox",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] {what} given up",
            body=f"{what} tried again and again and then given up"
            + (f". The last answer: {outbox.problem}" if outbox.problem else "")
            + f".\nDo: bounty-ops alerts test -e {situation.environment} shows which channel does "
            "not work; correct its URL.",
            evidence={"dead": outbox.dead},
        )
    ]


def monitoring_blind(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """Families that could not be measured at all although the server was asked."""
    if isinstance(situation.collection, BountyOpsError):
        return Undecided(f"the server could not be asked: {situation.collection}")
    blind: dict[str, tuple[datetime, str, str]] = {}
    for collection in sorted(collections(situation), key=lambda each: each.taken_at):
        for family in collection.families:
            blind.pop(family, None)
        for each in collection.unknown:
            if each.subject == EVERYTHING and each.family not in collection.families:
                blind[each.family] = (collection.taken_at, each.reason, each.remedy)
    return [
        Finding(
            rule=Rule.MONITORING_BLIND,
            subject=family,
            severity=Severity.WARNING,
            title=f"[{situation.environment}] {family} could not be measured",
            body=f"{family} could not be measured at {at:%Y-%m-%d %H:%M} UTC: {reason}. Until "
            f"that changes nobody is told what goes wrong there.\nDo: {remedy}",
            evidence={"family": family, "reason": reason},
        )
        for family, (at, reason, remedy) in sorted(blind.items())
    ]


def monitoring_late(situation: Situation, settings: RuleSettings) -> Answer:
    """Collections of a cadence do not come any more, or never did."""
    if not situation.policy.monitor_wakes:
        return Undecided("monitor_wakes is false: it is measured only when somebody asks")
    if isinstance(situation.collection, BountyOpsError):
        return Undecided(f"the server could not be asked: {situation.collection}")
    findings = []
    for cadence, period in INTERVALS.items():
        names = [name for name, (kind, _) in FAMILIES.items() if kind.cadence == cadence]
        if not names:
            continue
        newest = _newest(situation, names)
        cycles = float("inf") if newest is None else (situation.now - newest) / period
        bad = level(cycles, settings)
        if bad is None:
            continue
        since = "there is none" if newest is None else f"the newest is from {newest:%H:%M} UTC"
        findings.append(
            Finding(
                rule=Rule.MONITORING_LATE,
                subject=cadence,
                # Where nothing was ever collected, nothing was lost yet.
                severity=Severity.WARNING if newest is None else bad.severity,
                title=f"[{situation.environment}] {_WHAT[cadence]} are not being measured",
                body=f"Measurements of {', '.join(names)} should come every "
                f"{duration(period.total_seconds())}, and {since}. Nobody is told what goes wrong "
                f"there.\nDo: bounty-ops monitor collect -e {situation.environment}, and look at "
                "the environment's collection in Dagster.",
                evidence={"cadence": cadence, "newest": newest and newest.isoformat()},
            )
        )
    return findings


_WHAT: Final[Mapping[Cadence, str]] = MappingProxyType(
    {"vitals": "vital signs", "deltas": "statements and settings", "tables": "tables and indexes"}
)


def _newest(situation: Situation, families: list[str] | None = None) -> datetime | None:
    """When any of these families was measured last; of all, when anything was."""
    return max(
        (
            each.taken_at
            for each in collections(situation)
            if families is None or not each.families.keys().isdisjoint(families)
        ),
        default=None,
    )
