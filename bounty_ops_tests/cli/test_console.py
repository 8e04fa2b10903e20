"""Numbers for people, and tables that take no orders from what a database says."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bounty_ops.cli.console import clock, shown, size, span, table


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12_900_000, "12.3 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_sizes(count: int | None, expected: str) -> None:
    assert size(count) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, "-"), (0.04, "0.0 s"), (59.9, "59.9 s"), (125.4, "2 min 5 s")]
)
def test_spans(seconds: float | None, expected: str) -> None:
    assert span(seconds) == expected


def test_times_say_that_they_are_utc() -> None:
    assert clock(datetime(2026, 11, 22, 2, 0, tzinfo=UTC)) == "2026-11-22 02:00:00 UTC"
    assert clock(None) == "-"


def test_a_cell_is_text_and_never_markup_or_a_control_sequence() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=80)
    console.print(table(("NAME",), [("[red]x[/red] \x1b[31m\ny",)]))
    assert "[red]x[/red] ?[31m y" in stream.getvalue()


def test_nothing_is_shown_as_a_dash() -> None:
    assert shown(None) == shown("") == "-"
    assert shown(0) == "0"
