"""What a Prometheus should wake somebody for, over the metrics of the registry.

For those who have a Prometheus anyway; bounty-ops' own alerts need none, know more, and are told
once. Thresholds are those of its own rules (docs/reference/alerts.md), as far as one expression
can hold them. A rule that cannot fire is worse than none: each is tried with promtool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from bounty_ops.monitoring.metrics.metric import PREFIX
from bounty_ops.monitoring.metrics.registry import AGE, UNKNOWN, metric


@dataclass(frozen=True)
class Rule:
    """One alerting rule of Prometheus."""

    alert: str
    expression: str
    lasting: str
    """Its ``for``."""
    severity: str
    summary: str
    remedy: str

    def document(self) -> dict[str, Any]:
        """As it stands in a file of rules."""
        return {
            "alert": self.alert,
            "expr": self.expression,
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.remedy},
        }


def _of(name: str) -> str:
    return metric(name).full_name


_HERE: Final = "{{ $labels.environment }}"
_USED: Final = f"{_of('connections_used')} / {_of('connections_limit')}"
_SEQUENCE: Final = _of("fullest_sequence_ratio")
_XID: Final = f"{_of('xid_age')} / {_of('xid_limit')}"
_BACKUP: Final = f"{PREFIX}backup_age_seconds"
_PROOF: Final = f"{PREFIX}proved_backup_age_seconds"
_MEASURED: Final = f'{AGE}{{family="connections"}}'
_FULL: Final = "Use smaller pools or a pooler, close idle clients, or raise the limit."
_WRAP: Final = "Find who holds VACUUM back (bounty-ops monitor locks), then VACUUM (FREEZE)."
_WIDEN: Final = "bounty-ops monitor report names it; make the column a bigint in time."

RULES: Final[tuple[Rule, ...]] = (
    Rule("BountyOpsGone", f"absent({AGE})", "5m", "critical",
         "Nothing is measured any more", "Start bounty-ops monitor serve and its schedules."),
    Rule("DatabaseNotMeasured", f"{_MEASURED} > 180", "2m", "critical",
         f"{_HERE} has not been measured for 3 minutes",
         "bounty-ops doctor says whether the server, the sensor or the network is gone."),
    Rule("SomethingUnknown", f"sum by (environment) ({UNKNOWN}) > 0", "1d", "info",
         f"Something of {_HERE} cannot be seen",
         "bounty-ops monitor report says what, and which GRANT shows it."),
    Rule("ConnectionsNearLimit", f"{_USED} > 0.75", "5m", "warning",
         f"{_HERE} uses {{{{ $value | humanizePercentage }}}} of its connections", _FULL),
    Rule("ConnectionsExhausted", f"{_USED} > 0.9", "2m", "critical",
         f"{_HERE} uses {{{{ $value | humanizePercentage }}}} of its connections", _FULL),
    Rule("SessionsBlocked", f"{_of('longest_wait_seconds')} > 60", "1m", "warning",
         f"A session of {_HERE} has waited {{{{ $value | humanizeDuration }}}} for a lock",
         "bounty-ops monitor locks shows for whom."),
    Rule("IdleInTransaction", f"{_of('longest_idle_in_transaction_seconds')} > 300", "1m",
         "warning", f"A transaction of {_HERE} is idle for {{{{ $value | humanizeDuration }}}}",
         "It holds its locks and VACUUM; find the client with bounty-ops monitor locks."),
    Rule("LongTransaction", f"{_of('longest_transaction_seconds')} > 1800", "1m", "warning",
         f"A transaction of {_HERE} is open for {{{{ $value | humanizeDuration }}}}",
         "bounty-ops monitor locks shows whose."),
    Rule("TransactionIdsRunOut", f"{_XID} > 0.4", "10m", "warning",
         f"{_HERE} has used {{{{ $value | humanizePercentage }}}} of its transaction ids", _WRAP),
    Rule("TransactionIdsAlmostGone", f"{_XID} > 0.8", "1m", "critical",
         f"{_HERE} has used {{{{ $value | humanizePercentage }}}} of its transaction ids", _WRAP),
    Rule("SequenceRunsOut", f"{_SEQUENCE} > 0.75", "10m", "warning",
         f"A sequence of {_HERE} is used to {{{{ $value | humanizePercentage }}}}", _WIDEN),
    Rule("SequenceAlmostGone", f"{_SEQUENCE} > 0.9", "1m", "critical",
         f"A sequence of {_HERE} is used to {{{{ $value | humanizePercentage }}}}", _WIDEN),
    Rule("SlotKeepsWal", f"{_of('slots_retained_bytes')} > 10 * 1024 ^ 3", "5m", "critical",
         f"A replication slot of {_HERE} keeps {{{{ $value | humanize1024 }}}}B of WAL",
         "Start its consumer again, or drop the slot before the disk is full."),
    Rule("StandbyLags", f"{_of('standby_lag_bytes')} > 1024 ^ 3", "5m", "warning",
         f"A standby of {_HERE} is {{{{ $value | humanize1024 }}}}B behind",
         "Look at its network, its disk, and queries that hold replay up."),
    Rule("Deadlocks", f"increase({_of('deadlocks')}[10m]) > 5", "0m", "warning",
         f"{_HERE} had {{{{ $value | humanize }}}} deadlocks in 10 minutes",
         "Take locks in the same order everywhere; the server's log names the statements."),
    Rule("IndexInvalid", f"{_of('invalid_indexes')} > 0", "1h", "warning",
         f"{_HERE} has an index that is not valid",
         "bounty-ops monitor report names it and the REINDEX that mends it."),
    Rule("BackupOverdue", f"{_BACKUP} > 26 * 3600", "5m", "critical",
         f"The newest backup of {_HERE} is {{{{ $value | humanizeDuration }}}} old",
         "bounty-ops backup run; then find out why the night's did not."),
    Rule("NeverBackedUp", f"{_MEASURED} unless on (environment) {_BACKUP}", "26h", "critical",
         f"There is no backup of {_HERE}", "bounty-ops backup run."),
    Rule("ProofOverdue", f"{_PROOF} > 26 * 3600", "5m", "critical",
         f"The newest proved backup of {_HERE} is {{{{ $value | humanizeDuration }}}} old",
         "bounty-ops backup verify."),
    Rule("NeverProved", f"{_BACKUP} unless on (environment) {_PROOF}", "26h", "critical",
         f"No backup of {_HERE} was ever proved by a restore", "bounty-ops backup verify."),
)  # fmt: skip


def rules_file() -> dict[str, Any]:
    """The whole file."""
    return {"groups": [{"name": "bounty-ops", "rules": [rule.document() for rule in RULES]}]}
