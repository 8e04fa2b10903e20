"""Emptying the outbox: every message to every channel of its environment, at least once.

Each channel has a lane of its own: one that is slow or down keeps no other waiting. What is due
and who has it is kept in `outbox`; when to try again is decided in `backoff`.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting import outbox, settling
from bounty_ops.alerting.alertmanager import REPEAT_ENDS, Alertmanager
from bounty_ops.alerting.backoff import MOST_ATTEMPTS, Again, after_failure
from bounty_ops.alerting.channels import Channel, open_channels
from bounty_ops.alerting.webhook import Webhook
from bounty_ops.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from bounty_ops.alerting.message import Message

#: No new message is begun after it; the last one may take a channel's whole time. A sensor's tick
#: is ended by Dagster after a minute.
BUDGET_SECONDS: Final = 20.0
_LANES: Final = 8


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
    engine: Engine,
    environment: str,
    alert_urls: Sequence[str],
    *,
    now: datetime,
    incident: int | None = None,
    lease_seconds: float = outbox.LEASE_SECONDS,
) -> Delivered:
    """Send what is due in the environment's outbox, oldest news of each incident first.

    A channel that fails once is left alone for the rest of this call. Errors of the database are
    SQLAlchemy's; the caller wraps the use of the engine in `translated`.

    Args:
        engine: the operations database.
        environment: whose messages.
        alert_urls: its channels.
        now: timezone-aware; what receivers are told as the time.
        incident: only its messages.
        lease_seconds: how long a message is nobody else's once it was taken to be sent.
    """
    channels, refused = open_channels(alert_urls)
    problems = [str(problem) for problem in refused]
    with _committing(engine) as connection:
        if not channels:
            waiting = settling.count_waiting(connection, environment)
            if waiting:
                problems.append(f"no channel: {waiting} messages of {environment} wait for one")
            return Delivered(0, waiting, tuple(problems))
        outbox.fan_out(connection, environment, channels, now=now)
    lanes = [_Lane(engine, environment, each, now, incident, lease_seconds) for each in channels]
    for found in _run(lanes):
        problems.extend(found)
    with _committing(engine) as connection:
        delivered = settling.settle(connection, environment, channels, now=now)
        waiting = settling.count_waiting(connection, environment)
    return Delivered(delivered, waiting, tuple(problems))


@contextmanager
def _committing(engine: Engine) -> Iterator[Connection]:
    """A connection for many small transactions; none is open while a channel thinks."""
    # Without the mode each would be three round trips. With it alone, a connection that was made
    # anew after a break would be without it: so `outbox` commits besides.
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")


@dataclass(frozen=True)
class _Lane:
    """One channel's part of a call."""

    engine: Engine
    environment: str
    channel: Channel
    now: datetime
    incident: int | None
    lease_seconds: float

    def run(self) -> list[str]:
        """Send until nothing is due, the channel fails, or time is up; what went wrong."""
        with _committing(self.engine) as connection:
            return self._empty(connection)

    def _empty(self, connection: Connection) -> list[str]:
        problems: list[str] = []
        told: set[int] = set()
        until = monotonic() + BUDGET_SECONDS
        while monotonic() < until:
            message = outbox.claim(
                connection,
                self.environment,
                self.channel,
                incident=self.incident,
                lease_seconds=self.lease_seconds,
            )
            if message is None:
                break
            told.add(message.incident)
            error = self._send(connection, message)
            if error is not None:
                problems.append(str(error))
                if not error.permanent:
                    return problems
        if isinstance(self.channel, Alertmanager) and self.incident is None:
            problems.extend(self._renew(connection, self.channel, told))
        return problems

    def _send(self, connection: Connection, message: Message) -> DeliveryError | None:
        if message.interrupted >= MOST_ATTEMPTS:
            # Whatever sends it dies of it, or of something else each time.
            error = f"sending it was interrupted {message.interrupted} times"
            outbox.bury(connection, self.channel, message, error=error)
            return None
        try:
            if not self._arrived(message):
                self.channel.send(message, now=self.now)
        except DeliveryError as error:
            self._failed(connection, message, error)
            return error
        outbox.taken(connection, self.channel, message)
        return None

    def _arrived(self, message: Message) -> bool:
        """Whether an attempt whose end nobody knows did reach a channel that can be asked."""
        channel = self.channel
        return isinstance(channel, Webhook) and message.attempt > 1 and channel.has(message)

    def _failed(self, connection: Connection, message: Message, error: DeliveryError) -> None:
        # Not a secret: it only keeps what failed together from coming back together.
        fraction = random.random()  # noqa: S311
        # An interrupted attempt is no answer: a watcher that is restarted often must not make a
        # channel's first "no" its last one, nor its pauses hours long.
        then = after_failure(message.tried, error, fraction=fraction)
        if isinstance(then, Again):
            outbox.put_off(
                connection, self.channel, message, seconds=then.seconds, error=str(error)
            )
        else:
            outbox.bury(connection, self.channel, message, error=str(error))

    def _renew(self, connection: Connection, channel: Alertmanager, told: set[int]) -> list[str]:
        known = settling.to_renew(
            connection, self.environment, channel, ended_after=self.now - REPEAT_ENDS
        )
        firing = [message for message in known if message.incident not in told]
        if not firing:
            return []
        try:
            channel.renew(firing, now=self.now)
        except DeliveryError as error:
            return [str(error)]
        return []


def _run(lanes: Sequence[_Lane]) -> list[list[str]]:
    if len(lanes) == 1:
        return [lanes[0].run()]
    with ThreadPoolExecutor(min(len(lanes), _LANES), "bounty-ops-lane") as pool:
        return list(pool.map(_Lane.run, lanes))
