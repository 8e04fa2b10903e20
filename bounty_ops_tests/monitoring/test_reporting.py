"""A report puts the worst first, with evidence and remedy, and never calls the unseen healthy."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bounty_ops.environments import Policy
from bounty_ops.monitoring import (
    CollectionResult,
    Connections,
    FamilyResult,
    Finding,
    Queries,
    Severity,
    Tables,
    Unknown,
    report,
)
from bounty_ops.monitoring.collectors.connections import connection_limit
from bounty_ops.monitoring.collectors.running import RunningQuery
from bounty_ops.monitoring.collectors.statement_facts import SlowStatement, StatementStatistics
from bounty_ops.monitoring.collectors.tables import TableFacts
from bounty_ops.monitoring.findings import duration, size

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _report(*families: FamilyResult, unknown: tuple[Unknown, ...] = ()) -> list[Finding]:
    found = {family.family: family for family in families}
    policy = Policy(connection_warning_ratio=0.8)
    return report(CollectionResult("development", NOW, 0.1, found, unknown), policy)


def _connections(used: int) -> Connections:
    limit = connection_limit("server", None, 100, used)
    return Connections(
        total=used,
        hidden=0,
        usable=limit,
        limits=(limit,),
        by_state={"idle": used},
        by_user={"app": used},
        by_application={"web": used},
        by_database={"bounty": used},
    )


def _running(**facts: object) -> RunningQuery:
    return RunningQuery.model_validate(
        {
            "pid": 11,
            "user": "app",
            "application": "web",
            "state": "active",
            "seconds": 10.0,
            "transaction_seconds": 10.0,
            "wait_event": None,
            "blocked_by": (),
            "text": "SELECT ?",
            "truncated": False,
            **facts,
        }
    )


def _queries(*running: RunningQuery, statements: tuple[SlowStatement, ...] = ()) -> Queries:
    return Queries(
        slow_query_seconds=5,
        statistics=StatementStatistics(available=True),
        running=running,
        statements=statements,
    )


def _tables(*, dead: int, live: int, exact: bool = True) -> Tables:
    facts: dict[str, object] = {
        name: None for name, field in TableFacts.model_fields.items() if field.is_required()
    }
    facts |= {"name": "bounty", "kind": "table", "exact": exact}
    facts |= {"total_bytes": 1, "table_bytes": 1, "index_bytes": 0, "toast_bytes": 0}
    facts |= {"dead_rows": dead, "live_rows": live, "rows": live, "schema_name": "public"}
    table = TableFacts.model_validate(facts)
    return Tables(count=1, total_bytes=1, estimated=int(not exact), tables=(table,))


@pytest.mark.parametrize(
    ("used", "severity"),
    [(79, None), (80, Severity.WARNING), (89, Severity.WARNING), (90, Severity.CRITICAL)],
)
def test_connections_are_judged_by_the_policy(used: int, severity: Severity | None) -> None:
    findings = _report(_connections(used))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert all(f"{used} of 100 usable connections" in finding.title for finding in findings)


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [(10, Severity.INFO), (300, Severity.WARNING), (900, Severity.CRITICAL)],
)
def test_a_query_and_an_idle_transaction_grow_graver_with_age(
    seconds: float, severity: Severity
) -> None:
    (query,) = _report(_queries(_running(seconds=seconds)))
    (idle,) = _report(_queries(_running(seconds=seconds, state="idle in transaction")))
    assert (query.kind, query.severity) == ("long_running_query", severity)
    assert (idle.kind, idle.severity) == ("idle_in_transaction", severity)
    assert "pg_cancel_backend(11)" in query.remedy
    assert "pg_terminate_backend(11)" in idle.remedy


def test_a_blocker_that_is_merely_shown_with_its_victim_is_no_finding_of_its_own() -> None:
    blocked = _running(pid=12, blocked_by=(11,))
    findings = _report(_queries(blocked, _running(seconds=0.5)))
    assert [finding.kind for finding in findings] == ["blocked_query"]
    assert "pg_cancel_backend(11)" in findings[0].remedy


def test_a_prepared_transaction_and_an_unseen_session_are_named_as_blockers() -> None:
    (finding,) = _report(_queries(_running(pid=12, blocked_by=(0, 99))))
    assert "a prepared transaction" in finding.title
    assert "pid 99 (not visible to this role)" in finding.evidence
    assert "pg_prepared_xacts" in finding.remedy
    assert "pg_cancel_backend(99)" in finding.remedy


def test_a_statement_that_is_slow_on_average_is_a_finding() -> None:
    slow = SlowStatement(
        query_id="1",
        user="app",
        toplevel=True,
        calls=3,
        rows=3,
        total_seconds=30,
        mean_seconds=10,
        max_seconds=12,
        shared_blocks_hit=0,
        shared_blocks_read=0,
        temp_blocks_written=0,
        since=None,
        text="SELECT ?",
    )
    fast = slow.model_copy(update={"mean_seconds": 4.9})
    (finding,) = _report(_queries(statements=(slow, fast)))
    assert finding.kind == "slow_statement"
    assert "10 s on average over 3 calls" in finding.title


@pytest.mark.parametrize(
    ("dead", "live", "found"),
    [(9_999, 0, False), (10_000, 0, True), (10_000, 90_000, True), (10_000, 90_001, False)],
)
def test_dead_rows_are_a_finding_when_they_are_many_and_a_tenth(
    dead: int, live: int, found: bool
) -> None:
    findings = _report(_tables(dead=dead, live=live))
    assert [finding.kind for finding in findings] == (["dead_rows"] if found else [])
    assert all('VACUUM (ANALYZE) "public"."bounty";' in finding.remedy for finding in findings)


def test_sizes_that_are_estimates_are_told() -> None:
    (finding,) = _report(_tables(dead=0, live=0, exact=False))
    assert finding.kind == "estimated_sizes"
    assert "public.bounty" in finding.evidence


def test_what_could_not_be_seen_is_in_the_report_with_its_remedy() -> None:
    unknown = Unknown("queries", "slow statements", "it is not installed", "install it")
    (finding,) = _report(unknown=(unknown,))
    assert finding.severity is Severity.UNKNOWN
    assert finding.evidence == "it is not installed"
    assert finding.remedy == "install it"


def test_the_worst_comes_first() -> None:
    findings = _report(
        _connections(99),
        _queries(_running(seconds=10), _running(pid=12, seconds=400)),
        unknown=(Unknown("tables", "everything", "timeout", "again"),),
    )
    assert [finding.severity for finding in findings] == [
        Severity.CRITICAL,
        Severity.WARNING,
        Severity.UNKNOWN,
        Severity.INFO,
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (119, "119 s"), (120, "2 min"), (9_000, "2.5 h"), (864_000, "10 days")],
)
def test_durations_are_written_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (8192, "8.0 KiB"),
        (20 * 1024**2, "20 MiB"),
        (3 * 1024**4, "3.0 TiB"),
    ],
)
def test_sizes_are_written_for_people(count: int, text: str) -> None:
    assert size(count) == text
