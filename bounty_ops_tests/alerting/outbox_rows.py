"""Incidents and their messages, put straight into the operations database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import func, insert, select, text, update

from bounty_ops.schema.ops import Incident, Notification, NotificationDelivery
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Engine, Row

TITLE = "[production] there is no backup"


def fires(
    engine: Engine,
    subject: str = "backups",
    *,
    title: str = TITLE,
    severity: str = "critical",
    environment: str = "production",
    now: datetime = NOW,
) -> int:
    """An incident that fires, with its message."""
    with engine.begin() as connection:
        incident: int = connection.execute(
            insert(Incident)
            .values(
                environment=environment, rule="backup_overdue", subject=subject,
                severity=severity, state="firing", opened_at=now, last_seen_at=now, message=title,
            )
            .returning(Incident.id)
        ).scalar_one()  # fmt: skip
        _say(connection, incident, "firing", title, now)
    return incident


def is_over(engine: Engine, incident: int, *, now: datetime = NOW + timedelta(hours=1)) -> None:
    """Its end, with its message."""
    with engine.begin() as connection:
        connection.execute(
            update(Incident)
            .where(Incident.id == incident)
            .values(state="resolved", resolved_at=now)
        )
        title = connection.scalar(select(Incident.message).where(Incident.id == incident))
        _say(connection, incident, "resolved", f"Resolved: {title}", now)


def _say(connection: Connection, incident: int, change: str, title: str, now: datetime) -> None:
    columns = ("environment", "severity")
    its = select(*(Incident.__table__.c[name] for name in columns)).where(Incident.id == incident)
    environment, severity = connection.execute(its).one()
    connection.execute(
        insert(Notification).values(
            incident_id=incident, change=change, title=title, body=f"{title}.\nDo: make one.",
            created_at=now, environment=environment, severity=severity,
            idempotency_key=uuid4().hex,
        )
    )  # fmt: skip


def messages_of(engine: Engine) -> Sequence[Row[*tuple[Any, ...]]]:
    with engine.connect() as connection:
        return connection.execute(select(Notification.__table__).order_by(Notification.id)).all()


def deliveries_of(engine: Engine) -> Sequence[Row[*tuple[Any, ...]]]:
    table = NotificationDelivery.__table__
    with engine.connect() as connection:
        return connection.execute(select(table).order_by(table.c.notification_id)).all()


def let_time_pass(engine: Engine) -> None:
    """What waits is due, and leases have run out."""
    with engine.begin() as connection:
        connection.execute(
            update(NotificationDelivery).values(
                next_attempt_at=func.now() - text("'1h'::interval"),
                claimed_until=NotificationDelivery.claimed_until - text("'1h'::interval"),
            )
        )
