"""Every alert rule by name, with what it goes by unless bounty_ops.toml says otherwise.

What a rule looks at and says is code (`bounty_ops.alerting`); what it goes by is data, and stands
here, so that a misspelt name is found when settings are read.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Rule(StrEnum):
    """Every rule there is; incidents are known by these names."""

    SERVER_UNREACHABLE = "server_unreachable"
    BUCKET_UNREACHABLE = "bucket_unreachable"
    OPERATIONS_UNREACHABLE = "operations_unreachable"
    ALERT_SETTINGS_WRONG = "alert_settings_wrong"
    MESSAGES_UNDELIVERED = "messages_undelivered"
    MONITORING_BLIND = "monitoring_blind"
    MONITORING_LATE = "monitoring_late"
    CONNECTIONS_NEAR_LIMIT = "connections_near_limit"
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    LONG_TRANSACTION = "long_transaction"
    LONG_QUERY = "long_query"
    BLOCKING = "blocking"
    SLOW_QUERY_REGRESSION = "slow_query_regression"
    DEADLOCKS = "deadlocks"
    CACHE_HITS_LOW = "cache_hits_low"
    TABLE_GROWTH = "table_growth"
    VACUUM_LAG = "vacuum_lag"
    TRANSACTION_IDS = "transaction_ids"
    SEQUENCE_EXHAUSTION = "sequence_exhaustion"
    LIMIT_IN_SIGHT = "limit_in_sight"
    INDEX_INVALID = "index_invalid"
    INDEX_UNUSED = "index_unused"
    REPLICATION_LAG = "replication_lag"
    REPLICATION_SLOT = "replication_slot"
    BACKUP_OVERDUE = "backup_overdue"
    PROOF_OVERDUE = "proof_overdue"
    BACKUP_REFUTED = "backup_refuted"
    BACKUP_SIZE_ANOMALY = "backup_size_anomaly"
    RESTORE_TOO_SLOW = "restore_too_slow"
    COPY_OVERDUE = "copy_overdue"
    PRUNE_REFUSED = "prune_refused"
    BACKUP_NOT_LOCKED = "backup_not_locked"
    SCHEMA_DRIFT = "schema_drift"
    MIGRATION_FAILED = "migration_failed"
    MIGRATION_PENDING = "migration_pending"
    MIGRATION_OVERRIDE = "migration_override"
    RUN_FAILED = "run_failed"
    AUTOMATION_DEAD = "automation_dead"


class RuleDefault(NamedTuple):
    """What a rule goes by in production, and where the other tiers differ."""

    means: str
    """What it fires at, with the words `warning`, `critical` and `minimum` for its thresholds."""
    unit: str = ""
    """Of `warning` and `critical`; empty: the rule has no thresholds."""
    values: Mapping[str, Any] = MappingProxyType({})
    policy: Mapping[str, str] = MappingProxyType({})
    """Thresholds that are fields of the policy, with these names, unless the rule has its own."""
    staging: Mapping[str, Any] = MappingProxyType({})
    development: Mapping[str, Any] = MappingProxyType({})


_GIB: Final = 1024**3
_OFF: Final = {"enabled": False}
_MILD: Final = {"severity": "warning"}

DEFAULTS: Final[Mapping[Rule, RuleDefault]] = MappingProxyType({
    Rule.SERVER_UNREACHABLE: RuleDefault(
        "the server does not answer, or refuses the login",
        values={"for": "1m"}, staging={**_MILD, "for": "5m"},
    ),
    Rule.BUCKET_UNREACHABLE: RuleDefault(
        "the bucket could not be asked", values={"for": "5m"}, staging=_MILD,
    ),
    Rule.OPERATIONS_UNREACHABLE: RuleDefault(
        "the operations database cannot be used", values={"for": "2m"},
    ),
    Rule.ALERT_SETTINGS_WRONG: RuleDefault(
        "[alerts] in bounty_ops.toml cannot be read; the defaults are in force", values=_MILD,
    ),
    Rule.MESSAGES_UNDELIVERED: RuleDefault(
        "messages were given up, because a channel did not take them", values=_MILD,
    ),
    Rule.MONITORING_BLIND: RuleDefault(
        "a family of measurements could not be measured at all",
        values={**_MILD, "for": "10m"}, development=_OFF,
    ),
    Rule.MONITORING_LATE: RuleDefault(
        "the newest collection of a cadence is older than `warning` (`critical`) times the time "
        "between two", "cycles",
        values={"warning": 3, "critical": 12, "for": "15m"}, staging=_MILD, development=_OFF,
    ),
    Rule.CONNECTIONS_NEAR_LIMIT: RuleDefault(
        "of the limit that is nearest, `warning` is used", "ratio",
        values={"for": "5m", "critical_for": "2m", "keep_firing_for": "2m", "hysteresis": 0.05},
        policy={"warning": "connection_warning_ratio", "critical": "connection_critical_ratio"},
        staging={**_MILD, "warning": 0.9}, development=_OFF,
    ),
    Rule.IDLE_IN_TRANSACTION: RuleDefault(
        "a session has been idle within its transaction for `warning`", "seconds",
        values={"warning": 300, "critical": 900}, staging=_MILD, development=_OFF,
    ),
    Rule.LONG_TRANSACTION: RuleDefault(
        "a transaction that is none of our own has been open for `warning`", "seconds",
        values={"warning": 1800, **_MILD}, staging={"warning": 7200}, development=_OFF,
    ),
    Rule.LONG_QUERY: RuleDefault(
        "a query that is none of our own has been running for `warning`", "seconds",
        values={"warning": 900, **_MILD}, staging={"warning": 7200}, development=_OFF,
    ),
    Rule.BLOCKING: RuleDefault(
        "sessions have been waiting for another one's lock for `warning`; `minimum` is the "
        "critical threshold where that one is a migration of ours", "seconds",
        values={"warning": 60, "critical": 300, "minimum": 15},
        staging=_MILD, development=_OFF,
    ),
    Rule.SLOW_QUERY_REGRESSION: RuleDefault(
        "a statement takes `warning` times (at least 2) as long as usual in two collections in a "
        "row, and `minimum` (at least 0.05) of the time of all",
        "times",
        values={"warning": 2, "minimum": 0.05, "keep_firing_for": "30m", **_MILD},
        staging={"severity": "info"}, development=_OFF,
    ),
    Rule.DEADLOCKS: RuleDefault(
        "`warning` deadlocks within 15 minutes", "deadlocks",
        values={"warning": 5, "keep_firing_for": "15m", **_MILD},
        staging={"warning": 10}, development=_OFF,
    ),
    Rule.CACHE_HITS_LOW: RuleDefault(
        "less than `warning` of the blocks were found in the cache within 15 minutes, of at least "
        "`minimum` blocks; for the record only", "ratio, below",
        values={"warning": 0.9, "minimum": 100_000, "severity": "info", "for": "30m"},
        development=_OFF,
    ),
    Rule.TABLE_GROWTH: RuleDefault(
        "a table grew by `warning` of its size within a day, and by `minimum` bytes", "ratio",
        values={"warning": 0.5, "minimum": 1 * _GIB, **_MILD},
        staging={"severity": "info"}, development=_OFF,
    ),
    Rule.VACUUM_LAG: RuleDefault(
        "a table has `warning` times the dead rows that make autovacuum start, and at least "
        "`minimum`", "times",
        values={"warning": 2, "minimum": 50_000, "for": "1h", "hysteresis": 0.25, **_MILD},
        staging={"severity": "info"}, development=_OFF,
    ),
    Rule.TRANSACTION_IDS: RuleDefault(
        "`warning` of the transaction or multixact ids are used up", "ratio",
        values={"warning": 0.5, "critical": 0.75},
    ),
    Rule.SEQUENCE_EXHAUSTION: RuleDefault(
        "`warning` of what a sequence, or the column it feeds, can give is used", "ratio",
        values={"warning": 0.75, "critical": 0.9},
    ),
    Rule.LIMIT_IN_SIGHT: RuleDefault(
        "storage, a table, a sequence, transaction ids or connections reach 80 % of their limit "
        "within `warning`, by what they grew by lately", "days, below",
        values={"warning": 30, "hysteresis": 0.2, "keep_firing_for": "1h", **_MILD},
        staging={"severity": "info"}, development=_OFF,
    ),
    Rule.INDEX_INVALID: RuleDefault(
        "an index is invalid and nobody is building it", values={"for": "30m", **_MILD},
        staging={"for": "2h"}, development={"severity": "info"},
    ),
    Rule.INDEX_UNUSED: RuleDefault(
        "an index of at least `warning` bytes was not used for 30 days; for the record only",
        "bytes", values={"warning": 100 * 1024**2, "severity": "info"}, development=_OFF,
    ),
    Rule.REPLICATION_LAG: RuleDefault(
        "a standby is `warning` behind", "seconds",
        values={"warning": 30, "critical": 300, "for": "5m", "critical_for": "5m"},
        staging=_MILD, development=_OFF,
    ),
    Rule.REPLICATION_SLOT: RuleDefault(
        "a slot keeps `warning` bytes of WAL, has been inactive for 15 minutes, or is about to "
        "lose what it needs (critical)", "bytes",
        values={"warning": 10 * _GIB, "critical": 50 * _GIB}, staging=_MILD, development=_OFF,
    ),
    Rule.BACKUP_OVERDUE: RuleDefault(
        "no complete backup is younger than `critical`", "hours",
        policy={"critical": "backup_max_age_hours"}, staging=_MILD,
    ),
    Rule.PROOF_OVERDUE: RuleDefault(
        "no backup younger than `critical` was proved by a restore", "hours",
        policy={"critical": "proof_max_age_hours"}, staging=_MILD,
    ),
    Rule.BACKUP_REFUTED: RuleDefault("of the backups with a verdict, the newest is refuted"),
    Rule.BACKUP_SIZE_ANOMALY: RuleDefault(
        "the newest backup is smaller or larger than the median of the ten before it by more than "
        "`warning`", "ratio", values=_MILD, policy={"warning": "size_change_ratio"},
    ),
    Rule.RESTORE_TOO_SLOW: RuleDefault(
        "fetching and restoring would take longer than `warning`", "minutes",
        values=_MILD, policy={"warning": "rto_minutes"},
    ),
    Rule.COPY_OVERDUE: RuleDefault(
        "the second bucket, where one is set, holds neither whole the newest backup that was "
        "proved more than `warning` ago nor a newer one; or it cannot be read", "hours",
        values=_MILD, policy={"warning": "backup_max_age_hours"},
    ),
    Rule.PRUNE_REFUSED: RuleDefault(
        "the night may prune and the rules let backups go, but the prune is refused: the clock "
        "went backwards, or more than `prune_most_share` would go", values=_MILD,
    ),
    Rule.BACKUP_NOT_LOCKED: RuleDefault(
        "`object_lock` is wanted, and the store does not lock the newest complete backup, or the "
        "second bucket does not lock the newest copy, or one of them does not let it be seen",
        values=_MILD,
    ),
    Rule.SCHEMA_DRIFT: RuleDefault(
        "the schema is not what the revision of the database makes",
        values={"for": "10m", **_MILD}, development={"severity": "info"},
    ),
    Rule.MIGRATION_FAILED: RuleDefault(
        "the last migration failed, and none has succeeded since", staging=_MILD,
    ),
    Rule.MIGRATION_PENDING: RuleDefault(
        "revisions have been waiting to be applied", values={"for": "3d", **_MILD},
        development=_OFF,
    ),
    Rule.MIGRATION_OVERRIDE: RuleDefault(
        "gates of a migration were overridden within the last 24 hours; each such migration is an "
        "incident of its own",
    ),
    Rule.RUN_FAILED: RuleDefault(
        "the latest run of a job failed", values=_MILD,
    ),
    Rule.AUTOMATION_DEAD: RuleDefault(
        "a schedule or sensor failed `warning` times in a row, or is `warning` ticks late",
        "ticks", values={"warning": 3, "for": "5m", **_MILD},
    ),
})  # fmt: skip
