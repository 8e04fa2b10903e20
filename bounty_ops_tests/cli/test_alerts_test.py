"""`alerts test` proves the way from the outbox to every channel, and tells which one is broken."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.alerting.conftest import TOKEN, Webhook
from bounty_ops_tests.alerting.receivers import AlertmanagerReceiver
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with closing(Webhook()) as made:
        yield made


@pytest.fixture
def alertmanager() -> Iterator[AlertmanagerReceiver]:
    with closing(AlertmanagerReceiver()) as made:
        yield made


@pytest.fixture
def told(
    command_line: CommandLine, webhook: Webhook, alertmanager: AlertmanagerReceiver
) -> CommandLine:
    """An environment with two channels."""
    toml = '[defaults]\nchannels = ["ALERT_URL", "PAGER_URL"]\n'
    (command_line.home / "bounty_ops.toml").write_text(toml)
    pager = f"alertmanager://127.0.0.1:{alertmanager.port}"
    line = command_line.with_variables(ALERT_URL=webhook.url, PAGER_URL=pager)
    return replace(line, secrets=(*line.secrets, TOKEN))


def test_every_channel_hears_the_beginning_and_the_end(
    told: CommandLine, webhook: Webhook, alertmanager: AlertmanagerReceiver
) -> None:
    done = told.run("alerts", "test", "--json")
    assert done.code == 0
    assert set(done.document) == documented_fields("alerts test")
    assert [each["works"] for each in done.document["channels"]] == [True, True]
    title = "[development] a test of the alert channels"
    assert webhook.titles == [title, f"Resolved: {title}"]
    assert len({headers["Idempotency-Key"] for headers in webhook.headers}) == 2
    assert [len(alerts) for alerts in alertmanager.history] == [3, 3]  # an alert for each severity
    assert alertmanager.refused == []
    assert alertmanager.firing(datetime.now(UTC)) == []


@pytest.mark.soak
def test_a_channel_that_refuses_is_told_and_nothing_is_left_to_be_sent_later(
    told: CommandLine, webhook: Webhook, alertmanager: AlertmanagerReceiver
) -> None:
    webhook.answers = [503]
    done = told.run("alerts", "test", "--json")
    assert done.code == 1
    broken, working = done.document["channels"]
    assert (broken["works"], working["works"]) == (False, True)
    assert "503" in broken["problem"]
    assert len(alertmanager.history) == 2

    assert told.run("alerts", "test").code == 0
    assert len(webhook.titles) == 2


@pytest.mark.soak
def test_a_url_that_is_not_understood_fails_the_test(told: CommandLine) -> None:
    done = told.with_variables(ALERT_URL=f"nonsense://{TOKEN}").run("alerts", "test")
    assert done.code == 1
    assert "alert channel 1 of 2 is not a valid Apprise URL" in done.stdout


def test_without_a_channel_there_is_nothing_to_test(command_line: CommandLine) -> None:
    done = command_line.run("alerts", "test")
    assert done.code == 2
    happened, remedy = done.error_lines
    assert happened == "error: environment development has no alert channel"
    assert remedy.startswith("hint: Write ALERT_URL=... into .env.development")
