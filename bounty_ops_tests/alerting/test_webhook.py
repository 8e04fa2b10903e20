"""The webhook of our own: every fact in a field, the key in a header, no redirect followed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bounty_ops.alerting.webhook import Webhook, open_webhook
from bounty_ops.errors import DeliveryError
from bounty_ops_tests.alerting import conftest
from bounty_ops_tests.alerting.messages import OPENED, message, resolved
from bounty_ops_tests.alerting.remembering import RememberingWebhook
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ours(webhook: conftest.Webhook) -> Webhook:
    return open_webhook(webhook.url.replace("json://", "webhook://") + "?a=b", "f" * 16)


@pytest.fixture
def remembering() -> Iterator[RememberingWebhook]:
    with closing(RememberingWebhook()) as made:
        yield made


def test_a_program_finds_every_fact_in_a_field(ours: Webhook, webhook: conftest.Webhook) -> None:
    ours.send(message(), now=NOW)
    ours.send(resolved(attempt=2), now=NOW)
    first, second = webhook.received
    assert first == {
        "version": 1,
        "key": message().key,
        "environment": "production",
        "rule": "backup_overdue",
        "subject": "backups",
        "severity": "critical",
        "change": "firing",
        "title": "[production] there is no backup",
        "body": "There is no backup.\nDo: make one.",
        "incident": 7,
        "message": 12,
        "attempt": 1,
        "opened_at": OPENED.isoformat(),
        "resolved_at": None,
        "sent_at": NOW.isoformat(),
    }
    assert (second["change"], second["resolved_at"]) == ("resolved", NOW.isoformat())
    assert webhook.headers[0]["Idempotency-Key"] == message().key
    assert webhook.headers[1]["Bounty-Ops-Attempt"] == "2"


@pytest.mark.parametrize(
    ("status", "permanent"), [(301, True), (302, True), (400, True), (408, False), (502, False)]
)
def test_what_is_no_yes_is_a_refusal(
    ours: Webhook, webhook: conftest.Webhook, status: int, permanent: bool
) -> None:
    webhook.answers = [status]
    with pytest.raises(DeliveryError, match=f"it answered {status}") as caught:
        ours.send(message(), now=NOW)
    assert caught.value.permanent is permanent
    assert webhook.received == []
    assert conftest.TOKEN not in f"{caught.value} {ours!r}"


def test_a_receiver_is_asked_only_where_its_url_says_so(remembering: RememberingWebhook) -> None:
    silent = open_webhook(remembering.url, "f" * 16)
    asking = open_webhook(f"{remembering.url}?ask=yes", "f" * 16)
    assert not asking.has(message())
    asking.send(message(), now=NOW)
    assert asking.has(message())
    assert not silent.has(message())
    assert remembering.asked == 2
