"""Arithmetic: waits that fall into spans, and seconds that are scaled by bytes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.journal.evidence import RehearsedStatement, StatementRecord
from bounty_ops.journal.records import MigrationEvidence, Rehearsal
from bounty_ops.migrating.rehearse import compare_prediction
from bounty_ops.migrating.rehearse.predicting import FLOOR_SECONDS, Size, predict, total
from bounty_ops.migrating.rehearse.waits import Span, Wait, longest

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
SECONDS = st.floats(0, 1e5)
BYTES = st.integers(1, 1 << 50)


def test_a_wait_is_charged_to_the_statements_that_it_fell_into() -> None:
    waits = [
        Wait("public.a", "read", Span(1, 5)),
        Wait("public.b", "read", Span(4, 5)),
        Wait("public.a", "write", Span(2, 9)),
    ]

    assert longest(waits, "read") == 4
    assert longest(waits, "read", Span(0, 3)) == 2
    assert longest(waits, "read", Span(6, 7)) == 0
    assert longest(waits, "write", Span(0, 3)) == 1
    assert longest([], "write") == 0


@pytest.mark.parametrize(
    ("seconds", "size", "constant", "predicted"),
    [
        (2.0, None, False, 2.0),
        (2.0, Size(100, None), False, None),
        (2.0, Size(100, 400), True, 2.0),
        (2.0, Size(100, None), True, 2.0),
        (2.0, Size(100, 400), False, 0.01 + 1.99 * 4),
        (0.005, Size(100, 400), False, 0.005),
        (0.005, Size(0, 0), False, 0.005),
        (0.005, Size(0, 400), False, None),
    ],
)
def test_seconds_are_scaled_by_the_size_of_the_table(
    seconds: float, size: Size | None, constant: bool, predicted: float | None
) -> None:
    found = predict(seconds, size, constant=constant)

    assert found == (None if predicted is None else pytest.approx(predicted))


@given(SECONDS, BYTES, BYTES)
def test_a_larger_table_never_takes_less(seconds: float, copy: int, live: int) -> None:
    found = predict(seconds, Size(copy, live))
    assert found is not None

    assert predict(seconds, Size(copy, copy)) == pytest.approx(seconds)
    assert (found >= seconds * 0.999) if live >= copy else (found <= seconds * 1.001)
    if seconds <= FLOOR_SECONDS:
        assert found == seconds


def test_a_sum_is_not_guessed() -> None:
    assert total([1.0, 2.5]) == 3.5
    assert total([]) == 0
    assert total([1.0, None]) is None


def test_predicted_is_laid_beside_actual() -> None:
    predicted = [
        RehearsedStatement(
            revision="bounty_0002", number=number, sql="X", seconds=1, predicted_seconds=seconds
        )
        for number, seconds in ((1, 2.0), (2, None), (3, 0.0), (9, 1.0))
    ]
    actual = [
        StatementRecord(revision="bounty_0002", number=number, sql="X", seconds=5, waited_seconds=2)
        for number in (1, 2, 3, 4)
    ]
    rehearsal = Rehearsal(
        id="20261123T050000Z-00000000",
        environment="production",
        outcome="passed",
        started_at=NOW,
        finished_at=NOW,
        operator="ada",
        backup_id="20261123T020000Z-00000000",
        server_version="17.10",
        from_revision="bounty_0001",
        to_revision="bounty_0002",
        files=(),
        sql_sha256="0" * 64,
        statements=tuple(predicted),
    )
    evidence = MigrationEvidence(
        id="20261123T060000Z-00000000",
        environment="production",
        from_revision="bounty_0001",
        to_revision="bounty_0002",
        digest="0" * 64,
        operator="ada",
        started_at=NOW,
        finished_at=NOW,
        outcome="applied",
        statements=tuple(actual),
    )

    rows = compare_prediction(rehearsal, evidence)

    assert [(row.number, row.predicted_seconds, row.actual_seconds) for row in rows] == [
        (1, 2.0, 3.0),
        (2, None, 3.0),
        (3, 0.0, 3.0),
        (4, None, 3.0),
    ]
    assert [row.error for row in rows] == [0.5, None, None, None]
