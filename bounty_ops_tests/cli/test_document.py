"""Values become JSON that any reader understands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.cli.document import as_json, as_text


class _Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 11, 22, 2, 0, tzinfo=UTC), "2026-11-22T02:00:00Z"),
        (
            datetime(2026, 11, 22, 3, 30, tzinfo=timezone(timedelta(hours=1))),
            "2026-11-22T02:30:00Z",
        ),
        (timedelta(minutes=2), 120.0),
        (Decimal(5), 5),
        (Decimal("0.5"), 0.5),
        (float("nan"), None),
        (float("inf"), None),
        (_Colour.RED, "red"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"b", "a"}, ["a", "b"]),
        ({1: True}, {"1": True}),
    ],
)
def test_a_value_has_one_form_in_json(value: object, expected: object) -> None:
    assert as_json(value) == expected


def test_a_time_without_a_zone_is_refused_because_it_would_be_a_guess() -> None:
    with pytest.raises(TypeError, match="without a zone"):
        as_json(datetime(2026, 11, 22))  # noqa: DTZ001 - that is the point


def test_a_type_that_nobody_decided_about_is_refused() -> None:
    with pytest.raises(TypeError, match="PosixPath"):
        as_json(Path("x"))


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(_TREES)
def test_any_document_can_be_read_by_a_strict_reader(document: object) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    text = as_text(document)
    assert json.loads(text, parse_constant=refuse) == as_json(document)
    assert text.isascii()
