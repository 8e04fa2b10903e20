"""When somebody must be told: a situation in, findings out, nothing else touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.activity_rules import (
    blocking,
    connections_near_limit,
    idle_in_transaction,
    long_query,
    long_transaction,
)
from bounty_ops.alerting.automation_rules import automation_dead, run_failed
from bounty_ops.alerting.backup_rules import backup_overdue, backup_refuted, proof_overdue
from bounty_ops.alerting.forecast_rules import limit_in_sight
from bounty_ops.alerting.keeping_rules import backup_not_locked, copy_overdue, prune_refused
from bounty_ops.alerting.load_rules import cache_hits_low, deadlocks, slow_query_regression
from bounty_ops.alerting.migration_rules import (
    migration_failed,
    migration_override,
    migration_pending,
    schema_drift,
)
from bounty_ops.alerting.reach_rules import (
    alert_settings_wrong,
    bucket_unreachable,
    messages_undelivered,
    monitoring_blind,
    monitoring_late,
    operations_unreachable,
    server_unreachable,
)
from bounty_ops.alerting.recovery_rules import backup_size_anomaly, restore_too_slow
from bounty_ops.alerting.replication_rules import replication_lag, replication_slot
from bounty_ops.alerting.situation import (
    Answer,
    Evaluation,
    Finding,
    Rule,
    Severity,
    Situation,
    Undecided,
)
from bounty_ops.alerting.storage_rules import (
    index_invalid,
    index_unused,
    sequence_exhaustion,
    table_growth,
    transaction_ids,
    vacuum_lag,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments.alerts import RuleSettings

_DO: Final = "\nDo: "


def evaluate(situation: Situation) -> Evaluation:
    """Ask every rule that is enabled."""
    findings: list[Finding] = []
    unknown: dict[Rule, Undecided] = {}
    for rule, decide in RULES.items():
        settings = situation.settings.rule(rule)
        if not settings.enabled:
            continue
        answer = decide(situation, settings)
        if isinstance(answer, Undecided):
            unknown[rule] = answer
            answer = list(answer.findings)
        findings.extend(_as_set(finding, settings) for finding in answer)
    return Evaluation(tuple(findings), unknown)


def _as_set(finding: Finding, settings: RuleSettings) -> Finding:
    """The finding as the settings want it: no graver than that, with their own words."""
    severity = min(finding.severity, Severity(settings.severity), key=lambda each: each.rank)
    body = finding.body
    if settings.remedy:
        body = f"{body.partition(_DO)[0]}{_DO}{settings.remedy}"
    return replace(finding, severity=severity, body=body)


RULES: Final[dict[Rule, Callable[[Situation, RuleSettings], Answer]]] = {
    Rule.SERVER_UNREACHABLE: server_unreachable,
    Rule.BUCKET_UNREACHABLE: bucket_unreachable,
    Rule.OPERATIONS_UNREACHABLE: operations_unreachable,
    Rule.ALERT_SETTINGS_WRONG: alert_settings_wrong,
    Rule.MESSAGES_UNDELIVERED: messages_undelivered,
    Rule.MONITORING_BLIND: monitoring_blind,
    Rule.MONITORING_LATE: monitoring_late,
    Rule.CONNECTIONS_NEAR_LIMIT: connections_near_limit,
    Rule.IDLE_IN_TRANSACTION: idle_in_transaction,
    Rule.LONG_TRANSACTION: long_transaction,
    Rule.LONG_QUERY: long_query,
    Rule.BLOCKING: blocking,
    Rule.SLOW_QUERY_REGRESSION: slow_query_regression,
    Rule.DEADLOCKS: deadlocks,
    Rule.CACHE_HITS_LOW: cache_hits_low,
    Rule.TABLE_GROWTH: table_growth,
    Rule.VACUUM_LAG: vacuum_lag,
    Rule.TRANSACTION_IDS: transaction_ids,
    Rule.SEQUENCE_EXHAUSTION: sequence_exhaustion,
    Rule.LIMIT_IN_SIGHT: limit_in_sight,
    Rule.INDEX_INVALID: index_invalid,
    Rule.INDEX_UNUSED: index_unused,
    Rule.REPLICATION_LAG: replication_lag,
    Rule.REPLICATION_SLOT: replication_slot,
    Rule.BACKUP_OVERDUE: backup_overdue,
    Rule.PROOF_OVERDUE: proof_overdue,
    Rule.BACKUP_REFUTED: backup_refuted,
    Rule.BACKUP_SIZE_ANOMALY: backup_size_anomaly,
    Rule.RESTORE_TOO_SLOW: restore_too_slow,
    Rule.COPY_OVERDUE: copy_overdue,
    Rule.PRUNE_REFUSED: prune_refused,
    Rule.BACKUP_NOT_LOCKED: backup_not_locked,
    Rule.SCHEMA_DRIFT: schema_drift,
    Rule.MIGRATION_FAILED: migration_failed,
    Rule.MIGRATION_PENDING: migration_pending,
    Rule.MIGRATION_OVERRIDE: migration_override,
    Rule.RUN_FAILED: run_failed,
    Rule.AUTOMATION_DEAD: automation_dead,
}
