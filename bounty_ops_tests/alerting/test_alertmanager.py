"""Alertmanager takes what it is sent, keeps it firing, and hears the end."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.alerting import deliver_pending
from bounty_ops.alerting.alertmanager import HOLD, Alertmanager, open_alertmanager
from bounty_ops.alerting.channels import open_channels
from bounty_ops.errors import DeliveryError
from bounty_ops_tests.alerting.messages import OPENED, message, resolved
from bounty_ops_tests.alerting.outbox_rows import fires, is_over, let_time_pass
from bounty_ops_tests.alerting.receivers import AlertmanagerReceiver, read_alerts
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

TOKEN = "t0ken-that-nobody-may-see"


@pytest.fixture
def receiver() -> Iterator[AlertmanagerReceiver]:
    with closing(AlertmanagerReceiver()) as made:
        yield made


def _channel(receiver: AlertmanagerReceiver, rest: str = "") -> Alertmanager:
    return open_alertmanager(f"alertmanager://127.0.0.1:{receiver.port}{rest}", "f" * 16)


def test_an_alert_fires_with_its_labels_and_annotations(receiver: AlertmanagerReceiver) -> None:
    _channel(receiver).send(message(), now=NOW)
    assert receiver.refused == []
    (alert,) = receiver.firing(NOW)
    assert alert.labels == {
        "alertname": "backup_overdue",
        "environment": "production",
        "subject": "backups",
        "severity": "critical",
        "source": "bounty-ops",
    }
    assert alert.annotations["summary"] == "[production] there is no backup"
    assert "Do: make one." in alert.annotations["description"]
    assert (alert.starts_at, alert.ends_at) == (OPENED, NOW + HOLD)
    assert receiver.headers[0]["Idempotency-Key"] == message().key


def test_the_end_resolves_the_same_alert(receiver: AlertmanagerReceiver) -> None:
    channel = _channel(receiver)
    channel.send(message(), now=NOW)
    channel.send(resolved(), now=NOW)
    assert receiver.firing(NOW) == []
    assert receiver.refused == []


def test_a_warning_that_became_critical_fires_once(receiver: AlertmanagerReceiver) -> None:
    channel = _channel(receiver)
    channel.send(message(severity="warning"), now=NOW)
    channel.send(message(change="graver", number=13), now=NOW + timedelta(minutes=1))
    firing = receiver.firing(NOW + timedelta(minutes=2))
    assert [alert.labels["severity"] for alert in firing] == ["critical"]


def test_an_incident_that_is_younger_than_the_clock_says_is_taken_all_the_same(
    receiver: AlertmanagerReceiver,
) -> None:
    later = NOW + timedelta(minutes=1)
    _channel(receiver).send(resolved(opened_at=later), now=NOW)
    assert receiver.refused == []


def test_prefix_login_headers_labels_and_generator_come_from_the_url() -> None:
    with closing(AlertmanagerReceiver("/am")) as receiver:
        url = f"alertmanager://anna:w%40rd@127.0.0.1:{receiver.port}/am/"
        options = "+X-Scope-OrgID=bounty&label.team=data&generator=https://dagster.example/x"
        open_alertmanager(f"{url}?{options}", "f" * 16).send(message(), now=NOW)
        (alert,) = receiver.firing(NOW)
        assert alert.labels["team"] == "data"
        assert alert.generator == "https://dagster.example/x"
        assert receiver.headers[0]["Authorization"] == "Basic YW5uYTp3QHJk"
        assert receiver.headers[0]["X-Scope-Orgid"] == "bounty"


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (404, True), (429, False), (503, False)]
)
def test_a_refusal_says_its_status_and_whether_it_is_meant(
    receiver: AlertmanagerReceiver, status: int, permanent: bool
) -> None:
    receiver.status = status
    with pytest.raises(DeliveryError, match=f"it answered {status}") as caught:
        _channel(receiver, f"?key={TOKEN}").send(message(), now=NOW)
    assert caught.value.permanent is permanent
    assert TOKEN not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        f"alertmanager:///{TOKEN}",
        f"alertmanagers://host:{TOKEN}/",
        f"alertmanager://host/?label.{TOKEN}=x",
        f"alertmanager://host/?+a%0a{TOKEN}=x",
        f"alertmanager://host/?+a=x%0a{TOKEN}",
        f"webhook://{TOKEN}:port",
        "webhooks://",
    ],
)
def test_a_url_that_is_not_understood_is_a_problem_that_does_not_repeat_it(url: str) -> None:
    channels, (problem,) = open_channels([url])
    assert channels == []
    assert "is not a valid channel URL" in str(problem)
    assert TOKEN not in f"{problem} {problem.hint}"


def test_nothing_of_the_url_is_shown_by_its_channel() -> None:
    url = f"alertmanagers://anna:{TOKEN}@{TOKEN}.example/{TOKEN}?+X={TOKEN}&generator=https://{TOKEN}/"
    ((channel,), _) = open_channels([url])
    assert TOKEN not in f"{channel!r} {channel.name} {channel.fingerprint}"


_words = st.text(max_size=40)


@given(
    words=st.tuples(_words.filter(bool), _words, _words, _words), minutes=st.integers(-9999, 9999)
)
def test_whatever_an_incident_says_its_alerts_have_the_shape_of_the_api(
    words: tuple[str, str, str, str], minutes: int
) -> None:
    rule, subject, title, body = words
    opened = NOW + timedelta(minutes=minutes)
    told = {"rule": rule, "subject": subject, "title": title, "body": body, "opened_at": opened}
    channel = open_alertmanager("alertmanager://host", "f" * 16)
    both = [message(**told), resolved(**told)]
    firing, over = read_alerts([channel.alert(each, NOW) for each in both])
    assert firing.firing(NOW)
    assert over.firing(NOW) is (minutes > 0)


def test_what_fires_is_said_again_at_each_look_until_it_is_over(
    operations: Engine, receiver: AlertmanagerReceiver
) -> None:
    urls = [f"alertmanager://127.0.0.1:{receiver.port}"]
    incident = fires(operations, severity="warning")
    for minute in range(0, 120, 15):  # four times as long as an alert lives by itself
        now = NOW + timedelta(minutes=minute)
        deliver_pending(operations, "production", urls, now=now)
        (alert,) = receiver.firing(now + timedelta(minutes=14))
        assert alert.starts_at == NOW
    end = NOW + timedelta(hours=2)
    is_over(operations, incident, now=end)
    deliver_pending(operations, "production", urls, now=end)
    assert receiver.firing(end) == []
    deliver_pending(operations, "production", urls, now=end + timedelta(hours=1))
    requests = len(receiver.history)
    deliver_pending(operations, "production", urls, now=end + timedelta(hours=2))
    assert len(receiver.history) == requests  # what is long over is not repeated for ever
    assert receiver.refused == []


def test_an_end_that_a_renewal_overtook_is_said_again(
    operations: Engine, receiver: AlertmanagerReceiver
) -> None:
    urls = [f"alertmanager://127.0.0.1:{receiver.port}"]
    incident = fires(operations)
    deliver_pending(operations, "production", urls, now=NOW)
    is_over(operations, incident, now=NOW + timedelta(minutes=1))
    deliver_pending(operations, "production", urls, now=NOW + timedelta(minutes=1))
    # Another watcher read before that end, and its request comes after it.
    _channel(receiver).renew([message(opened_at=NOW)], now=NOW + timedelta(minutes=1))
    assert receiver.firing(NOW + timedelta(minutes=2))
    deliver_pending(operations, "production", urls, now=NOW + timedelta(minutes=2))
    assert receiver.firing(NOW + timedelta(minutes=2)) == []


def test_an_end_that_could_not_be_sent_does_not_keep_the_alert_alive(
    operations: Engine, receiver: AlertmanagerReceiver
) -> None:
    urls = [f"alertmanager://127.0.0.1:{receiver.port}"]
    incident = fires(operations)
    deliver_pending(operations, "production", urls, now=NOW)
    is_over(operations, incident, now=NOW + timedelta(minutes=1))
    receiver.status = 503
    deliver_pending(operations, "production", urls, now=NOW + timedelta(minutes=1))
    receiver.status = 200
    # Its end waits for its time; meanwhile nothing says that it still fires.
    deliver_pending(operations, "production", urls, now=NOW + timedelta(minutes=1))
    assert len(receiver.history) == 1
    let_time_pass(operations)
    deliver_pending(operations, "production", urls, now=NOW + timedelta(minutes=2))
    assert receiver.firing(NOW + timedelta(minutes=2)) == []
