"""Incidents as people look at them and deal with them; what keeps them quiet is in `silences`.

The operations database must be at its head revision. Errors are SQLAlchemy's but for those named;
the caller wraps the use of the engine in `bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import or_, select, update

from bounty_ops.alerting.course import State
from bounty_ops.alerting.situation import Rule
from bounty_ops.errors import UsageError
from bounty_ops.schema.ops import Evaluation, Incident, Notification, NotificationDelivery

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine, Row


@dataclass(frozen=True)
class Delivery:
    """What became of a message at one channel."""

    channel: str
    state: str
    attempts: int
    delivered_at: datetime | None
    last_error: str | None


@dataclass(frozen=True)
class SentMessage:
    """A message of an incident."""

    id: int
    change: str
    title: str
    body: str
    created_at: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True)
class IncidentShown:
    """An incident as it is shown."""

    id: int
    environment: str
    rule: str
    subject: str
    severity: str
    state: str
    title: str
    body: str
    opened_at: datetime
    fired_at: datetime | None
    last_seen_at: datetime
    healthy_since: datetime | None
    resolved_at: datetime | None
    flapping_since: datetime | None
    cause_id: int | None
    told: str | None
    told_at: datetime | None
    withheld: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledgement: str | None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """When an environment's rules were asked last, and what they could not decide."""

    environment: str
    evaluated_at: datetime
    unknown: tuple[dict[str, Any], ...]


_COLUMNS: Final = (
    Incident.id,
    Incident.environment,
    Incident.rule,
    Incident.subject,
    Incident.severity,
    Incident.state,
    Incident.message.label("title"),
    Incident.body,
    Incident.opened_at,
    Incident.fired_at,
    Incident.last_seen_at,
    Incident.healthy_since,
    Incident.resolved_at,
    Incident.flapping_since,
    Incident.cause_id,
    Incident.told,
    Incident.told_at,
    Incident.withheld,
    Incident.acknowledged_at,
    Incident.acknowledged_by,
    Incident.acknowledgement,
    Incident.evidence,
)


def incidents(
    engine: Engine, *, environment: str | None = None, resolved_since: datetime | None = None
) -> list[IncidentShown]:
    """The open incidents, gravest first; and those that were resolved since a moment."""
    wanted = Incident.state != State.RESOLVED
    if resolved_since is not None:
        wanted = or_(wanted, Incident.resolved_at >= resolved_since)
    # What `alerts test` leaves behind is no incident.
    statement = select(*_COLUMNS).where(wanted, Incident.rule.in_([*Rule])).order_by(Incident.id)
    if environment is not None:
        statement = statement.where(Incident.environment == environment)
    with engine.connect() as connection:
        found = [IncidentShown(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001 - SQLAlchemy's public name
    return sorted(found, key=_rank)


def _rank(incident: IncidentShown) -> tuple[int, int, int]:
    states = [State.FIRING, State.PENDING, State.RESOLVED]
    severities = ["critical", "warning", "info"]
    return (
        states.index(State(incident.state)),
        severities.index(incident.severity),
        incident.id,
    )


def incident(engine: Engine, identity: int) -> IncidentShown:
    """One incident.

    Raises:
        UsageError: there is none by that number.
    """
    with engine.connect() as connection:
        row = connection.execute(select(*_COLUMNS).where(Incident.id == identity)).one_or_none()
    if row is None:
        raise _no_incident(identity)
    return IncidentShown(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _no_incident(identity: int) -> UsageError:
    return UsageError(
        f"there is no incident {identity}", hint="bounty-ops alerts list shows the open ones."
    )


def messages(engine: Engine, identity: int) -> list[SentMessage]:
    """What was told of an incident, oldest first, and what became of it."""
    with engine.connect() as connection:
        sent = connection.execute(
            select(Notification.__table__)
            .where(Notification.incident_id == identity)
            .order_by(Notification.id)
        ).all()
        ids = [row.id for row in sent]
        deliveries = connection.execute(
            select(NotificationDelivery.__table__)
            .where(NotificationDelivery.notification_id.in_(ids))
            .order_by(NotificationDelivery.channel)
        ).all()
    return [
        SentMessage(
            row.id,
            row.change,
            row.title,
            row.body,
            row.created_at,
            tuple(_delivery(each) for each in deliveries if each.notification_id == row.id),
        )
        for row in sent
    ]


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(row.channel, row.state, row.attempts, row.delivered_at, row.last_error)


def looked(engine: Engine, environment: str | None = None) -> list[Looked]:
    """When the rules of each environment were asked last."""
    statement = select(Evaluation.__table__).order_by(Evaluation.environment)
    if environment is not None:
        statement = statement.where(Evaluation.environment == environment)
    with engine.connect() as connection:
        rows = connection.execute(statement).all()
    return [Looked(row.environment, row.evaluated_at, tuple(row.unknown)) for row in rows]


def acknowledge(
    engine: Engine, identity: int, *, by: str, note: str, now: datetime
) -> IncidentShown:
    """Say that somebody is at an incident; it is not repeated any more, unless it grows graver.

    Raises:
        UsageError: there is none by that number, or it is resolved.
    """
    with engine.begin() as connection:
        done = connection.execute(
            update(Incident)
            .where(Incident.id == identity, Incident.state != State.RESOLVED)
            .values(acknowledged_at=now, acknowledged_by=by, acknowledgement=note or None)
        )
    found = incident(engine, identity)
    if not done.rowcount:
        raise UsageError(
            f"incident {identity} was resolved at {found.resolved_at:%Y-%m-%d %H:%M} UTC",
            hint="There is nothing left to acknowledge.",
        )
    return found
