"""Proving the way of an alert: an incident that is none goes through the real outbox.

It is over before it begins, so the rules never see it; both its messages are written in one
transaction and delivered as any others are, by whoever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sqlalchemy import delete, exists, func, insert, select, update

from bounty_ops.alerting.channels import open_channels
from bounty_ops.alerting.delivering import deliver_pending
from bounty_ops.alerting.message import RESOLVED
from bounty_ops.alerting.outbox import DELIVERED, LEASE_SECONDS, SENDING
from bounty_ops.schema.ops import Incident, Notification, NotificationDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from bounty_ops.environments import Environment

#: No rule has this name, so nothing but `alerts test` opens or resolves such an incident.
RULE: Final = "alerts_test"
_SUBJECT: Final = "channels"


@dataclass(frozen=True)
class Tried:
    """What one channel did with the two messages."""

    name: str
    """Fit to be shown; of a URL that is not understood: which one it is."""
    fired: bool
    """Whether it took the beginning."""
    resolved: bool
    """Whether it took the end."""
    problem: str | None = None
    """What it answered instead; without secrets."""

    @property
    def works(self) -> bool:
        """Whether it took both."""
        return self.fired and self.resolved


def try_channels(engine: Engine, environment: Environment, *, now: datetime) -> tuple[Tried, ...]:
    """Send a test's beginning and end to every channel, and say what each answered.

    What a channel did not take is not tried again later, also after Ctrl-C: a test that arrives
    tomorrow confuses.
    Errors of the database are SQLAlchemy's; the caller wraps the use of the engine in `translated`.
    """
    channels, refused = open_channels(environment.alert_urls)
    broken = [Tried(str(problem), fired=False, resolved=False) for problem in refused]
    if not channels:
        return tuple(broken)
    with engine.begin() as connection:
        incident = _write(connection, environment.name, now)
    urls = environment.alert_urls
    try:
        deliver_pending(engine, environment.name, urls, now=now, incident=incident)
        _wait_for_others(engine, incident)
        found = _found(engine, incident)
    finally:
        with engine.begin() as connection:
            _forget_what_waits(connection, incident)
    return (*(_tried(each.name, found.get(each.fingerprint, [])) for each in channels), *broken)


def _write(connection: Connection, environment: str, now: datetime) -> int:
    title = f"[{environment}] a test of the alert channels"
    incident: int = connection.execute(
        insert(Incident)
        .values(
            environment=environment, rule=RULE, subject=_SUBJECT, severity="warning",
            state=RESOLVED, opened_at=now, last_seen_at=now, resolved_at=now, message=title,
        )
        .returning(Incident.id)
    ).scalar_one()  # fmt: skip
    told = (
        ("firing", title, "Nothing is wrong. Somebody tries out whether alerts arrive here."),
        (RESOLVED, f"Resolved: {title}", "The test is over; this is how the end of one looks."),
    )
    for change, its_title, body in told:
        connection.execute(
            insert(Notification).values(
                incident_id=incident, environment=environment, severity="warning", change=change,
                title=its_title, body=body, created_at=now, idempotency_key=uuid4().hex,
            )
        )  # fmt: skip
    return incident


def _wait_for_others(engine: Engine, incident: int) -> None:
    """A watcher that looks at this very moment may have taken a message to send it."""
    until = monotonic() + LEASE_SECONDS
    while monotonic() < until:
        states = {row.state for rows in _found(engine, incident).values() for row in rows}
        if SENDING not in states:
            return
        sleep(0.2)


def _found(engine: Engine, incident: int) -> dict[str, list[Row[*tuple[Any, ...]]]]:
    """The deliveries of each channel."""
    statement = (
        select(
            NotificationDelivery.channel_fingerprint,
            NotificationDelivery.state,
            NotificationDelivery.last_error,
            Notification.change,
        )
        .join(Notification, Notification.id == NotificationDelivery.notification_id)
        .where(Notification.incident_id == incident)
        .order_by(Notification.id)
    )
    found: dict[str, list[Row[*tuple[Any, ...]]]] = {}
    with engine.connect() as connection:
        for row in connection.execute(statement):
            found.setdefault(row.channel_fingerprint, []).append(row)
    return found


def _tried(name: str, rows: Sequence[Row[*tuple[Any, ...]]]) -> Tried:
    taken = {row.change for row in rows if row.state == DELIVERED}
    errors = [row.last_error for row in rows if row.last_error]
    return Tried(name, "firing" in taken, RESOLVED in taken, errors[0] if errors else None)


def _forget_what_waits(connection: Connection, incident: int) -> None:
    mine = select(Notification.id).where(Notification.incident_id == incident)
    connection.execute(
        delete(NotificationDelivery).where(
            NotificationDelivery.notification_id.in_(mine), NotificationDelivery.state != DELIVERED
        )
    )
    nobody_has_it = ~exists().where(NotificationDelivery.notification_id == Notification.id)
    connection.execute(
        delete(Notification).where(Notification.incident_id == incident, nobody_has_it)
    )
    # What one channel has and another refused would wait for that one again at the next look.
    connection.execute(
        update(Notification)
        .where(Notification.incident_id == incident, Notification.delivered_at.is_(None))
        .values(delivered_at=func.clock_timestamp(), dead_at=None)
    )
