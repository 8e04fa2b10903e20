"""When a message is tried again, and when it is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.alerting.backoff import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MOST_ATTEMPTS,
    MOST_REFUSALS,
    Again,
    GiveUp,
    after_failure,
    pause,
)
from bounty_ops.errors import DeliveryError

_attempts = st.integers(1, 10_000)
_fractions = st.floats(0, 1)


def _failure(*, permanent: bool = False, retry_after: float | None = None) -> DeliveryError:
    return DeliveryError("no", hint="wait", permanent=permanent, retry_after=retry_after)


@given(attempts=_attempts, fraction=_fractions)
def test_a_pause_is_never_short_and_never_longer_than_an_hour(
    attempts: int, fraction: float
) -> None:
    assert FIRST_PAUSE_SECONDS / 2 <= pause(attempts, fraction=fraction) <= LONGEST_PAUSE_SECONDS


@given(attempts=st.integers(1, 9_999), one=_fractions)
def test_with_the_same_luck_pauses_do_not_become_shorter(attempts: int, one: float) -> None:
    assert pause(attempts, fraction=one) <= pause(attempts + 1, fraction=one)


def test_what_failed_together_comes_back_apart() -> None:
    assert pause(5, fraction=1) == 2 * pause(5, fraction=0)


@given(fraction=_fractions)
def test_a_channel_that_is_down_for_a_night_is_not_given_up(fraction: float) -> None:
    tried = sum(pause(each, fraction=fraction) for each in range(1, MOST_ATTEMPTS))
    assert tried >= 8 * 3600
    last = after_failure(MOST_ATTEMPTS - 1, _failure(), fraction=fraction)
    assert isinstance(last, Again)
    assert after_failure(MOST_ATTEMPTS, _failure(), fraction=fraction) == GiveUp()


def test_a_refusal_is_believed_at_the_third_time() -> None:
    refusal = _failure(permanent=True)
    for attempt in range(1, MOST_REFUSALS):
        assert isinstance(after_failure(attempt, refusal, fraction=0), Again)
    assert after_failure(MOST_REFUSALS, refusal, fraction=0) == GiveUp()


def test_a_receiver_that_asks_for_time_gets_it_up_to_an_hour() -> None:
    assert after_failure(1, _failure(retry_after=600), fraction=0) == Again(600)
    assert after_failure(1, _failure(retry_after=10**9), fraction=0) == Again(LONGEST_PAUSE_SECONDS)
    assert after_failure(1, _failure(retry_after=0), fraction=1) == Again(FIRST_PAUSE_SECONDS)
