"""A channel's URL is a secret: it is checked and used, and never shown."""

from __future__ import annotations

import logging
import threading
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.alerting.apprise_channel import scrub
from bounty_ops.alerting.channels import open_channels
from bounty_ops.errors import DeliveryError
from bounty_ops_tests.alerting.conftest import TOKEN, Webhook
from bounty_ops_tests.alerting.messages import message
from bounty_ops_tests.alerting.situations import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Everything that any library logs to the program's handlers.

    pytest's own capture also listens to loggers that keep their lines to themselves.
    """
    lines = StringIO()
    handler = logging.StreamHandler(lines)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    talking = [logging.getLogger(name) for name in ("urllib3", "urllib3.connectionpool")]
    quiet = [(each, each.level, each.disabled) for each in talking]
    for each in talking:  # whatever another test, or a library that it used, has made of them
        each.setLevel(logging.NOTSET)
        each.disabled = False
    yield lines
    for each, its_level, disabled in quiet:
        each.setLevel(its_level)
        each.disabled = disabled
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_message_arrives_with_its_title_body_and_kind(webhook: Webhook) -> None:
    ((channel,), problems) = open_channels([webhook.url])
    told = message(title="a title", body="first line\nsecond <line> & more", severity="warning")
    channel.send(told, now=NOW)
    (received,) = webhook.received
    assert received["title"] == "a title"
    text, _, mark = received["message"].partition("\n\n")
    assert text == "first line\nsecond <line> & more"
    assert mark == f"incident 7, message 12, key {told.key}"
    assert received["type"] == "warning"
    assert problems == []


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_refusal_is_an_error_that_says_why_without_the_url(
    webhook: Webhook, status: int, log: StringIO
) -> None:
    webhook.answers = [status]
    ((channel,), _) = open_channels([webhook.url])
    with pytest.raises(DeliveryError) as caught:
        channel.send(message(), now=NOW)
    assert str(status) in str(caught.value)
    assert TOKEN not in f"{caught.value} {caught.value.hint} {log.getvalue()} {channel!r}"


def test_what_other_threads_log_is_not_lost_while_a_message_is_sent(
    webhook: Webhook, log: StringIO
) -> None:
    ((channel,), _) = open_channels([webhook.url])
    webhook.hold = threading.Event()
    sending = threading.Thread(target=channel.send, args=(message(),), kwargs={"now": NOW})
    sending.start()
    assert webhook.asked.wait(30)
    logging.getLogger("urllib3.connectionpool").debug("of another thread")
    webhook.hold.set()
    sending.join()
    assert "of another thread" in log.getvalue()
    assert TOKEN not in log.getvalue()


def test_a_service_that_is_down_is_an_error_without_the_url(webhook: Webhook) -> None:
    webhook.close()
    ((channel,), _) = open_channels([webhook.url])
    with pytest.raises(DeliveryError, match="did not take the message") as caught:
        channel.send(message(), now=NOW)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tgram://not-a-token", "(tgram://) is not a valid Apprise URL: part of it is missing"),
        ("json://", "(json://) is not a valid Apprise URL"),
        (f"{TOKEN}://host", "names no service that Apprise has"),
        (TOKEN, "names no service that Apprise has"),
        ("", "names no service that Apprise has"),
    ],
)
def test_an_invalid_url_is_a_problem_that_does_not_repeat_it(
    url: str, says: str, log: StringIO
) -> None:
    channels, (problem,) = open_channels([url])
    assert channels == []
    assert str(problem).startswith("alert channel 1 of 1")
    assert says in str(problem)
    assert "json://host:port/path" in problem.hint
    for secret in (TOKEN, "not-a-token"):
        assert secret not in f"{problem} {log.getvalue()}"


def test_one_invalid_url_leaves_the_others_usable(webhook: Webhook) -> None:
    channels, problems = open_channels(["nonsense", webhook.url])
    assert len(channels) == 1
    assert "1 of 2" in str(problems[0])


def test_the_same_url_twice_is_one_channel(
    webhook: Webhook, make_webhook: Callable[[], Webhook]
) -> None:
    channels, _ = open_channels([webhook.url, webhook.url, make_webhook().url])
    assert len({channel.fingerprint for channel in channels}) == len(channels) == 2


_word = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-_%", min_size=4, max_size=12)


@given(user=_word, token=_word, path=st.lists(_word, min_size=1, max_size=3), text=st.text())
def test_no_part_of_a_url_survives_scrubbing(
    user: str, token: str, path: list[str], text: str
) -> None:
    url = f"slack://{user}:{token}@{'/'.join(path)}?key={token}"
    message = f"{text} {url} {token} {'/'.join(path)} {text}"
    scrubbed = scrub(message, url)
    for secret in (user, token, *path):
        assert secret not in scrubbed.replace("***", "") or secret in "slack"
