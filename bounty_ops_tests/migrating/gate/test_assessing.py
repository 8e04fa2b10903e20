"""What is known of a revision before it runs, and where it is known from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import MigrationError
from bounty_ops.journal.evidence import LockTaken, RehearsedStatement
from bounty_ops.migrating.gate.assessing import Assessment, assess, predicted_seconds
from bounty_ops.migrating.lint.finding import Finding
from bounty_ops.migrating.live import LiveDatabase, LiveTable
from bounty_ops.migrating.plan import PendingRevision
from bounty_ops_tests.migrating.gate.situations import (
    GOOD,
    NO_BUCKET,
    PLAN,
    certificate,
    with_records,
)

if TYPE_CHECKING:
    from bounty_ops.migrating.gate.values import GateFacts

SMALL = LiveTable("public", "small", 8192, 10, ("small_pkey",))
LARGE = LiveTable("public", "Large", 1 << 30, 1_000_000, ("large_title_idx",))
ELSEWHERE = LiveTable("garden", "tree", 16384, None, ())
LIVE = LiveDatabase(17, "17.10", (SMALL, LARGE, ELSEWHERE))


def of(sql: str, facts: GateFacts = GOOD) -> Assessment:
    """The assessment of one revision with this SQL."""
    plan = replace(PLAN, pending=(PendingRevision("bounty_0003", "Third", sql, "a" * 64),))
    (only,) = assess(replace(facts, plan=plan, live=LIVE))
    return only


def finding(lock: str | None) -> Finding:
    return Finding("some-rule", "warning", 1, "Something.", lock, "Otherwise.")


def statement(revision: str, predicted: float | None, *locks: LockTaken) -> RehearsedStatement:
    return RehearsedStatement(
        revision=revision,
        number=1,
        sql="SELECT 1",
        seconds=1,
        locks=locks,
        predicted_seconds=predicted,
        longest_read_seconds=0.25,
        longest_write_seconds=0.5,
    )


@pytest.mark.parametrize(
    ("sql", "touched"),
    [
        ('ALTER TABLE small ADD x int; UPDATE "Large" SET a = 1;', ["Large", "small"]),
        ("ALTER TABLE public.small ADD x int", ["small"]),
        ("DROP INDEX large_title_idx", ["Large"]),
        ("DROP TABLE small, garden.tree", ["garden.tree", "small"]),
        ("ALTER INDEX small_pkey RENAME TO x", ["small"]),
        ("REINDEX TABLE garden.tree", ["garden.tree"]),
        ("CREATE TABLE new (id int REFERENCES small)", ["small"]),
        ("SELECT 1", []),
        ("CREATE TABLE tree (id int); CREATE TABLE large (id int)", []),
        ("this is no SQL at all", []),
    ],
)
def test_the_tables_that_sql_names_are_shown_as_large_as_they_are(
    sql: str, touched: list[str]
) -> None:
    assert [table.label for table in of(sql).tables] == touched


def test_without_a_rehearsal_the_linter_knows_the_lock_and_nobody_the_duration() -> None:
    facts = replace(
        with_records(GOOD, rehearsals=()),
        findings={
            "bounty_0003": (finding("SHARE"), finding("ACCESS EXCLUSIVE"), finding(None)),
        },
    )
    prediction = of("SELECT 1", facts).prediction
    assert (prediction.lock, prediction.source) == ("ACCESS EXCLUSIVE", "lint")
    assert prediction.seconds is None
    assert predicted_seconds(assess(facts)) is None


def test_without_both_nothing_is_claimed() -> None:
    facts = replace(GOOD, records=NO_BUCKET, findings=MigrationError("no", hint="yes"))
    assessment = of("SELECT 1", facts)
    assert assessment.prediction.source == "unknown"
    assert assessment.prediction.lock is None
    assert assessment.findings == ()


def test_a_rehearsal_tells_lock_duration_and_stalls_and_what_was_locked_unnamed() -> None:
    taken = (
        LockTaken(relation="garden.tree", mode="ShareUpdateExclusiveLock"),
        LockTaken(relation='public."Large"', mode="AccessExclusiveLock"),
    )
    passed = certificate(
        statements=(
            statement("bounty_0003", 2.0, *taken),
            statement("bounty_0003", 0.5, LockTaken(relation="public.small", mode="ShareLock")),
            statement("bounty_0004", 3.0),
        )
    )
    first, second = assess(replace(with_records(GOOD, rehearsals=(passed,)), live=LIVE))
    assert first.prediction.source == "rehearsal"
    assert first.prediction.lock == "ACCESS EXCLUSIVE"
    assert first.prediction.seconds == 2.5
    assert first.prediction.longest_read_seconds == 0.25
    assert first.prediction.longest_write_seconds == 0.5
    assert [table.label for table in first.tables] == ["Large", "garden.tree", "small"]
    assert (second.prediction.lock, second.prediction.seconds) == (None, 3.0)
    assert predicted_seconds((first, second)) == 5.5


def test_one_statement_that_nobody_can_predict_makes_the_whole_unknown() -> None:
    passed = certificate(statements=(statement("bounty_0003", 2.0), statement("bounty_0003", None)))
    first, _ = assess(with_records(GOOD, rehearsals=(passed,)))
    assert first.prediction.seconds is None
    assert first.prediction.source == "rehearsal"


@pytest.mark.parametrize("changes", [{"outcome": "failed", "reason": "x"}, {"files": ()}])
def test_a_rehearsal_that_failed_or_was_of_something_else_predicts_nothing(
    changes: dict[str, object],
) -> None:
    passed = certificate(statements=(statement("bounty_0003", 2.0),), **changes)
    first, _ = assess(with_records(GOOD, rehearsals=(passed,)))
    assert first.prediction.source == "unknown"
