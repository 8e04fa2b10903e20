"""What a test of the channels leaves behind: nothing that a watcher would send later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import deliver_pending, trying_out
from bounty_ops.environments import Environment, Policy
from bounty_ops_tests.alerting.outbox_rows import let_time_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from bounty_ops.alerting.delivering import Delivered
    from bounty_ops_tests.alerting.conftest import Webhook


def _later(engine: Engine, *webhooks: Webhook) -> Delivered:
    """What a watcher does at its next look."""
    let_time_pass(engine)
    urls = [each.url for each in webhooks]
    return deliver_pending(engine, "production", urls, now=datetime.now(UTC))


def _environment(*webhooks: Webhook) -> Environment:
    urls = tuple(each.url for each in webhooks)
    return Environment("production", None, Policy(), alert_urls=urls)


def test_what_one_of_two_channels_refused_is_not_sent_to_it_later(
    operations: Engine, make_webhook: Callable[[], Webhook]
) -> None:
    refusing, taking = make_webhook(), make_webhook()
    refusing.answers = [503]
    tried = trying_out.try_channels(
        operations, _environment(refusing, taking), now=datetime.now(UTC)
    )
    assert [each.works for each in tried] == [False, True]
    after = _later(operations, refusing, taking)
    assert (after.delivered, after.undelivered) == (0, 0)
    assert refusing.titles == []
    assert len(taking.titles) == 2


def test_what_was_interrupted_is_not_sent_later(
    operations: Engine, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*words: Any, **named: Any) -> None:  # noqa: ANN401 - any
        deliver_pending(*words, **named)
        raise KeyboardInterrupt

    webhook.answers = [503]
    monkeypatch.setattr(trying_out, "deliver_pending", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trying_out.try_channels(operations, _environment(webhook), now=datetime.now(UTC))
    after = _later(operations, webhook)
    assert (after.delivered, after.undelivered) == (0, 0)
    assert webhook.titles == []
