"""`monitor history`: how much room samples take, and how far they go back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from bounty_ops.cli.monitor.history import draw_history
from bounty_ops.monitoring import Retention
from bounty_ops.monitoring.history import HistorySize
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def test_history_says_what_it_holds(command_line: CommandLine) -> None:
    assert command_line.run("monitor", "collect").code == 0
    outcome = command_line.run("monitor", "history", "--json")
    assert outcome.code == 0, outcome.stderr
    document = outcome.document
    assert set(document) == documented_fields("monitor history")
    assert document["total_bytes"] > document["samples_bytes"] > 0
    assert document["by_environment"] == {"development": document["total_bytes"]}
    assert document["samples_since"].endswith("Z")
    assert document["hourly_since"] is None
    assert document["in_default"] == {}
    assert document["keep_days"] == {"samples": 7, "five_minutes": 90, "hourly": 730}
    assert "development" in command_line.run("monitor", "history").stdout


def test_rows_without_a_partition_are_told() -> None:
    size = HistorySize(
        total_bytes=4096, samples_bytes=4096, five_minutes_bytes=0, hourly_bytes=0,
        dictionaries_bytes=0, by_environment={}, samples_since=datetime(2026, 1, 1, tzinfo=UTC),
        five_minutes_since=date(2026, 1, 2), hourly_since=None, partitions=3,
        in_default={"sample_default": (date(2031, 1, 1),)},
    )  # fmt: skip
    console = Console(file=StringIO(), width=100)
    draw_history(console, size, Retention(7, 90, 730))
    file = console.file
    assert isinstance(file, StringIO)
    said = " ".join(file.getvalue().split())
    assert "sample_default holds rows of 2031-01-01" in said
    assert "2026-01-02" in said
