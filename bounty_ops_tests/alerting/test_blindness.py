"""People hear that the operations database is away although the outbox is in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.alerting.blindness import Blindness
from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import ServerUnavailable
from bounty_ops_tests.alerting.situations import NOW, situation

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.alerting import Situation
    from bounty_ops_tests.alerting.conftest import Webhook


def _environment(webhook: Webhook, *, protected: bool = True) -> Environment:
    name = "production" if protected else "development"
    return Environment(name, None, Policy(protected=protected), alert_urls=(webhook.url,))


def _away(environment: Environment, *, now: datetime) -> Situation:
    error = ServerUnavailable("nobody answers at ops:5432", hint="Start it.")
    seen = replace(situation(policy=environment.policy), environment=environment.name)
    return replace(seen, operations=error, now=now)


def test_it_is_told_once_when_it_lasts_and_once_when_it_is_over(webhook: Webhook) -> None:
    environment, blindness = _environment(webhook), Blindness()
    for minute in range(6):
        now = NOW + timedelta(minutes=minute)
        assert blindness.away(environment, _away(environment, now=now)) == ()
        assert len(webhook.received) == (0 if minute < 2 else 1)
    assert "operations database cannot be reached" in webhook.titles[0]
    blindness.back(environment, now=NOW + timedelta(minutes=6))
    blindness.back(environment, now=NOW + timedelta(minutes=7))
    assert len(webhook.titles) == 2
    assert webhook.titles[1].startswith("Resolved: ")
    first, second = (headers["Idempotency-Key"] for headers in webhook.headers)
    assert first != second


def test_a_moment_is_not_told(webhook: Webhook) -> None:
    environment, blindness = _environment(webhook), Blindness()
    blindness.away(environment, _away(environment, now=NOW))
    blindness.back(environment, now=NOW + timedelta(minutes=1))
    assert webhook.received == []


def test_a_process_that_begins_anew_tells_it_with_the_same_key(webhook: Webhook) -> None:
    environment = _environment(webhook)
    for _ in range(2):
        blindness = Blindness()
        for minute in (0, 3):
            now = NOW + timedelta(minutes=minute)
            blindness.away(environment, _away(environment, now=now))
    first, second = (headers["Idempotency-Key"] for headers in webhook.headers)
    assert first == second


def test_a_channel_that_does_not_take_it_is_asked_again(webhook: Webhook) -> None:
    environment, blindness = _environment(webhook), Blindness()
    webhook.answers = [503]
    blindness.away(environment, _away(environment, now=NOW))
    late = _away(environment, now=NOW + timedelta(minutes=3))
    assert "503" in blindness.away(environment, late)[0]
    assert blindness.away(environment, late) == ()
    assert len(webhook.received) == 1


@pytest.mark.parametrize("minutes", [0, 600])
def test_development_tells_nobody(webhook: Webhook, minutes: int) -> None:
    environment, blindness = _environment(webhook, protected=False), Blindness()
    blindness.away(environment, _away(environment, now=NOW))
    blindness.away(environment, _away(environment, now=NOW + timedelta(minutes=minutes)))
    assert webhook.received == []
