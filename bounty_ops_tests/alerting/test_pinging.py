"""The dead-man's switch is fed by what it stands for, and its troubles are nobody else's."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import closing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting.pinging import Pinged, ping, ping_after, ping_after_look
from bounty_ops.environments import Environment, Policy
from bounty_ops.journal.records import Difference, Verdict
from bounty_ops_tests.alerting.switch import TOKEN, Switch
from bounty_ops_tests.journal.examples import NIGHT, a_manifest, a_proof

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = (0.0, 0.01, 0.01)


@pytest.fixture
def switch() -> Iterator[Switch]:
    with closing(Switch()) as made:
        yield made


def test_a_url_is_called_once_with_its_query(switch: Switch) -> None:
    assert ping(switch.url) == Pinged()
    assert switch.paths == [f"/{TOKEN}?a=b"]


def test_a_login_in_the_url_becomes_a_header(switch: Switch) -> None:
    assert ping(switch.url.replace("http://", "http://anna:w%40rd@")) == Pinged()
    assert switch.logins == ["Basic YW5uYTp3QHJk"]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_switch_that_is_restarting_is_called_again(switch: Switch, status: int) -> None:
    switch.answers = [status, status]
    assert ping(switch.url, pauses=QUICK) == Pinged()
    assert len(switch.paths) == 3


def test_attempts_are_bounded_and_told_by_status_only(switch: Switch) -> None:
    switch.answers = [500] * 9
    assert ping(switch.url, pauses=QUICK) == Pinged("it answered 500")
    assert len(switch.paths) == 3


def test_a_url_that_is_wrong_is_not_called_again(switch: Switch) -> None:
    switch.answers = [404]
    assert ping(switch.url, pauses=QUICK) == Pinged("it answered 404")
    assert len(switch.paths) == 1


def test_a_redirect_is_followed_but_never_to_a_file(switch: Switch) -> None:
    switch.answers = [302]
    assert ping(switch.url) == Pinged()
    assert switch.paths[1:] == ["/elsewhere"]
    switch.answers = [302]
    switch.location = "file:///etc/passwd"
    assert ping(switch.url, pauses=QUICK).problem is not None


def test_a_slow_switch_is_given_up(switch: Switch) -> None:
    switch.hold.clear()
    answer = ping(switch.url, pauses=(0.0, 0.0), attempt_seconds=0.2)
    assert answer.problem is not None
    assert answer.problem.startswith("no answer within")


def test_an_answer_that_drips_for_ever_is_given_up() -> None:
    """Each byte starts the socket's own timeout anew; only the total ends it."""
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):  # it may be given up while a byte is sent
            connection.recv(4096)
            while not over.wait(0.05):
                connection.send(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/{TOKEN}"
        try:
            answer = ping(url, attempt_seconds=5, total_seconds=0.6)
        finally:
            over.set()
            thread.join()
    assert answer == Pinged("no answer within 0.6 s")


def test_a_switch_that_is_not_there_is_told_without_its_url() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        answer = ping(f"http://127.0.0.1:{port}/{TOKEN}", pauses=QUICK)
    assert answer == Pinged("it cannot be reached: Connection refused")
    unknown = ping(f"http://{TOKEN}.invalid/", pauses=(0.0,))
    assert unknown.problem is not None
    assert TOKEN not in unknown.problem


@pytest.mark.parametrize(
    "url",
    [f"file:///{TOKEN}", f"ftp://x/{TOKEN}", TOKEN, f"https:///{TOKEN}", f"http://x:{TOKEN}/", ""],
)
def test_what_is_no_http_url_is_refused_without_being_repeated(url: str) -> None:
    assert ping(url) == Pinged("it is not an http:// or https:// URL")


def test_a_url_with_blanks_in_it_is_told_without_being_repeated(switch: Switch) -> None:
    answer = ping(switch.url + " x", pauses=(0.0,))
    assert answer.problem is not None
    assert TOKEN not in answer.problem


def environment(url: str | None, **policy: Any) -> Environment:  # noqa: ANN401 - of Policy
    return Environment("production", None, Policy(ping="PING_URL", **policy), ping_url=url)


def after(where: Environment, verdict: Verdict, hours: float = 1) -> Pinged | None:
    manifest = a_manifest()
    differs = Difference(kind="rows", object="public.user", expected="3", found="2")
    proof = a_proof(
        manifest,
        "0" * 64,
        verdict=verdict,
        differences=(differs,) if verdict is Verdict.REFUTED else (),
        reason="no room" if verdict is Verdict.INCONCLUSIVE else None,
    )
    return ping_after(where, manifest, proof, now=NIGHT + timedelta(hours=hours))


def test_only_a_proof_of_a_fresh_backup_feeds_the_switch(switch: Switch) -> None:
    where = environment(switch.url)
    assert after(where, Verdict.REFUTED) == Pinged("the verdict is refuted")
    assert after(where, Verdict.INCONCLUSIVE) == Pinged("the verdict is inconclusive")
    assert after(where, Verdict.PROVED, hours=27) == Pinged("the backup is older than 26 h")
    assert switch.paths == []
    assert after(where, Verdict.PROVED, hours=26) == Pinged()
    assert len(switch.paths) == 1


def test_an_environment_without_a_switch_calls_nobody() -> None:
    assert after(Environment("production", None, Policy()), Verdict.PROVED) is None


def test_a_variable_that_is_not_set_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        told = after(environment(None), Verdict.PROVED)
    assert told == Pinged("PING_URL, which the policy names, is not set")
    assert "the ping of production was not called" in caplog.text


def test_the_url_is_in_no_log_and_no_repr(switch: Switch, caplog: pytest.LogCaptureFixture) -> None:
    switch.answers = [400]
    with caplog.at_level(logging.DEBUG):
        told = after(environment(switch.url), Verdict.PROVED)
    assert TOKEN not in caplog.text + repr(told) + repr(environment(switch.url))


def _watched(url: str | None) -> Environment:
    return Environment("production", None, Policy(watch_ping="WATCH_URL"), watch_ping_url=url)


def test_the_watcher_calls_its_own_url(switch: Switch) -> None:
    assert ping_after_look(_watched(switch.url), unheard_since=None) == Pinged()
    assert len(switch.paths) == 1


def test_a_watcher_that_nobody_hears_leaves_its_switch_hungry(switch: Switch) -> None:
    pinged = ping_after_look(_watched(switch.url), unheard_since=NIGHT)
    assert pinged is not None
    assert "no channel takes messages since" in str(pinged.problem)
    assert switch.paths == []


def test_a_watcher_whose_variable_is_not_set_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert ping_after_look(_watched(None), unheard_since=None) == Pinged(
        "WATCH_URL, which the policy names, is not set"
    )
    assert "WATCH_URL" in caplog.text


def test_a_watcher_without_a_switch_calls_nothing() -> None:
    plain = Environment("production", None, Policy(), watch_ping_url="http://127.0.0.1:9/")
    assert ping_after_look(plain, unheard_since=None) is None
