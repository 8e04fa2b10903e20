"""Every message arrives, once at each channel, whatever happens in between."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from bounty_ops.alerting import Delivered, deliver_pending
from bounty_ops.postgres.connect import connect
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

    from bounty_ops.environments import DatabaseUrl

FIRING = TITLE
RESOLVED = f"Resolved: {TITLE}"


def _deliver(engine: Engine, *urls: str) -> Delivered:
    return deliver_pending(engine, "production", urls, now=NOW)


def test_a_message_is_delivered_once_and_says_so(operations: Engine, webhook: Webhook) -> None:
    fires(operations)
    assert _deliver(operations, webhook.url) == Delivered(1, 0)
    assert _deliver(operations, webhook.url) == Delivered(0, 0)
    (message,) = webhook.received
    assert message["title"] == FIRING
    assert "Do: make one." in message["message"]
    assert "incident 1, message 1" in message["message"]
    assert message["type"] == "failure"
    (row,), (delivery,) = messages_of(operations), deliveries_of(operations)
    assert row.delivered_at is not None
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("delivered", 1, None)
    assert f"key {row.idempotency_key}" in message["message"]
    assert webhook.headers[0]["Idempotency-Key"] == row.idempotency_key


def test_the_end_of_an_incident_is_sent_too(operations: Engine, webhook: Webhook) -> None:
    is_over(operations, fires(operations))
    assert _deliver(operations, webhook.url).delivered == 2
    assert webhook.titles == [FIRING, RESOLVED]
    assert webhook.received[1]["type"] == "success"


def test_a_warning_is_sent_as_one(operations: Engine, webhook: Webhook) -> None:
    fires(operations, severity="warning")
    _deliver(operations, webhook.url)
    assert webhook.received[0]["type"] == "warning"


def test_a_message_that_was_refused_is_tried_again(operations: Engine, webhook: Webhook) -> None:
    fires(operations)
    webhook.answers = [500, 503]
    for attempt in (1, 2):
        result = _deliver(operations, webhook.url)
        assert (result.delivered, result.undelivered) == (0, 1)
        assert len(result.problems) == 1
        (row,) = deliveries_of(operations)
        assert row.attempts == attempt
        assert "did not take the message" in row.last_error
        assert TOKEN not in f"{row.last_error} {result}"
        assert _deliver(operations, webhook.url) == Delivered(0, 1)  # not before its time
        let_time_pass(operations)
    assert _deliver(operations, webhook.url) == Delivered(1, 0)
    assert webhook.titles == [FIRING]
    assert deliveries_of(operations)[0].last_error is None


def test_a_message_waits_while_the_webhook_is_down_and_order_is_kept(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    down = make_webhook()
    down.close()
    incident = fires(operations)
    assert _deliver(operations, down.url).undelivered == 1
    is_over(operations, incident)
    assert _deliver(operations, down.url).undelivered == 2
    assert [row.delivered_at for row in messages_of(operations)] == [None, None]
    # Its address changed meanwhile; what waited arrives, the beginning before the end.
    assert _deliver(operations, webhook.url).delivered == 2
    assert webhook.titles == [FIRING, RESOLVED]


def test_the_end_never_arrives_before_the_beginning(operations: Engine, webhook: Webhook) -> None:
    is_over(operations, fires(operations))
    webhook.answers = [500]
    assert _deliver(operations, webhook.url).delivered == 0
    assert webhook.received == []
    let_time_pass(operations)
    assert _deliver(operations, webhook.url).delivered == 2
    assert webhook.titles == [FIRING, RESOLVED]


def test_without_a_channel_messages_wait_and_it_is_said(operations: Engine) -> None:
    assert _deliver(operations) == Delivered(0, 0)
    fires(operations)
    result = _deliver(operations)
    assert (result.delivered, result.undelivered) == (0, 1)
    assert result.problems == ("no channel: 1 messages of production wait for one",)


def test_an_invalid_channel_is_a_problem_and_the_other_delivers(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    result = _deliver(operations, f"json//{TOKEN}", webhook.url)
    assert (result.delivered, result.undelivered) == (1, 0)
    (problem,) = result.problems
    assert "1 of 2" in problem
    assert TOKEN not in problem


def test_a_channel_that_is_down_does_not_make_the_other_hear_everything_again(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    broken = make_webhook()
    broken.answers = [500] * 3
    fires(operations)
    for _ in range(3):
        assert _deliver(operations, webhook.url, broken.url).undelivered == 1
        let_time_pass(operations)
    assert webhook.titles == [FIRING]
    assert _deliver(operations, webhook.url, broken.url) == Delivered(1, 0)
    assert webhook.titles == broken.titles == [FIRING]


def test_a_channel_that_is_down_is_tried_once_a_call(
    operations: Engine, make_webhook: Callable[[], Webhook]
) -> None:
    broken = make_webhook()
    broken.answers = [500] * 10
    fires(operations, "one")
    fires(operations, "two")
    assert _deliver(operations, broken.url).undelivered == 2
    assert len(broken.answers) == 9


def test_a_message_that_a_channel_never_takes_does_not_hold_up_the_others(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    webhook.answers = [400]
    _deliver(operations, webhook.url)
    fires(operations, "another", title="new")
    webhook.answers = [200, 400]
    let_time_pass(operations)
    result = _deliver(operations, webhook.url)
    assert (result.delivered, result.undelivered) == (1, 1)
    assert webhook.titles == ["new"]


def test_a_message_is_done_when_the_channel_that_lacked_it_is_not_configured_any_more(
    operations: Engine, webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    broken = make_webhook()
    broken.answers = [500]
    fires(operations)
    _deliver(operations, webhook.url, broken.url)
    assert _deliver(operations, webhook.url) == Delivered(1, 0)
    assert webhook.titles == [FIRING]


def test_messages_of_other_environments_are_left_alone(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations, environment="staging")
    assert _deliver(operations, webhook.url) == Delivered(0, 0)
    assert webhook.received == []


def test_two_watchers_at_once_do_not_send_a_message_twice(
    operations: Engine, webhook: Webhook
) -> None:
    fires(operations)
    webhook.hold = threading.Event()
    results: list[Delivered] = []
    first = threading.Thread(target=lambda: results.append(_deliver(operations, webhook.url)))
    first.start()
    assert webhook.asked.wait(30)  # it has claimed the message and is sending it

    second = _deliver(operations, webhook.url)

    assert second == Delivered(0, 1)
    webhook.hold.set()
    first.join()
    assert results == [Delivered(1, 0)]
    assert webhook.titles == [FIRING]


def test_many_watchers_at_once_send_each_message_once(operations: Engine, webhook: Webhook) -> None:
    titles = [f"about {number}" for number in range(12)]
    for title in titles:
        fires(operations, title, title=title)
    threads = [threading.Thread(target=_deliver, args=(operations, webhook.url)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(webhook.titles) == sorted(titles)


@pytest.fixture
def sending(
    operations: Engine, operations_url: DatabaseUrl, pg_server: DatabaseUrl, webhook: Webhook
) -> Sending:
    return Sending(operations, operations_url, pg_server, webhook)


class Sending:
    """A message that is on its way while something happens to the operations database."""

    def __init__(
        self, operations: Engine, url: DatabaseUrl, server: DatabaseUrl, webhook: Webhook
    ) -> None:
        self.result: Delivered | None = None
        self.failure: Exception | None = None
        self._operations = operations
        self._database = sql.Identifier(url.database)
        self._name = url.database
        self._server = server
        self._webhook = webhook

    def interrupted(self, *, for_good: bool) -> None:
        """Cut all connections while the webhook thinks; `for_good`: and let none in."""
        fires(self._operations)
        self._webhook.hold = threading.Event()
        thread = threading.Thread(target=self._deliver)
        thread.start()
        assert self._webhook.asked.wait(30)
        allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        with connect(self._server, application_name="tests") as connection:
            connection.execute(allow.format(self._database, sql.Literal(not for_good)))
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
                [self._name],
            )
            self._webhook.hold.set()
            thread.join()
            connection.execute(allow.format(self._database, sql.Literal(True)))

    def _deliver(self) -> None:
        try:
            self.result = _deliver(self._operations, self._webhook.url)
        except Exception as error:  # noqa: BLE001 - whatever a refused connection makes of it
            self.failure = error


def test_an_operations_database_that_restarts_while_a_message_is_sent_repeats_nothing(
    operations: Engine, webhook: Webhook, sending: Sending
) -> None:
    sending.interrupted(for_good=False)
    assert sending.failure is None
    assert deliveries_of(operations)[0].state == "delivered"
    let_time_pass(operations)
    _deliver(operations, webhook.url)
    assert webhook.titles == [FIRING]
    assert messages_of(operations)[0].delivered_at is not None


def test_an_operations_database_that_goes_away_while_a_message_is_sent_loses_nothing(
    operations: Engine, webhook: Webhook, sending: Sending
) -> None:
    sending.interrupted(for_good=True)
    assert sending.failure is not None
    assert messages_of(operations)[0].delivered_at is None
    assert _deliver(operations, webhook.url) == Delivered(0, 1)  # whoever has it may still live
    let_time_pass(operations)
    assert _deliver(operations, webhook.url) == Delivered(1, 0)
    first, second = (headers["Idempotency-Key"] for headers in webhook.headers)
    assert first == second  # a receiver can tell
    assert "attempt 2: an earlier one may have arrived" in webhook.received[1]["message"]
    assert "attempt" not in webhook.received[0]["message"]
