"""How many rows a name, a factor or a number means."""

from __future__ import annotations

import math

import pytest

from bounty_ops.errors import UsageError
from bounty_ops.seeding import MINIMUM_ROWS, PROFILES, choose_rows


def test_profiles_grow_from_a_handful_to_a_load() -> None:
    assert list(PROFILES) == ["small", "demo", "load"]
    assert MINIMUM_ROWS < PROFILES["small"] < PROFILES["demo"] < PROFILES["load"]


@pytest.mark.parametrize(
    ("profile", "rows", "scale", "meant"),
    [
        (None, None, None, 20_000),
        ("small", None, None, 2_000),
        ("load", None, 2.5, 2_500_000),
        (None, None, 0.1, 2_000),
        (None, 777, None, 777),
    ],
)
def test_what_is_meant(
    profile: str | None, rows: int | None, scale: float | None, meant: int
) -> None:
    assert choose_rows(profile, rows=rows, scale=scale) == meant


@pytest.mark.parametrize(
    ("profile", "rows", "scale", "words"),
    [
        ("small", 500, None, "excludes"),
        (None, 500, 2.0, "excludes"),
        ("huge", None, None, "no profile huge"),
        (None, None, 0.0, "scaled by 0"),
        (None, None, -1.0, "scaled by -1"),
        (None, None, math.inf, "scaled by inf"),
        (None, None, math.nan, "scaled by nan"),
    ],
)
def test_what_makes_no_sense(
    profile: str | None, rows: int | None, scale: float | None, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        choose_rows(profile, rows=rows, scale=scale)
