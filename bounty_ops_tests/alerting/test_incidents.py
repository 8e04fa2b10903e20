"""An incident opens once, stays while the rule fires, and is resolved when it is over."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bounty_ops.alerting import Finding, Reconciled, Rule, Severity, reconcile
from bounty_ops.schema.ops import Incident, Notification
from bounty_ops_tests.alerting.situations import NOW, at_once, evaluation_of, finding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Engine, Row

    from bounty_ops.environments import AlertSettings

WARNING = finding(
    Rule.CONNECTIONS_NEAR_LIMIT, severity=Severity.WARNING, subject="connections", title="80 of 100"
)
CRITICAL = replace(WARNING, severity=Severity.CRITICAL, title="95 of 100")


def _incidents(engine: Engine) -> list[Row[*tuple[Any, ...]]]:
    with engine.connect() as connection:
        return list(connection.execute(select(Incident.__table__).order_by(Incident.id)))


def _messages(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            select(Notification.change, Notification.title).order_by(Notification.id)
        )
        return [(change, title) for change, title in rows]


SETTINGS = at_once()


def look(
    engine: Engine,
    environment: str,
    findings: list[Finding],
    now: datetime,
    *,
    unknown: Iterable[Rule] = (),
    settings: AlertSettings = SETTINGS,
) -> Reconciled:
    return reconcile(engine, environment, evaluation_of(*findings, unknown=unknown), settings, now)


def test_a_finding_opens_an_incident_with_one_message(operations: Engine) -> None:
    done = look(operations, "production", [finding()], NOW)
    (incident,) = _incidents(operations)
    assert done == Reconciled(opened=(incident.id,), told={incident.id: "firing"})
    assert incident.state == "firing"
    assert (incident.rule, incident.subject) == ("backup_overdue", "backups")
    assert incident.severity == "critical"
    assert incident.opened_at == incident.last_seen_at == NOW
    assert incident.evidence == {"hours": 26}
    assert _messages(operations) == [("firing", "[production] there is no backup")]


def test_a_finding_that_stays_is_seen_again_and_not_told_again(operations: Engine) -> None:
    for minute in range(5):
        look(operations, "production", [finding()], NOW + timedelta(minutes=minute))
    (incident,) = _incidents(operations)
    assert incident.opened_at == NOW
    assert incident.last_seen_at == NOW + timedelta(minutes=4)
    assert len(_messages(operations)) == 1


def test_an_incident_is_resolved_with_a_message_and_may_open_again(operations: Engine) -> None:
    look(operations, "production", [finding()], NOW)
    later = NOW + timedelta(hours=3)
    done = look(operations, "production", [], later)
    (incident,) = _incidents(operations)
    assert done == Reconciled(resolved=(incident.id,), told={incident.id: "resolved"})
    assert (incident.state, incident.resolved_at) == ("resolved", later)
    assert _messages(operations)[-1] == ("resolved", "Resolved: [production] there is no backup")
    assert look(operations, "production", [], later) == Reconciled()

    look(operations, "production", [finding()], later)
    assert [incident.state for incident in _incidents(operations)] == ["resolved", "firing"]
    assert len(_messages(operations)) == 3


def test_environments_do_not_touch_each_others_incidents(operations: Engine) -> None:
    look(operations, "production", [finding()], NOW)
    look(operations, "staging", [], NOW)
    look(operations, "staging", [finding()], NOW)
    assert [each.environment for each in _incidents(operations)] == ["production", "staging"]
    assert {each.state for each in _incidents(operations)} == {"firing"}


def test_an_incident_of_a_rule_that_cannot_be_decided_stays_open(operations: Engine) -> None:
    look(operations, "production", [finding()], NOW)
    done = look(operations, "production", [], NOW, unknown=[Rule.BACKUP_OVERDUE])
    assert done == Reconciled()
    assert _incidents(operations)[0].state == "firing"


def test_growing_graver_is_told_once_and_growing_milder_is_not(operations: Engine) -> None:
    for found in (WARNING, CRITICAL, CRITICAL, WARNING, CRITICAL):
        look(operations, "production", [found], NOW)
    assert _messages(operations) == [("firing", "80 of 100"), ("graver", "95 of 100")]
    (incident,) = _incidents(operations)
    assert incident.severity == "critical"


def test_many_watchers_at_once_open_and_resolve_once(operations: Engine) -> None:
    watchers = 8
    found = [finding(), WARNING, finding(Rule.RESTORE_TOO_SLOW)]
    results: list[Reconciled] = []

    def all_at_once(findings: list[Finding]) -> None:
        barrier = threading.Barrier(watchers)

        def watch() -> None:
            barrier.wait()
            results.append(look(operations, "production", findings, NOW))

        threads = [threading.Thread(target=watch) for _ in range(watchers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_at_once(found)
    assert len(results) == watchers
    assert sum(len(result.opened) for result in results) == 3
    assert len(_incidents(operations)) == 3
    all_at_once([])
    assert sum(len(result.resolved) for result in results) == 3
    assert len(_messages(operations)) == 6


def test_an_incident_and_its_message_are_written_together_or_not_at_all(
    operations: Engine,
) -> None:
    unwritable = finding(title="a zero byte \x00 that PostgreSQL does not take")
    with pytest.raises(Exception, match="NUL"):
        look(operations, "production", [WARNING, unwritable], NOW)
    assert _incidents(operations) == []
    assert _messages(operations) == []
