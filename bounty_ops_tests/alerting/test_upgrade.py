"""Incidents and messages of before go on after an upgrade, and come back from a downgrade."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import select

from bounty_ops.alerting import Rule, reconcile
from bounty_ops.migrating import migrate_ops
from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.runner import render_downgrade_sql, render_sql
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.ops import Incident, Notification, NotificationDelivery
from bounty_ops_tests.alerting.situations import NOW, at_once, evaluation_of, finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

_FILL = """
    INSERT INTO bounty_ops.incident (environment, rule, subject, severity, state, opened_at,
        last_seen_at, resolved_at, message)
    VALUES ('production', 'backup_overdue', 'backups', 'critical', 'firing',
            '2026-11-22 11:00Z', '2026-11-22 11:59Z', NULL, 'there is no backup'),
           ('production', 'server_unreachable', 'server', 'critical', 'resolved',
            '2026-11-21 06:00Z', '2026-11-21 07:00Z', '2026-11-21 07:01Z', 'it is away');
    INSERT INTO bounty_ops.notification (incident_id, change, title, body)
    SELECT id, 'firing', message, 'body' FROM bounty_ops.incident;
    UPDATE bounty_ops.notification SET delivered_to = '["ab", "cd"]' WHERE incident_id = 1;
"""


def _execute(url: DatabaseUrl, statements: str) -> None:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute(statements.encode())


def test_what_was_firing_goes_on_and_is_told_to_be_over(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url, directory = make_database(), OPS.directory()
    for before, revision in ((None, "ops_0001"), ("ops_0001", "ops_0002")):
        _execute(url, render_sql(directory, before, revision))
    _execute(url, _FILL)

    migrate_ops(url)

    operations = engine(url, application_name="tests")
    still = evaluation_of(finding(Rule.BACKUP_OVERDUE))
    assert reconcile(operations, "production", still, at_once(), NOW).told == {}
    over = reconcile(operations, "production", evaluation_of(), at_once(), NOW + timedelta(hours=1))
    assert over.told == {1: "resolved"}
    with operations.connect() as connection:
        messages = connection.execute(
            select(Notification.environment, Notification.severity, Notification.idempotency_key)
        ).all()
        delivered = connection.execute(
            select(NotificationDelivery.channel_fingerprint, NotificationDelivery.state).order_by(
                NotificationDelivery.channel_fingerprint
            )
        ).all()
    assert delivered == [("ab", "delivered"), ("cd", "delivered")]
    assert {row.environment for row in messages} == {"production"}
    assert len({row.idempotency_key for row in messages}) == 3


def test_a_downgrade_leaves_what_the_version_before_understands(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url, directory = make_database(), OPS.directory()
    steps = ((None, "ops_0001"), ("ops_0001", "ops_0002"), ("ops_0002", "ops_0003"))
    for before, revision in steps[:2]:
        _execute(url, render_sql(directory, before, revision))
    _execute(url, _FILL)
    _execute(url, render_sql(directory, *steps[2]))
    _execute(
        url,
        "UPDATE bounty_ops.incident SET state = 'pending' WHERE state = 'firing';"
        "UPDATE bounty_ops.notification SET change = 'reminder' WHERE incident_id = 2",
    )
    _execute(url, render_downgrade_sql(directory, "ops_0002", "ops_0003"))
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        states = connection.execute("SELECT state FROM bounty_ops.incident").fetchall()
        assert states == [("resolved",)]
        messages = connection.execute("SELECT delivered_to FROM bounty_ops.notification")
        assert messages.fetchall() == []
    migrate_ops(url)
    with engine(url, application_name="tests").connect() as again:
        assert again.scalars(select(Incident.told)).all() == ["resolved"]
