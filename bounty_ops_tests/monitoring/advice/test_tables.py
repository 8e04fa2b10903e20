"""What tables tell: dead rows by their own trigger, freezing, growth, and what is never deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import Finding, Severity, report
from bounty_ops.monitoring.autovacuum import AutovacuumSettings, trigger
from bounty_ops_tests.monitoring.advice.examples import MIB, NOW, collection, table, tables

if TYPE_CHECKING:
    from bounty_ops.monitoring.collectors.tables import TableFacts


def _found(
    one: TableFacts, *before: TableFacts, days: float = 7, days_counted: float | None = None
) -> list[Finding]:
    history = [collection(tables(each), days_ago=days) for each in before]
    return report(collection(tables(one, days_counted=days_counted)), history=history)


SERVER = AutovacuumSettings(
    enabled=True,
    threshold=50,
    scale_factor=0.2,
    max_threshold=100_000_000,
    insert_threshold=1000,
    insert_scale_factor=0.2,
    freeze_max_age=200_000_000,
    multixact_freeze_max_age=400_000_000,
)


@pytest.mark.parametrize(
    ("options", "rows", "dead"),
    [
        ((), 1000, 250),
        ((), -1, 50),
        (("autovacuum_vacuum_scale_factor=0.01",), 1000, 60),
        (("autovacuum_vacuum_threshold=500", "autovacuum_vacuum_scale_factor=0"), 10_000, 500),
        ((), 1e9, 100_000_000),
        (("autovacuum_vacuum_max_threshold=5000",), 1e9, 5000),
        (("autovacuum_vacuum_max_threshold=-1",), 1e9, 200_000_050),
    ],
)
def test_the_trigger_is_that_of_the_table(
    options: tuple[str, ...], rows: float, dead: float
) -> None:
    assert trigger(SERVER, options, rows).dead_rows == dead


def test_inserts_freezing_and_switching_off_follow_the_table_too() -> None:
    assert trigger(SERVER, (), 1000).inserted_rows == 1200
    assert trigger(SERVER, (), 1000, unfrozen=0.5).inserted_rows == 1100
    assert trigger(SERVER, ["autovacuum_vacuum_insert_threshold=-1"], 1000).inserted_rows is None
    for off in ("false", "off", "f", "no", "0"):
        assert not trigger(SERVER, [f"autovacuum_enabled={off}"], 0).enabled
    assert trigger(SERVER, ["autovacuum_enabled=on"], 0).enabled
    # A table can only ask to be frozen earlier.
    assert trigger(SERVER, ["autovacuum_freeze_max_age=1000000"], 0).freeze_max_age == 1_000_000
    late = trigger(SERVER, ["autovacuum_freeze_max_age=900000000"], 0)
    assert late.freeze_max_age == 200_000_000


@pytest.mark.parametrize(("ratio", "found"), [(1.9, False), (2.0, True)])
def test_dead_rows_are_judged_by_the_tables_own_trigger(ratio: float, found: bool) -> None:
    dead = table(dead_rows=10_000, dead_ratio_of_trigger=ratio, vacuum_trigger_rows=5_000)
    assert [finding.kind for finding in _found(dead)] == (["dead_rows"] if found else [])


@pytest.mark.parametrize(
    ("age", "severity"),
    [(219, None), (221, Severity.WARNING), (250, Severity.CRITICAL)],
)
def test_a_table_that_is_not_frozen_in_time_is_a_finding(
    age: int, severity: Severity | None
) -> None:
    old = table(xid_age=age * 1_000_000, freeze_max_age=200_000_000)
    assert [finding.severity for finding in _found(old)] == ([severity] if severity else [])


def test_autovacuum_that_a_table_switched_off_is_a_finding_and_can_be_switched_on() -> None:
    off = table(autovacuum=False, options=("autovacuum_enabled=false",))
    (finding,) = _found(off)
    assert finding.kind == "autovacuum_off"
    assert "RESET (autovacuum_enabled)" in finding.remedy
    assert not _found(table(autovacuum=False))  # of the server it is told once


def test_growth_is_told_only_against_an_earlier_collection() -> None:
    then, now = table(total_bytes=1000 * MIB), table(total_bytes=1300 * MIB)
    assert not _found(now)
    (finding,) = _found(now, then)
    assert finding.kind == "table_growth"
    assert "grows by 300 MiB a week" in finding.title
    assert not _found(now, then, days=0.5)
    assert not _found(table(total_bytes=1200 * MIB), then)


EXPIRES = {"expiry_column": "expires_at", "created_column": "created_at"}
LONG_AGO = NOW - timedelta(days=400)


def test_rows_that_expired_and_are_never_deleted_are_a_finding() -> None:
    log = table("events", **EXPIRES, earliest_expiry=LONG_AGO, expired_share=0.9)
    (finding,) = _found(log)
    assert (finding.kind, finding.severity) == ("never_purged", Severity.WARNING)
    assert "about 90% of 1,000 rows have passed their expires_at, the first 400 days" in (
        finding.evidence
    )
    assert 'DELETE FROM "public"."events" WHERE "expires_at" < now();' in finding.remedy


@pytest.mark.parametrize(
    "facts",
    [
        {"rows_deleted": 1},
        {"earliest_expiry": NOW - timedelta(days=6)},
        {"earliest_expiry": None, "expired_share": None},
        {"live_rows": 0, "rows": 0},
        {"referenced": True},
    ],
)
def test_rows_that_are_deleted_or_have_not_expired_are_none(facts: dict[str, object]) -> None:
    expired = {**EXPIRES, "earliest_expiry": LONG_AGO, "expired_share": 0.9}
    assert not _found(table(**{**expired, **facts}))


def test_a_declared_lifetime_counts_where_the_planner_remembers_nothing() -> None:
    (finding,) = _found(table(**EXPIRES, expiry_declared=True))
    assert "by default expires_at is some time from now" in finding.evidence


def test_a_table_that_only_grows_is_a_finding_after_a_month_that_is_known() -> None:
    log = table(created_column="created_at")
    assert not _found(log)
    assert not _found(log, days_counted=29)
    (finding,) = _found(log, days_counted=30)
    assert finding.kind == "never_purged"
    assert "no row was deleted within 30 days" in finding.evidence
    assert not _found(table(created_column="created_at", rows_updated=1), days_counted=30)


def test_deletes_before_the_window_do_not_count_and_emptied_counters_end_it() -> None:
    before = table(created_column="created_at", rows_deleted=5)
    now = table(created_column="created_at", rows_deleted=5, rows_inserted=2000)
    (finding,) = _found(now, before, days=40)
    assert "1,000 rows were inserted" in finding.evidence
    emptied = table(created_column="created_at", rows_inserted=10)
    assert not _found(emptied, before, days=40)
