"""A migration that overrode its gates is told, once and as long as somebody should look at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bounty_ops.alerting import Rule, Severity, evaluate
from bounty_ops.errors import ObjectStoreUnavailable
from bounty_ops.journal.evidence import MigrationEvidence, Override
from bounty_ops_tests.alerting.situations import NOW, situation

OVERRIDE = Override(reason="the site is down", gates=("backup", "rehearsal"))


def migration(number: int, finished_at: datetime, override: Override | None) -> MigrationEvidence:
    return MigrationEvidence(
        id=f"record-{number}",
        environment="production",
        from_revision="bounty_0001",
        to_revision="bounty_0002",
        digest="d" * 64,
        operator="ada",
        started_at=finished_at,
        finished_at=finished_at,
        outcome="applied",
        override=override,
    )


def test_each_override_of_the_last_day_is_an_incident_of_its_own() -> None:
    hour = timedelta(hours=1)
    migrations = (
        migration(1, NOW - hour, OVERRIDE),
        migration(2, NOW - 24 * hour, OVERRIDE),
        migration(3, NOW - 24.1 * hour, OVERRIDE),
        migration(4, NOW - hour, None),
    )
    found = evaluate(replace(situation(), migrations=migrations)).findings
    assert [one.subject for one in found] == ["migration record-1", "migration record-2"]
    assert {one.rule for one in found} == {Rule.MIGRATION_OVERRIDE}
    assert {one.severity for one in found} == {Severity.CRITICAL}
    assert "ada overrode the gates of a migration: backup, rehearsal" in found[0].title
    assert "the site is down" in found[0].body
    assert "bounty-ops db history record-1 -e production" in found[0].body


def test_without_the_bucket_it_is_not_known() -> None:
    gone = ObjectStoreUnavailable("nobody answers", hint="Look at the store.")
    evaluation = evaluate(replace(situation(), migrations=gone))
    assert evaluation.undecided == {Rule.MIGRATION_OVERRIDE, Rule.MIGRATION_FAILED}
