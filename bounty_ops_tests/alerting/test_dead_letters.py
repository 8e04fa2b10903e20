"""What no channel takes is given up in the end, stays visible, and is not lost for a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from bounty_ops.alerting import deliver_pending
from bounty_ops.alerting.backoff import MOST_ATTEMPTS, MOST_REFUSALS
from bounty_ops.alerting.channel_states import UNHEARD, channel_states, unheard_since
from bounty_ops.schema.ops import NotificationDelivery
from bounty_ops_tests.alerting.conftest import TOKEN, Webhook
from bounty_ops_tests.alerting.outbox_rows import (
    TITLE,
    deliveries_of,
    fires,
    is_over,
    let_time_pass,
    messages_of,
)
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine


def _deliver(engine: Engine, *urls: str, days: float = 0) -> int:
    now = NOW + timedelta(days=days)
    return deliver_pending(engine, "production", urls, now=now).undelivered


def _refuse(engine: Engine, webhook: Webhook) -> None:
    """Until the message is given up."""
    webhook.answers = [410] * MOST_REFUSALS
    for _ in range(MOST_REFUSALS):
        _deliver(engine, webhook.url)
        let_time_pass(engine)
    assert webhook.answers == []


def test_what_is_refused_three_times_is_given_up_and_shown(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    _refuse(operations, webhook)
    assert _deliver(operations, webhook.url) == 0
    assert webhook.received == []
    (message,), (delivery,) = messages_of(operations), deliveries_of(operations)
    assert message.delivered_at is None
    assert message.dead_at is not None
    assert (delivery.state, delivery.attempts) == ("dead", MOST_REFUSALS)
    (state,) = channel_states(operations, "production", [webhook.url], now=NOW)
    assert (state.dead, state.waiting) == (1, 0)
    assert "410" in (state.last_error or "")
    assert TOKEN not in f"{state} {delivery}"


def test_the_end_of_what_was_given_up_is_told_all_the_same(
    operations: Engine, webhook: Webhook
) -> None:
    incident = fires(operations)
    _refuse(operations, webhook)
    is_over(operations, incident)
    _deliver(operations, webhook.url)
    assert webhook.titles == [f"Resolved: {TITLE}"]
    (state,) = channel_states(operations, "production", [webhook.url], now=NOW)
    assert state.dead == 0  # it takes messages again


def test_a_corrected_url_gets_what_the_wrong_one_never_took(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    fires(operations)
    _refuse(operations, webhook)
    corrected = make_webhook()
    assert _deliver(operations, corrected.url) == 0
    assert corrected.titles == [TITLE]
    assert messages_of(operations)[0].dead_at is None


def test_a_message_that_some_channel_has_does_not_come_to_a_new_one(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    fires(operations)
    _deliver(operations, webhook.url)
    added = make_webhook()
    _deliver(operations, webhook.url, added.url)
    assert added.received == []


def test_a_channel_that_gives_up_does_not_hold_up_what_another_has(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    refusing = make_webhook()
    refusing.answers = [404] * MOST_REFUSALS
    fires(operations)
    for _ in range(MOST_REFUSALS):
        waiting = _deliver(operations, webhook.url, refusing.url)
        let_time_pass(operations)
    assert waiting == 0
    assert webhook.titles == [TITLE]
    assert messages_of(operations)[0].delivered_at is not None


def test_news_of_last_week_are_none(operations: Engine, webhook: Webhook) -> None:
    fires(operations)
    assert _deliver(operations, webhook.url, days=8) == 0
    assert webhook.received == []
    assert messages_of(operations)[0].dead_at is not None


def test_a_message_whose_sender_always_dies_is_given_up(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    webhook.answers = [500]
    _deliver(operations, webhook.url)
    with operations.begin() as connection:
        connection.execute(
            update(NotificationDelivery).values(
                state="sending",
                attempts=MOST_ATTEMPTS,
                interrupted=MOST_ATTEMPTS - 1,
                claimed_until=NOW - timedelta(days=1),
            )
        )
    let_time_pass(operations)
    assert _deliver(operations, webhook.url) == 0
    (delivery,) = deliveries_of(operations)
    assert delivery.state == "dead"
    assert delivery.last_error == f"sending it was interrupted {MOST_ATTEMPTS} times"
    assert webhook.received == []


def test_nobody_hears_the_watcher_when_a_message_waits_and_nothing_arrives(
    operations: Engine, webhook: Webhook
) -> None:
    later = NOW + 2 * UNHEARD
    fires(operations)
    assert unheard_since(operations, "production", now=NOW + UNHEARD / 2) is None  # not yet
    assert unheard_since(operations, "production", now=later) == NOW
    assert unheard_since(operations, "staging", now=later) is None
    _deliver(operations, webhook.url)
    assert unheard_since(operations, "production", now=later) is None


def test_a_channel_that_nothing_was_sent_to_has_no_troubles(
    operations: Engine, webhook: Webhook
) -> None:
    (state,) = channel_states(operations, "production", [webhook.url], now=NOW)
    assert (state.waiting, state.dead, state.last_error) == (0, 0, None)
    assert channel_states(operations, "production", [], now=NOW) == ()
    fires(operations)
    webhook.answers = [500]
    _deliver(operations, webhook.url)
    (state,) = channel_states(operations, "production", [webhook.url], now=NOW)
    assert (state.waiting, state.oldest_waiting_at) == (1, NOW)


def test_attempts_that_were_interrupted_are_no_answers_of_the_channel(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    webhook.answers = [503]
    _deliver(operations, webhook.url)
    with operations.begin() as connection:  # whoever sent it was killed, again and again
        connection.execute(
            update(NotificationDelivery).values(
                state="sending", attempts=12, interrupted=10, claimed_until=NOW - timedelta(days=1)
            )
        )
    webhook.answers = [404]
    _deliver(operations, webhook.url)
    (delivery,) = deliveries_of(operations)
    # Eleven were interrupted and one had an answer before: this is the second, and no refusal yet.
    assert (delivery.state, delivery.attempts, delivery.interrupted) == ("waiting", 13, 11)
    with operations.connect() as connection:
        pause = delivery.next_attempt_at - connection.scalar(select(func.clock_timestamp()))
    assert pause <= timedelta(seconds=60)
