"""Chance that repeats: draws, shares, permutations, ids and moments."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.seeding.draws import Draws, Permutation, coprime_step, evenly, shares
from bounty_ops.seeding.identifiers import digests, tokens, typed_codes, uuids
from bounty_ops.seeding.period import DAY, Period, Stamps, reference_date

if TYPE_CHECKING:
    from collections.abc import Callable


@given(total=st.integers(0, 3000), parents=st.integers(1, 300), cap=st.integers(1, 3000))
def test_shares_deal_all_children_and_never_too_many_to_one(
    total: int, parents: int, cap: int
) -> None:
    if total > parents * cap:
        with pytest.raises(ValueError, match="do not fit"):
            list(shares(total, parents, cap=cap))
        return
    counts: list[int] = []
    try:
        counts.extend(shares(total, parents, cap=cap))
    except ValueError:
        # Nearly full: the last ones cannot take what the first ones had to leave.
        assert max(counts, default=0) <= cap
        return
    assert sum(counts) == total
    assert len(counts) == parents
    assert max(counts) <= cap


def test_a_few_parents_get_most_of_the_children() -> None:
    counts = list(shares(10_000, 5000, cap=10_000))
    assert sum(counts[:50]) > 4 * sum(counts[-500:])
    assert counts[0] > 200


@given(size=st.integers(1, 500), seed=st.integers())
def test_a_permutation_meets_everybody_once(size: int, seed: int) -> None:
    permutation = Permutation(seed, "test", size)
    assert {permutation(rank) for rank in range(size)} == set(range(size))
    assert permutation(size) == permutation(0)


@given(size=st.integers(1, 100_000))
def test_multiples_of_a_coprime_step_do_not_come_back_early(size: int) -> None:
    step = coprime_step(size)
    assert all(place * step % size for place in range(1, min(size, 50)))


@given(available=st.integers(1, 50), wanted=st.integers(0, 200))
def test_evenly_gives_exactly_what_is_wanted_in_order(available: int, wanted: int) -> None:
    given_out = list(evenly(range(available), available, wanted))
    assert len(given_out) == wanted
    assert given_out == sorted(given_out)
    assert max(Counter(given_out).values(), default=0) <= wanted // available + 1


def test_the_first_percent_of_ranks_takes_a_fifth_of_the_draws() -> None:
    draws = Draws(1, "test")
    first = sum(draws.head(1000) < 10 for _ in range(20_000))
    assert 0.19 < first / 20_000 < 0.24


def test_streams_repeat_and_differ_by_seed_and_name() -> None:
    def some(seed: int, name: str) -> list[int]:
        draws = Draws(seed, name)
        return [draws.between(5, 1000) for _ in range(20)]

    assert some(1, "a") == some(1, "a")
    assert some(1, "a") != some(1, "b")
    assert some(1, "a") != some(2, "a")
    assert min(some(1, "a")) >= 5


@pytest.mark.parametrize(
    ("make", "form"),
    [
        (uuids, r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        (tokens, r"[A-Za-z0-9_-]{32}"),
        (digests, r"[0-9a-f]{64}"),
        (typed_codes, r"[B-Z]{4}-[B-Z]{4}"),
    ],
)
def test_ids_have_their_form_and_never_collide(
    make: Callable[[int, str], Callable[[int], str]], form: str
) -> None:
    identify = make(20260101, "test")
    ids = [identify(number) for number in range(50_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(form, identifier) for identifier in ids[:1000])
    assert identify(7) == make(20260101, "test")(7)
    assert identify(7) != make(20260102, "test")(7)
    assert identify(7) != make(20260101, "other")(7)


@given(moment=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - Bounty's timestamps carry no zone
def test_moments_are_written_as_python_would(moment: datetime) -> None:
    micros = (moment - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - as above
    assert Stamps()(micros) == f"{moment:%Y-%m-%d %H:%M:%S.%f}"


@pytest.mark.parametrize(
    ("seed", "end"),
    [
        (20260101, date(2026, 1, 1)),
        (20240229, date(2024, 2, 29)),
        (20230229, date(2026, 1, 1)),
        (7, date(2026, 1, 1)),
        (-20260101, date(2026, 1, 1)),
        (99991231, date(2026, 1, 1)),
    ],
)
def test_a_seed_that_reads_as_a_day_is_where_the_data_ends(seed: int, end: date) -> None:
    assert reference_date(seed) == end
    period = Period.of(seed)
    assert Stamps()(period.end) == f"{end} 00:00:00.000000"
    assert period.end - period.start == 730 * DAY


@given(moment=st.integers(0, 730 * DAY), unit=st.floats(0, 1, exclude_max=True))
def test_nothing_happens_before_its_cause_or_after_the_end(moment: int, unit: float) -> None:
    period = Period(0, 730 * DAY)
    assert moment <= period.later(moment, unit) <= period.end
    assert moment <= period.soon(moment, unit, DAY) <= min(moment + DAY, period.end)
    assert 0 <= period.growing(unit) <= period.end
