"""The deliverer is killed again and again while it sends: every incident arrives, none twice.

At least once is what any outbox can promise to any receiver: who is killed between the receiver's
taking a message and the commit that remembers it cannot know, and sends it again. The key is what
makes that once: a receiver that keeps keys, or that can be asked, sees each message one time.
"""

from __future__ import annotations

import logging
import multiprocessing
import random
from collections import Counter
from contextlib import closing
from itertools import pairwise
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bounty_ops.schema.ops import Notification
from bounty_ops_tests.alerting.outbox_rows import fires, is_over
from bounty_ops_tests.alerting.remembering import RememberingWebhook, deliver_for_ever

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

logger = logging.getLogger(__name__)

#: Long enough for the receiver to note what was on its way when the sender was killed, also on a
#: machine that has much else to do.
LEASE_SECONDS = 1.0
#: A channel that is starved for its 15 s is a failed attempt; two pauses after such take 90 s.
PATIENCE_SECONDS = 240


@pytest.fixture
def webhook() -> Iterator[RememberingWebhook]:
    with closing(RememberingWebhook()) as made:
        yield made


class Night:
    """Incidents that come and go, and a deliverer that is killed while it tells of them."""

    def __init__(self, operations: Engine, url: DatabaseUrl, webhook: RememberingWebhook) -> None:
        self.kills: list[float] = []
        self._operations = operations
        self._url = url
        self._webhook = webhook
        self._open: list[int] = []
        # A process of its own each time, as a daemon is; forked from one that has imported
        # everything, so that 200 of them do not take an hour.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["bounty_ops_tests.alerting.remembering"])

    def run(self, kills: int, channel: str) -> None:
        """Until that many kills fell and everything has arrived."""
        for _ in range(kills):
            self._something_happens()
            self._kill_while_it_sends(channel)
        process = self._deliverer(channel)
        seen, until = -1, 0.0
        while self._waiting():
            if len(self._webhook.arrivals) > seen:
                seen, until = len(self._webhook.arrivals), monotonic() + PATIENCE_SECONDS
            assert monotonic() < until, "nothing arrives any more"
            sleep(0.05)
        process.kill()
        process.join()

    def keys(self) -> set[str]:
        """Of all messages that were written."""
        with self._operations.connect() as connection:
            return set(connection.scalars(select(Notification.idempotency_key)))

    def _something_happens(self) -> None:
        if self._open:
            for incident in self._open:
                is_over(self._operations, incident)
            self._open = []
        else:
            self._open = [fires(self._operations, f"subject {number}") for number in range(2)]

    def _kill_while_it_sends(self, channel: str) -> None:
        self._webhook.arrived.clear()
        process = self._deliverer(channel)
        assert self._webhook.arrived.wait(PATIENCE_SECONDS)
        # From before the answer until after the commit, and somewhere in the next messages.
        sleep(random.choice([0.0, 0.004, 0.02]) * random.random())  # noqa: S311 - any moment
        process.kill()
        process.join()
        self.kills.append(monotonic())

    def _deliverer(self, channel: str) -> multiprocessing.process.BaseProcess:
        arguments = (self._url, channel, LEASE_SECONDS)
        process = self._context.Process(target=deliver_for_ever, args=arguments, daemon=True)
        process.start()
        return process

    def _waiting(self) -> bool:
        statement = select(Notification.id).where(Notification.delivered_at.is_(None)).limit(1)
        with self._operations.connect() as connection:
            return connection.execute(statement).first() is not None


def _kills(count: int) -> object:
    return pytest.param(count, marks=pytest.mark.soak) if count > 10 else count


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [_kills(10), _kills(200)])
def test_killed_again_and_again_every_message_arrives_and_its_key_makes_it_one(
    operations: Engine,
    operations_url: DatabaseUrl,
    webhook: RememberingWebhook,
    kills: int,
) -> None:
    night = Night(operations, operations_url, webhook)
    night.run(kills, webhook.url)

    arrivals = webhook.arrivals
    counts = Counter(arrival.key for arrival in arrivals)
    assert set(counts) == night.keys()  # every one arrived, and nothing else did
    assert len(night.kills) == kills

    repeated = {key for key, count in counts.items() if count > 1}
    logger.info(
        "%s kills, %s messages: %s received again", kills, len(counts), len(arrivals) - len(counts)
    )
    for key in repeated:
        mine = [arrival for arrival in arrivals if arrival.key == key]
        for before, after in pairwise(mine):
            # Only what a kill interrupted comes again, and it says so.
            assert any(before.at < kill < after.at for kill in night.kills)
            assert after.attempt > before.attempt
    assert len(arrivals) - len(counts) <= kills

    # What is left when repeated keys are dropped: each change of each incident, in order.
    first = {arrival.key: arrival for arrival in reversed(arrivals)}
    told = sorted(first.values(), key=lambda arrival: arrival.at)
    for incident in {arrival.incident for arrival in told}:
        changes = [arrival.change for arrival in told if arrival.incident == incident]
        assert changes in (["firing"], ["firing", "resolved"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kills", [_kills(10), _kills(200)])
@pytest.mark.soak
def test_a_receiver_that_can_be_asked_gets_nothing_twice(
    operations: Engine,
    operations_url: DatabaseUrl,
    webhook: RememberingWebhook,
    kills: int,
) -> None:
    night = Night(operations, operations_url, webhook)
    night.run(kills, f"{webhook.url}?ask=yes")
    counts = Counter(arrival.key for arrival in webhook.arrivals)
    logger.info("%s kills, %s messages: %s questions", kills, len(counts), webhook.asked)
    assert set(counts) == night.keys()
    assert set(counts.values()) == {1}
