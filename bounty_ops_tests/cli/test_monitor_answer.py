"""How measurements and findings look to a person."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bounty_ops.cli.monitor.answer import draw_collection
from bounty_ops.cli.monitor.findings import draw_findings
from bounty_ops.monitoring import (
    Activity,
    CollectionResult,
    Finding,
    Queries,
    Sequences,
    Severity,
    Unknown,
)
from bounty_ops.monitoring.collectors.running import RunningQuery
from bounty_ops.monitoring.collectors.sampled import SampledStatement
from bounty_ops.monitoring.collectors.statement_facts import StatementStatistics


def console() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, width=200, markup=False, highlight=False), stream


def finding(number: int, severity: Severity = Severity.INFO) -> Finding:
    return Finding("redundant_index", severity, f"i{number}", f"index {number}", "why", "do")


def test_of_many_findings_of_a_kind_the_first_are_shown_and_the_rest_is_counted() -> None:
    drawn, stream = console()
    worst = finding(0, Severity.CRITICAL)
    draw_findings(drawn, "development", [worst, *(finding(number) for number in range(1, 8))])
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["development: 1 critical; 7 for information", "critical: index 0"]
    assert [line for line in lines if line.startswith("info")] == [
        "info: index 1",
        "info: index 2",
        "info: index 3",
    ]
    assert lines[-1] == "    ... and 4 more like that: --json shows all"


def test_no_finding_is_said_as_well() -> None:
    drawn, stream = console()
    draw_findings(drawn, "development", [])
    assert stream.getvalue() == "development: nothing deserves attention\n"


@pytest.mark.parametrize(
    ("severities", "said"),
    [
        ("unknown unknown", "nothing found that needs you; 2 things could not be seen"),
        ("info", "nothing found that needs you; 1 for information"),
        (
            "critical warning warning unknown info",
            "1 critical, 2 warnings; 1 thing could not be seen; 1 for information",
        ),
    ],
)
def test_what_findings_come_to_is_said_first(severities: str, said: str) -> None:
    drawn, stream = console()
    found = [finding(number, Severity(name)) for number, name in enumerate(severities.split())]
    draw_findings(drawn, "development", found)
    assert stream.getvalue().startswith(f"development: {said}\n")


def test_a_long_statement_is_cut_and_what_was_not_measured_is_named() -> None:
    running = RunningQuery(
        pid=4711,
        user="bounty",
        application="web",
        state="active",
        seconds=12.5,
        transaction_seconds=13.0,
        wait_event=None,
        blocked_by=(12, 13),
        text="SELECT\n  " + "x, " * 100,
        truncated=False,
    )
    queries = Queries(
        slow_query_seconds=5,
        statistics=StatementStatistics(available=False),
        running=(running,),
        statements=(),
    )
    result = CollectionResult(
        "development",
        datetime(2026, 11, 22, 2, tzinfo=UTC),
        0.1,
        {"queries": queries},
        (Unknown("tables", "sizes", "no right to", "GRANT it"),),
    )
    drawn, stream = console()
    draw_collection(drawn, result)
    said = stream.getvalue()
    assert "1 running for longer than 5.0 s" in said
    [row] = [line for line in said.splitlines() if "4711" in line]
    assert "12, 13" in row
    assert row.rstrip().endswith("…")
    assert "tables, sizes: no right to" in said
    assert "CONNECTIONS" not in said


def test_sampled_statements_are_shown_with_their_bounds() -> None:
    sampled = SampledStatement(
        fingerprint="abc",
        user="bounty",
        seconds=0.6,
        low_seconds=0.4,
        high_seconds=0.8,
        share=0.75,
        runs=3,
        longest_seconds=0.2,
        text="select ?",
    )
    queries = Queries(
        slow_query_seconds=5,
        source="sampling",
        statistics=StatementStatistics(available=False),
        running=(),
        statements=(),
        sampled=(sampled,),
    )
    taken_at = datetime(2026, 11, 22, 2, tzinfo=UTC)
    drawn, stream = console()
    draw_collection(drawn, CollectionResult("development", taken_at, 0.1, {"queries": queries}))
    said = stream.getvalue()
    assert "0.40 and 0.80" in said
    assert "75%" in said
    assert "select ?" in said


def test_what_could_not_be_seen_is_unknown_in_the_headlines_too() -> None:
    activity = Activity(
        hidden=3,
        longest_query_seconds=None,
        longest_transaction_seconds=None,
        longest_idle_in_transaction_seconds=None,
        blocked=2,
        longest_wait_seconds=7,
        prepared=0,
        oldest_prepared_seconds=0,
        oldest_xmin_age=None,
        sessions=(),
        blocking=(),
        horizons=(),
    )
    sequences = Sequences(count=9, unreadable=4, worst_ratio=None, sequences=())
    drawn, stream = console()
    families = {"activity": activity, "sequences": sequences}
    draw_collection(drawn, CollectionResult("development", datetime.now(UTC), 0.1, families))
    told = stream.getvalue()
    assert "2 blocked; longest transaction unknown, idle in transaction unknown" in told
    assert "9, of which 4 could not be read" in told
