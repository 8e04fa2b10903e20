"""One look at an environment: evaluate, reconcile, deliver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.alerting.delivering import deliver_pending
from bounty_ops.alerting.incidents import reconcile
from bounty_ops.alerting.keeping import Keeping
from bounty_ops.alerting.rules import evaluate
from bounty_ops.alerting.situation import Finding, Rule, Situation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from bounty_ops.environments import Environment
    from bounty_ops.errors import BountyOpsError
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.monitoring import CollectionResult


@dataclass(frozen=True)
class WatchResult:
    """What one look found and told."""

    findings: tuple[Finding, ...]
    undecided: frozenset[Rule]
    """Rules that could not be decided; their incidents stay as they are."""
    opened: int
    resolved: int
    delivered: int
    undelivered: int
    problems: tuple[str, ...]
    """Why messages wait; fit to be shown."""


def watch(
    environment: Environment,
    summaries: Sequence[BackupSummary] | BountyOpsError,
    collection: CollectionResult | BountyOpsError | None,
    engine: Engine,
    *,
    now: datetime,
    keeping: Keeping | None = None,
    migrations: Sequence[MigrationEvidence] | BountyOpsError = (),
) -> WatchResult:
    """Look at an environment once and tell its channels what changed.

    Args:
        environment: whose policy and channels count.
        summaries: the environment's backups as the bucket lists them, or the error when it could
            not be asked.
        collection: the newest collection, the error when collecting failed, or None when there
            never was one.
        engine: the operations database, at its head revision. Its errors are SQLAlchemy's; wrap
            the call in `bounty_ops.postgres.connect.translated`.
        now: timezone-aware.
        keeping: what protects the backups; None: nothing more is wanted.
        migrations: the records of the last days' migrations, or the error of the bucket.
    """
    situation = Situation(
        environment.name,
        environment.policy,
        summaries,
        collection,
        now,
        keeping or Keeping(),
        migrations,
        alerts=environment.alert_settings,
        alerts_problem=environment.alerts_problem,
    )
    return judge(environment, situation, engine)


def judge(environment: Environment, situation: Situation, engine: Engine) -> WatchResult:
    """Ask the rules about a situation and tell the environment's channels what changed."""
    now = situation.now
    evaluation = evaluate(situation)
    reconciled = reconcile(engine, environment.name, evaluation, situation.settings, now)
    outbox = deliver_pending(engine, environment.name, environment.alert_urls, now=now)
    return WatchResult(
        findings=evaluation.firing,
        undecided=evaluation.undecided,
        opened=len(reconciled.opened),
        resolved=len(reconciled.resolved),
        delivered=outbox.delivered,
        undelivered=outbox.undelivered,
        problems=outbox.problems,
    )
