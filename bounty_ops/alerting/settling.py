"""What has become of the outbox: what is settled, what waits, and what a channel keeps hearing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from bounty_ops.alerting.message import RESOLVED, Message
from bounty_ops.alerting.outbox import DEAD, DELIVERED, FIELDS, OLDEST, as_message
from bounty_ops.schema.ops import Incident, Notification, NotificationDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from bounty_ops.alerting.channels import Channel


def settle(
    connection: Connection, environment: str, channels: Sequence[Channel], *, now: datetime
) -> int:
    """Close messages that wait for no channel any more; how many of them somebody has."""
    prints = [channel.fingerprint for channel in channels]
    done = (
        select(func.count())
        .where(
            NotificationDelivery.notification_id == Notification.id,
            NotificationDelivery.channel_fingerprint.in_(prints),
            NotificationDelivery.state.in_((DELIVERED, DEAD)),
        )
        .scalar_subquery()
    )
    had = exists().where(
        NotificationDelivery.notification_id == Notification.id,
        NotificationDelivery.state == DELIVERED,
    )
    closed = (
        Notification.environment == environment,
        Notification.delivered_at.is_(None),
        or_(done == len(prints), Notification.created_at <= now - OLDEST),
    )
    moment = func.clock_timestamp()
    found = connection.execute(
        update(Notification).where(*closed, had).values(delivered_at=moment, dead_at=None)
    )
    connection.execute(
        update(Notification)
        .where(*closed, ~had, Notification.dead_at.is_(None))
        .values(dead_at=moment)
    )
    connection.commit()
    return found.rowcount


def count_waiting(connection: Connection, environment: str) -> int:
    """Messages that somebody still has to get; not those that every channel gave up."""
    statement = select(func.count()).where(
        Notification.environment == environment,
        Notification.delivered_at.is_(None),
        Notification.dead_at.is_(None),
    )
    return connection.execute(statement).scalar_one()


def to_renew(
    connection: Connection, environment: str, channel: Channel, *, ended_after: datetime
) -> list[Message]:
    """Of each incident that the channel was told of, the last message, if it is open or just over.

    Only what was delivered: an incident that is silenced or not announced yet stays unsaid.
    """
    newest = (
        select(*FIELDS, literal(1).label("attempts"), literal(0).label("interrupted"))
        .ext(distinct_on(Notification.incident_id))
        .select_from(NotificationDelivery)
        .join(Notification, Notification.id == NotificationDelivery.notification_id)
        .join(Incident, Incident.id == Notification.incident_id)
        .where(
            NotificationDelivery.channel_fingerprint == channel.fingerprint,
            NotificationDelivery.state == DELIVERED,
            Notification.environment == environment,
            or_(
                Incident.state != RESOLVED,
                Incident.resolved_at > ended_after,
            ),
        )
        .order_by(Notification.incident_id, Notification.id.desc())
    )
    found = [as_message(row) for row in connection.execute(newest)]
    # Resolved here, but the channel does not have its end yet: that message says it.
    return [each for each in found if each.over or each.resolved_at is None]
