"""Emptying the outbox: every message to every channel of its environment, at least once.

A message is claimed by a row lock that others skip, sent, and marked within the same
transaction: a crash between sending and marking sends it again, and nothing loses it. What each
channel has taken is remembered, so that one that is down for days does not make the others hear
everything at every attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from bounty_ops.alerting.channels import Channel, open_channels
from bounty_ops.errors import DeliveryError
from bounty_ops.schema.ops import Incident, Notification

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Select


@dataclass(frozen=True)
class Delivered:
    """What became of the outbox."""

    delivered: int
    """Messages that all channels have now."""
    undelivered: int
    """Messages that wait for a next time."""
    problems: tuple[str, ...] = ()
    """Why; fit to be shown."""


def deliver_pending(
    engine: Engine, environment: str, alert_urls: Sequence[str], *, now: datetime
) -> Delivered:
    """Send what waits in the environment's outbox, oldest news of each incident first.

    A channel that fails once is left alone for the rest of this call. Errors of the database are
    SQLAlchemy's; the caller wraps the use of the engine in `translated`.
    """
    channels, refused = open_channels(alert_urls)
    problems = [str(problem) for problem in refused]
    if not channels:
        waiting = _waiting(engine, environment)
        if waiting:
            problems.append(f"no channel: {waiting} messages of {environment} wait for one")
        return Delivered(0, waiting, tuple(problems))
    down: dict[str, DeliveryError] = {}
    seen: list[int] = []
    delivered = 0
    while len(down) < len(channels):
        with engine.begin() as connection:
            statement = _next_message(environment, seen, _prints(channels), down)
            message = connection.execute(statement).one_or_none()
            if message is None:
                break
            seen.append(message.id)
            delivered += _deliver(connection, message, channels, down, now)
    problems.extend(str(error) for error in down.values())
    return Delivered(delivered, _waiting(engine, environment), tuple(problems))


def _prints(channels: Sequence[Channel]) -> list[str]:
    return [channel.fingerprint for channel in channels]


def _next_message(
    environment: str, seen: Sequence[int], channels: Sequence[str], down: Collection[str]
) -> Select[*tuple[Any, ...]]:
    """The next message that nobody else is sending and that can be brought forward now.

    Fresh ones come first, so that one that a channel never takes cannot hold up the rest; but
    never one of an incident that has an older message waiting: "resolved" must not arrive first.
    """
    up = [channel for channel in channels if channel not in down]
    earlier = aliased(Notification)
    return (
        select(
            Notification.id,
            Notification.incident_id,
            Notification.change,
            Notification.title,
            Notification.body,
            Notification.delivered_to,
            Incident.severity,
        )
        .join(Incident, Incident.id == Notification.incident_id)
        .where(
            Incident.environment == environment,
            Notification.delivered_at.is_(None),
            Notification.id.not_in(seen),
            or_(
                ~Notification.delivered_to.contains(up),
                # The channel that it lacked is not configured any more: nothing is left to send.
                Notification.delivered_to.contains(list(channels)),
            ),
            ~exists().where(
                and_(
                    earlier.incident_id == Notification.incident_id,
                    earlier.delivered_at.is_(None),
                    earlier.id < Notification.id,
                )
            ),
        )
        .order_by(Notification.attempts, Notification.id)
        .limit(1)
        .with_for_update(of=Notification, skip_locked=True)
    )


def _deliver(
    connection: Connection,
    message: Any,  # noqa: ANN401 - a row of `_next_message`
    channels: Sequence[Channel],
    down: dict[str, DeliveryError],
    now: datetime,
) -> bool:
    """Send one claimed message to the channels that lack it; whether all have it now."""
    have = list(message.delivered_to)
    error: DeliveryError | None = None
    for channel in channels:
        if channel.fingerprint in have or channel.fingerprint in down:
            continue
        try:
            _send(channel, message)
        except DeliveryError as refusal:
            down[channel.fingerprint] = error = refusal
        else:
            have.append(channel.fingerprint)
    complete = set(_prints(channels)) <= set(have)
    connection.execute(
        update(Notification)
        .where(Notification.id == message.id)
        .values(
            delivered_to=have,
            delivered_at=now if complete else None,
            attempts=Notification.attempts + 1,
            last_error=None if error is None else str(error),
        )
    )
    return complete


def _send(channel: Channel, message: Any) -> None:  # noqa: ANN401 - see `_deliver`
    kind = "failure" if message.severity == "critical" else "warning"
    channel.send(
        title=message.title,
        # A receiver that got it twice after a crash can tell by the number.
        body=f"{message.body}\n\nincident {message.incident_id}, message {message.id}",
        kind="success" if message.change == "resolved" else kind,
    )


def _waiting(engine: Engine, environment: str) -> int:
    with engine.connect() as connection:
        return connection.execute(
            select(func.count())
            .select_from(Notification)
            .join(Incident, Incident.id == Notification.incident_id)
            .where(Incident.environment == environment, Notification.delivered_at.is_(None))
        ).scalar_one()
