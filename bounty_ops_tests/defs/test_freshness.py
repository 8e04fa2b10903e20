"""The age of the newest backup: late, never, and damaged are all late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bounty_ops.defs.database_backup import freshness
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMIT = timedelta(hours=26)


def backup(hours: float, state: BackupState = BackupState.COMPLETE) -> BackupSummary:
    return BackupSummary(
        id="20260301T020000Z-00000000",
        environment="development",
        taken_at=NOW - timedelta(hours=hours),
        state=state,
        bucket="bucket",
        key="key",
        size_bytes=1,
        sha256="0" * 64,
        verdict=Verdict.UNVERIFIED,
    )


@pytest.mark.parametrize(
    ("backups", "passed"),
    [
        ([], False),
        ([backup(26)], True),
        ([backup(26.01)], False),
        ([backup(30), backup(1)], True),
        ([backup(1, BackupState.DAMAGED)], False),
        ([backup(1, BackupState.DAMAGED), backup(30)], False),
    ],
)
def test_only_a_complete_backup_within_the_limit_is_fresh(
    backups: list[BackupSummary], passed: bool
) -> None:
    result = freshness(backups, LIMIT, NOW)
    assert result.passed is passed
    assert result.metadata["limit_hours"].value == 26


def test_the_age_is_a_number_that_plots() -> None:
    assert freshness([backup(2.5)], LIMIT, NOW).metadata["age_hours"].value == 2.5
