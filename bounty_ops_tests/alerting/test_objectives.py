"""What a disaster would cost, and which backup is of unusual size."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.alerting import Rule, Severity, evaluate, recovery, size_change
from bounty_ops.alerting.objectives import LEAST_COMPARED, MOST_COMPARED
from bounty_ops.environments import Policy
from bounty_ops.journal.records import BackupState, BackupSummary, Verdict
from bounty_ops_tests.alerting.situations import NOW, backup, situation

MIB = 1024 * 1024
GIB = 1024 * MIB


def nights(*sizes: int) -> list[BackupSummary]:
    """Backups of these sizes, the newest first."""
    return [backup(hours=1 + 24 * night, size_bytes=size) for night, size in enumerate(sizes)]


def test_what_would_be_lost_is_the_age_of_the_newest_proved_backup() -> None:
    backups = (backup(hours=1, verdict=Verdict.UNVERIFIED), backup(hours=5), backup(hours=29))
    found = recovery(backups, Policy(proof_max_age_hours=30), NOW)
    assert (found.rpo_seconds, found.rpo_objective_seconds) == (5 * 3600, 30 * 3600)
    assert found.backup_id == "backup-5"


def test_without_a_proved_backup_nothing_is_known() -> None:
    backups = (
        backup(verdict=Verdict.REFUTED),
        backup(state=BackupState.DAMAGED),
        backup(hours=-24 * 365),
    )
    found = recovery(backups, Policy(), NOW)
    assert (found.rpo_seconds, found.rto_seconds, found.rto_met) == (None, None, None)


def test_a_restore_is_predicted_for_the_present_size() -> None:
    backups = (
        backup(hours=1, verdict=Verdict.UNVERIFIED, database_bytes=3 * GIB),
        backup(hours=25, restore_seconds=50, database_bytes=GIB),
    )
    found = recovery(backups, Policy(rto_minutes=4), NOW)
    assert (found.rto_measured_seconds, found.rto_seconds) == (100, 300)
    assert found.rto_met is False
    asked = recovery(backups, Policy(rto_minutes=4), NOW, database_bytes=2 * GIB)
    assert (asked.rto_seconds, asked.rto_met) == (200, True)


def test_a_size_that_nobody_recorded_scales_nothing() -> None:
    old = backup(restore_seconds=50, database_bytes=None)
    assert recovery([old], Policy(), NOW, database_bytes=GIB).rto_seconds == 100


def test_a_proof_that_was_not_timed_leaves_the_last_timed_one() -> None:
    backups = (backup(hours=1, restore_seconds=None), backup(hours=25, restore_seconds=7))
    found = recovery(backups, Policy(), NOW)
    assert (found.backup_id, found.rto_measured_seconds) == ("backup-1", 14)


def test_a_slow_restore_is_told_until_it_is_fast_again() -> None:
    slow = situation(policy=Policy(rto_minutes=1.5))
    (found,) = evaluate(slow).findings
    assert (found.rule, found.severity) == (Rule.RESTORE_TOO_SLOW, Severity.WARNING)
    assert "2 min, the objective is 90 s" in found.title
    assert found.evidence["rto_objective_seconds"] == 90
    assert evaluate(replace(slow, policy=Policy(rto_minutes=2))).findings == ()


def test_a_restore_that_nobody_timed_is_undecided() -> None:
    evaluation = evaluate(situation(backups=[backup(restore_seconds=None)]))
    assert Rule.RESTORE_TOO_SLOW in evaluation.undecided


@pytest.mark.parametrize(
    ("newest", "word"),
    [(49, "51% smaller"), (51, None), (149, None), (151, "51% larger"), (0, "100% smaller")],
)
def test_a_backup_of_unusual_size_is_told(newest: int, word: str | None) -> None:
    sizes = (newest * MIB, 100 * MIB, 90 * MIB, 110 * MIB)
    found = evaluate(situation(backups=nights(*sizes))).findings
    assert [each.rule for each in found] == ([Rule.BACKUP_SIZE_ANOMALY] if word else [])
    assert all(word in each.title for each in found if word)


def test_a_small_backup_may_grow_by_half_but_not_lose_it() -> None:
    grown = size_change(nights(900_000, 20_000, 20_000, 20_000), 0.5, NOW)
    lost = size_change(nights(9_000, 20_000, 20_000, 20_000), 0.5, NOW)
    assert grown is not None
    assert lost is not None
    assert (grown.anomalous, lost.anomalous) == (False, True)


def test_two_earlier_backups_are_too_few_to_say_what_is_usual() -> None:
    assert LEAST_COMPARED == 3
    assert size_change(nights(1, 100 * MIB, 100 * MIB), 0.5, NOW) is None
    evaluation = evaluate(situation(backups=nights(1, 100 * MIB, 100 * MIB)))
    assert Rule.BACKUP_SIZE_ANOMALY in evaluation.undecided


def test_refuted_damaged_and_future_backups_are_no_measure() -> None:
    good = nights(100 * MIB, 100 * MIB, 100 * MIB, 100 * MIB)
    odd = [
        backup(hours=0.5, size_bytes=1, verdict=Verdict.REFUTED),
        backup(hours=0.4, size_bytes=1, state=BackupState.DAMAGED),
        backup(hours=-5, size_bytes=1),
        backup(hours=0.3, size_bytes=None),
    ]
    change = size_change([*odd, *good], 0.5, NOW)
    assert change is not None
    assert (change.backup_id, change.compared, change.ratio) == (good[0].id, 3, 1.0)


_sizes = st.lists(st.integers(1, 10**13), min_size=LEAST_COMPARED + 1, max_size=30)


@given(_sizes, st.floats(0.01, 0.99), st.randoms())
def test_the_order_of_the_list_does_not_matter(
    sizes: list[int], limit: float, chance: object
) -> None:
    backups = nights(*sizes)
    mixed = sorted(backups, key=lambda _: chance.random())  # type: ignore[attr-defined] # random.Random
    assert size_change(mixed, limit, NOW) == size_change(backups, limit, NOW)


@given(_sizes, st.floats(0.01, 0.99))
def test_it_fires_exactly_beyond_the_share_of_the_median(sizes: list[int], limit: float) -> None:
    change = size_change(nights(*sizes), limit, NOW)
    assert change is not None
    usual = median(sizes[1 : MOST_COMPARED + 1])
    too_small = usual - sizes[0] > limit * usual
    too_large = sizes[0] - usual > limit * usual and sizes[0] - usual >= MIB
    assert change.anomalous == (too_small or too_large)


@given(st.integers(1, 10**12), st.integers(LEAST_COMPARED, 20), st.floats(0.01, 0.99))
def test_what_never_changes_is_never_unusual(size: int, earlier: int, limit: float) -> None:
    change = size_change(nights(*[size] * (earlier + 1)), limit, NOW)
    assert change is not None
    assert not change.anomalous


@given(_sizes, st.integers(MIB, 10**12))
def test_a_lasting_change_stops_being_unusual(before: list[int], after: int) -> None:
    change = size_change(nights(*[after] * (MOST_COMPARED // 2 + 2), *before), 0.5, NOW)
    assert change is not None
    assert not change.anomalous


_backups = st.lists(
    st.builds(
        backup,
        hours=st.floats(-3, 100).map(lambda hours: round(hours, 3)),
        verdict=st.sampled_from(list(Verdict)),
        state=st.sampled_from(list(BackupState)),
        restore_seconds=st.none() | st.floats(0, 10**6),
        database_bytes=st.none() | st.integers(0, 10**14),
    ),
    max_size=8,
)


@given(_backups, st.none() | st.integers(0, 10**14))
def test_a_recovery_time_is_never_made_up(
    backups: list[BackupSummary], present: int | None
) -> None:
    found = recovery(backups, Policy(), NOW, database_bytes=present)
    assert (found.rto_seconds is None) == (found.rto_measured_seconds is None)
    measured = {
        each.fetch_seconds + each.restore_seconds
        for each in backups
        if each.verdict is Verdict.PROVED
        and each.state is BackupState.COMPLETE
        and each.fetch_seconds is not None
        and each.restore_seconds is not None
    }
    assert found.rto_measured_seconds is None or found.rto_measured_seconds in measured
    assert found.rpo_seconds is None or found.rpo_seconds >= 0
