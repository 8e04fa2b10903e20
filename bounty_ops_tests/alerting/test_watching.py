"""A look at an environment, from the situation to the message."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bounty_ops.alerting import Rule, WatchResult, watch
from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import ServerUnavailable
from bounty_ops_tests.alerting.situations import NOW, at_once, backup, collection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from bounty_ops.errors import BountyOpsError
    from bounty_ops.journal.records import BackupSummary
    from bounty_ops.monitoring import CollectionResult
    from bounty_ops_tests.alerting.conftest import Webhook


class _Night:
    """An environment that is looked at again and again."""

    def __init__(self, engine: Engine, webhook: Webhook) -> None:
        self._engine = engine
        policy = Policy(protected=True)
        self._environment = Environment(
            "production", None, policy, alert_urls=(webhook.url,), alerts=at_once(policy)
        )
        self._ticks = 0

    def look(
        self,
        backups: Sequence[BackupSummary] | BountyOpsError,
        measured: CollectionResult | BountyOpsError | None,
    ) -> WatchResult:
        self._ticks += 1
        now = NOW + timedelta(seconds=self._ticks)
        return watch(self._environment, backups, measured, self._engine, now=now)


def test_a_night_with_a_failed_backup_is_told_twice(operations: Engine, webhook: Webhook) -> None:
    night = _Night(operations, webhook)
    healthy, late = [backup(hours=20)], [backup(hours=30)]
    assert night.look(healthy, collection()).findings == ()
    first = night.look(late, collection())
    # That no proof is young enough follows from that, and is recorded without a message.
    assert (first.opened, first.delivered, first.undelivered) == (2, 1, 0)
    for _ in range(5):
        again = night.look(late, collection())
        assert (again.opened, again.resolved, again.delivered) == (0, 0, 0)
        assert {found.rule for found in again.findings} == {Rule.BACKUP_OVERDUE, Rule.PROOF_OVERDUE}
    over = night.look(healthy, collection())
    assert (over.resolved, over.delivered) == (2, 1)
    assert [title.startswith("Resolved: ") for title in webhook.titles] == [False, True]


def test_a_server_that_goes_away_keeps_the_connection_incident_open(
    operations: Engine, webhook: Webhook
) -> None:
    night = _Night(operations, webhook)
    gone = ServerUnavailable("db:5432/bounty: too many clients already", hint="Close some.")
    assert night.look([backup()], collection(used=85)).opened == 1
    away = night.look([backup()], gone)
    assert (away.opened, away.resolved) == (1, 0)
    assert away.undecided >= {Rule.CONNECTIONS_NEAR_LIMIT, Rule.BACKUP_SIZE_ANOMALY}
    back = night.look([backup()], collection(used=95))
    assert (back.opened, back.resolved, back.delivered) == (0, 1, 2)
    assert [message["type"] for message in webhook.received] == [
        "warning",
        "failure",
        "failure",  # 95 of 100 is worse than what was told
        "success",
    ]
