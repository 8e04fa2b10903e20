"""Rules about what a restore would bring back, and how soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.alerting.backup_rules import bucket_unknown
from bounty_ops.alerting.objectives import recovery, size_change
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.errors import BountyOpsError
from bounty_ops.monitoring.findings import duration, size

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings


def backup_size_anomaly(situation: Situation, settings: RuleSettings) -> Answer:
    """The newest backup is much smaller or larger than those before it.

    A proof says that a backup equals its source. It cannot say that the source has lost half of
    its rows that day.
    """
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    limit = settings.warning
    if limit is None:
        return []
    change = size_change(situation.backups, limit, situation.now)
    if change is None:
        return Undecided("there are too few backups to compare the newest with")
    if not change.anomalous:
        return []
    what = "smaller" if change.ratio < 1 else "larger"
    share = f"{abs(change.ratio - 1):.0%}"
    return [
        Finding(
            rule=Rule.BACKUP_SIZE_ANOMALY,
            subject="backups",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] the newest backup is {share} {what} than usual",
            body=f"{change.backup_id} has {size(change.size_bytes)}; the median of the "
            f"{change.compared} before it is {size(change.median_bytes)}. The policy allows a "
            f"change of {limit:.0%}.\nDo: bounty-ops backup show {change.backup_id} "
            f"-e {situation.environment} lists the rows of every table; compare it with the one "
            "before. Until it is explained, bounty-ops backup pin keeps that one.",
            evidence={
                "id": change.backup_id,
                "size_bytes": change.size_bytes,
                "median_bytes": change.median_bytes,
                "compared": change.compared,
                "size_change_ratio": limit,
            },
        )
    ]


def restore_too_slow(situation: Situation, settings: RuleSettings) -> Answer:
    """A restore would take longer than the policy wants; undecided until a proof was timed."""
    if isinstance(situation.backups, BountyOpsError):
        return bucket_unknown(situation.backups)
    found = recovery(situation.backups, situation.policy, situation.now)
    if found.rto_seconds is None or found.rto_measured_seconds is None:
        return Undecided("no restore was timed yet")
    objective = 60 * (settings.warning or 0.0)
    if found.rto_seconds <= objective:
        return []
    wanted = duration(objective)
    return [
        Finding(
            rule=Rule.RESTORE_TOO_SLOW,
            subject="backups",
            severity=Severity.WARNING,
            title=f"[{situation.environment}] a restore would take about "
            f"{duration(found.rto_seconds)}, the objective is {wanted}",
            body=f"Fetching and restoring took {duration(found.rto_measured_seconds)} in the "
            f"newest proof; at the size of the newest backup it takes about "
            f"{duration(found.rto_seconds)}. The policy wants {wanted} (rto_minutes).\n"
            "Do: restore on a faster machine, nearer to the bucket or with more processors; "
            "lower shard_above_gib, so that large tables restore side by side; or say in "
            "rto_minutes what is true.",
            evidence={
                "rto_seconds": found.rto_seconds,
                "rto_measured_seconds": found.rto_measured_seconds,
                "rto_objective_seconds": objective,
            },
        )
    ]
