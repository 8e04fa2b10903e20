"""The outbox in the operations database: which message is due for which channel, and who has it.

A row of `notification_delivery` is one message for one channel:

    waiting --claim--> sending --taken--> delivered
       ^                  |----failed----> waiting, later; or dead
       '------------------'  its lease ran out: whoever had it is gone

An attempt is counted and committed before it begins. So after a crash it is known that there was
one whose outcome nobody knows; it is made again, with the same key, and says that it is not the
first. Times are those of the database: the clocks of two machines may differ by more than a lease.

Each function commits. Errors are SQLAlchemy's; the caller wraps the use in `translated`.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, case, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased

from bounty_ops.alerting.message import Message
from bounty_ops.schema.ops import Incident, Notification, NotificationDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select, Update

    from bounty_ops.alerting.channels import Channel

logger = logging.getLogger(__name__)

#: Longer than a channel may take for a message, so that no two ever send the same.
LEASE_SECONDS: Final = 60.0
#: Before each try to remember how an attempt ended.
_PAUSES_SECONDS: Final = (0.0, 0.5, 2.0)
#: What is older is no news: it would only hide what is.
OLDEST: Final = timedelta(days=7)

WAITING: Final = "waiting"
SENDING: Final = "sending"
DELIVERED: Final = "delivered"
DEAD: Final = "dead"
UNDONE: Final = (WAITING, SENDING)

#: Of notification and incident, what a message is made of.
FIELDS: Final = (
    Notification.id,
    Notification.incident_id,
    Notification.change,
    Notification.title,
    Notification.body,
    Notification.idempotency_key,
    Notification.severity,
    Notification.environment,
    Incident.rule,
    Incident.subject,
    Incident.opened_at,
    Incident.resolved_at,
)


def fan_out(
    connection: Connection, environment: str, channels: Sequence[Channel], *, now: datetime
) -> None:
    """Make what is not settled yet wait for each channel, once.

    What every channel has given up waits for a new one, too: most often that is the old one,
    corrected.
    """
    for channel in channels:
        unsettled = select(
            Notification.id,
            literal(channel.fingerprint),
            literal(channel.name),
            literal(WAITING),
        ).where(
            _unsettled(environment, now),
            ~exists().where(
                NotificationDelivery.notification_id == Notification.id,
                NotificationDelivery.channel_fingerprint == channel.fingerprint,
            ),
        )
        columns = ["notification_id", "channel_fingerprint", "channel", "state"]
        connection.execute(
            insert(NotificationDelivery).from_select(columns, unsettled).on_conflict_do_nothing()
        )
        connection.commit()


def claim(
    connection: Connection,
    environment: str,
    channel: Channel,
    *,
    incident: int | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> Message | None:
    """Take the next message that is due for the channel, so that nobody else sends it."""
    due = _due(environment, channel.fingerprint, incident).cte("due")
    statement = (
        update(NotificationDelivery)
        .where(
            NotificationDelivery.notification_id == due.c.id,
            NotificationDelivery.channel_fingerprint == channel.fingerprint,
        )
        .values(
            state=SENDING,
            attempts=NotificationDelivery.attempts + 1,
            # Whoever had it until now is gone, and did not say how it ended.
            interrupted=NotificationDelivery.interrupted
            + case((NotificationDelivery.state == SENDING, 1), else_=0),
            claimed_until=_in(lease_seconds),
        )
        .returning(*due.c, NotificationDelivery.attempts, NotificationDelivery.interrupted)
    )
    row = connection.execute(statement).one_or_none()
    connection.commit()
    return None if row is None else as_message(row)


def _due(environment: str, fingerprint: str, incident: int | None) -> Select[*tuple[Any, ...]]:
    """Those tried least come first, so that one that is refused cannot hold up the rest.

    But never one of an incident that has an older message waiting: "resolved" must not arrive
    first.
    """
    earlier, its = aliased(NotificationDelivery), aliased(Notification)
    conditions = [
        NotificationDelivery.channel_fingerprint == fingerprint,
        Notification.environment == environment,
        or_(
            and_(
                NotificationDelivery.state == WAITING,
                NotificationDelivery.next_attempt_at <= func.clock_timestamp(),
            ),
            and_(
                NotificationDelivery.state == SENDING,
                NotificationDelivery.claimed_until <= func.clock_timestamp(),
            ),
        ),
        ~exists()
        .where(
            its.incident_id == Notification.incident_id,
            its.id < Notification.id,
            earlier.notification_id == its.id,
            earlier.channel_fingerprint == fingerprint,
            earlier.state.in_(UNDONE),
        )
        .correlate(Notification),
    ]
    if incident is not None:
        conditions.append(Incident.id == incident)
    return (
        select(*FIELDS)
        .select_from(NotificationDelivery)
        .join(Notification, Notification.id == NotificationDelivery.notification_id)
        .join(Incident, Incident.id == Notification.incident_id)
        .where(*conditions)
        .order_by(NotificationDelivery.attempts, Notification.id)
        .limit(1)
        .with_for_update(of=NotificationDelivery, skip_locked=True)
    )


def taken(connection: Connection, channel: Channel, message: Message) -> bool:
    """Remember that the channel has it; False when somebody else has the message by now."""
    return _end(
        connection,
        channel,
        message,
        state=DELIVERED,
        delivered_at=func.clock_timestamp(),
        last_error=None,
    )


def put_off(
    connection: Connection, channel: Channel, message: Message, *, seconds: float, error: str
) -> bool:
    """Let it wait; False when somebody else has the message by now."""
    return _end(
        connection, channel, message, state=WAITING, next_attempt_at=_in(seconds), last_error=error
    )


def bury(connection: Connection, channel: Channel, message: Message, *, error: str) -> bool:
    """Make it a dead letter; False when somebody else has the message by now."""
    return _end(
        connection, channel, message, state=DEAD, dead_at=func.clock_timestamp(), last_error=error
    )


def _end(connection: Connection, channel: Channel, message: Message, **values: Any) -> bool:  # noqa: ANN401 - of columns
    """End an attempt; the number of attempts tells it from one of somebody who took over."""
    statement = (
        update(NotificationDelivery)
        .where(
            NotificationDelivery.notification_id == message.number,
            NotificationDelivery.channel_fingerprint == channel.fingerprint,
            NotificationDelivery.state == SENDING,
            NotificationDelivery.attempts == message.attempt,
        )
        .values(claimed_until=None, **values)
    )
    for pause in _PAUSES_SECONDS:
        sleep(pause)
        try:
            return _changed(connection, statement)
        except OperationalError:
            # The message is out: what is not remembered now will be sent again. A database that
            # restarts is back in a moment.
            logger.warning("message %s cannot be marked yet", message.number)
            connection.rollback()  # without it SQLAlchemy would not connect anew
    return _changed(connection, statement)


def _changed(connection: Connection, statement: Update) -> bool:
    changed = connection.execute(statement).rowcount > 0
    connection.commit()
    return changed


def _unsettled(environment: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        Notification.environment == environment,
        Notification.delivered_at.is_(None),
        # Spelled out so that the two partial indexes serve it.
        or_(Notification.dead_at.is_(None), Notification.dead_at > now - OLDEST),
        Notification.created_at > now - OLDEST,
    )


def _in(seconds: float) -> ColumnElement[Any]:
    return func.clock_timestamp() + bindparam(None, timedelta(seconds=seconds))


def as_message(row: Row[*tuple[Any, ...]]) -> Message:
    """The message of a row of `FIELDS`, with its `attempts` and how many were `interrupted`."""
    return Message(
        key=row.idempotency_key,
        number=row.id,
        incident=row.incident_id,
        environment=row.environment,
        rule=row.rule,
        subject=row.subject,
        severity=row.severity,
        change=row.change,
        title=row.title,
        body=row.body,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
        attempt=row.attempts,
        interrupted=row.interrupted,
    )
