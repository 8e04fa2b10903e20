"""How an environment's channels are doing: what waits for them, what they never took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from bounty_ops.alerting.channels import open_channels
from bounty_ops.alerting.facts import Outbox
from bounty_ops.alerting.outbox import DEAD, DELIVERED, OLDEST, UNDONE
from bounty_ops.schema.ops import Notification, NotificationDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine, Row

#: A channel that restarts is back by then.
UNHEARD: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class ChannelState:
    """One channel that is configured."""

    fingerprint: str
    name: str
    """Fit to be shown."""
    waiting: int = 0
    oldest_waiting_at: datetime | None = None
    dead: int = 0
    """Messages that it never took and that were given up since it last took one."""
    last_dead_at: datetime | None = None
    last_delivered_at: datetime | None = None
    last_error: str | None = None
    """Of the latest message that it did not take; without secrets."""


def channel_states(
    engine: Engine, environment: str, alert_urls: Sequence[str], *, now: datetime
) -> tuple[ChannelState, ...]:
    """Each channel that is configured and understood; what is older than a week is left out."""
    channels, _ = open_channels(alert_urls)
    if not channels:
        return ()
    rows = {row.channel_fingerprint: row for row in _rows(engine, environment, now)}
    return tuple(
        _state(channel.fingerprint, channel.name, rows.get(channel.fingerprint))
        for channel in channels
    )


def outbox_of(
    engine: Engine, environment: str, alert_urls: Sequence[str], *, now: datetime
) -> Outbox:
    """The same for rules: all channels together."""
    states = channel_states(engine, environment, alert_urls, now=now)
    waiting = [each.oldest_waiting_at for each in states if each.oldest_waiting_at is not None]
    dead = [each for each in states if each.dead]
    return Outbox(
        dead=sum(each.dead for each in dead),
        oldest_waiting_at=min(waiting, default=None),
        problem="; ".join(each.last_error for each in dead if each.last_error),
    )


def _rows(engine: Engine, environment: str, now: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    its = NotificationDelivery
    recent = (
        select(
            its.channel_fingerprint,
            its.state,
            its.dead_at,
            its.delivered_at,
            its.last_error,
            Notification.created_at,
            func.max(its.delivered_at).over(partition_by=its.channel_fingerprint).label("taken_at"),
        )
        .join(Notification, Notification.id == its.notification_id)
        .where(Notification.environment == environment, Notification.created_at > now - OLDEST)
    ).subquery()
    waits = recent.c.state.in_(UNDONE)
    dead = (recent.c.state == DEAD) & (
        recent.c.dead_at > func.coalesce(recent.c.taken_at, now - OLDEST)
    )
    latest = func.array_agg(aggregate_order_by(recent.c.last_error, recent.c.created_at)).filter(
        recent.c.last_error.is_not(None) & (waits | dead)
    )
    statement = select(
        recent.c.channel_fingerprint,
        func.count().filter(waits).label("waiting"),
        func.min(recent.c.created_at).filter(waits).label("oldest_waiting_at"),
        func.count().filter(dead).label("dead"),
        func.max(recent.c.dead_at).filter(dead).label("last_dead_at"),
        func.max(recent.c.taken_at).label("last_delivered_at"),
        latest.label("errors"),
    ).group_by(recent.c.channel_fingerprint)
    with engine.connect() as connection:
        return connection.execute(statement).all()


def _state(fingerprint: str, name: str, row: Row[*tuple[Any, ...]] | None) -> ChannelState:
    if row is None:
        return ChannelState(fingerprint, name)
    return ChannelState(
        fingerprint,
        name,
        waiting=row.waiting,
        oldest_waiting_at=row.oldest_waiting_at,
        dead=row.dead,
        last_dead_at=row.last_dead_at,
        last_delivered_at=row.last_delivered_at,
        last_error=row.errors[-1] if row.errors else None,
    )


def unheard_since(engine: Engine, environment: str, *, now: datetime) -> datetime | None:
    """Since when messages wait or were given up, and no channel has taken any; None: all is well.

    A message that is younger than a channel's restart does not count.
    """
    delivered = (
        select(func.max(NotificationDelivery.delivered_at))
        .join(Notification, Notification.id == NotificationDelivery.notification_id)
        .where(Notification.environment == environment)
        .scalar_subquery()
    )
    heard = exists().where(
        NotificationDelivery.notification_id == Notification.id,
        NotificationDelivery.state == DELIVERED,
    )
    statement = select(func.min(Notification.created_at)).where(
        Notification.environment == environment,
        Notification.delivered_at.is_(None),
        Notification.created_at.between(now - OLDEST, now - UNHEARD),
        Notification.created_at > func.coalesce(delivered, now - OLDEST),
        ~heard,
    )
    with engine.connect() as connection:
        return connection.execute(statement).scalar_one()
