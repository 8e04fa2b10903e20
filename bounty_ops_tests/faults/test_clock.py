"""A clock that is wrong: what is listed and swept stays right."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.environments import Environment, Policy
from bounty_ops.journal.records import Verdict

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_backups import Backups

CENTURY = timedelta(days=36525)


def take_at(backups: Backups, url: DatabaseUrl, now: datetime) -> Manifest:
    """A backup whose plan was made when the clock said `now`."""
    environment = Environment(backups.environment, url, Policy())
    plan = plan_backup(environment, backups.store, now=now, taken_by="a test")
    return take_backup(plan, url, backups.journal)


@pytest.mark.parametrize("step", [-CENTURY, pytest.param(CENTURY, marks=pytest.mark.soak)])
def test_an_id_of_another_century_changes_neither_order_nor_verdict(
    zoo: DatabaseUrl, backups: Backups, step: timedelta
) -> None:
    now = datetime.now(UTC)
    first = take_at(backups, zoo, now + step)
    second = take_at(backups, zoo, now)

    assert backups.verify(second).verdict is Verdict.PROVED

    # By the time of the snapshot, not by the id.
    assert [one.id for one in backups.journal.summaries()] == [second.id, first.id]
    assert [one.verdict for one in backups.journal.summaries()] == ["proved", "unverified"]
    assert backups.left_over() == []


@pytest.mark.parametrize("step", [-CENTURY, pytest.param(CENTURY, marks=pytest.mark.soak)])
def test_no_sweep_removes_a_whole_backup_whatever_the_clock_says(
    zoo: DatabaseUrl, backups: Backups, step: timedelta
) -> None:
    manifest = backups.take(zoo)
    proof = backups.verify(manifest)

    removed = backups.journal.clear_abandoned(backups.environment, now=datetime.now(UTC) + step)

    assert not removed
    [summary] = backups.journal.summaries()
    assert (summary.id, summary.verdict) == (manifest.id, proof.verdict)


def test_a_clock_set_back_spares_what_may_be_another_machines(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    orphan = backups.plan(zoo).key
    backups.store.put_if_absent(orphan, b"an archive that waits for its manifest")

    past = backups.journal.abandoned(backups.environment, now=datetime.now(UTC) - CENTURY)

    assert not past
    assert backups.left_over() == [orphan]


def test_two_backups_of_one_second_are_two(zoo: DatabaseUrl, backups: Backups) -> None:
    now = datetime.now(UTC)

    ids = {take_at(backups, zoo, now).id for _ in range(3)}

    assert len(ids) == 3
    assert {one.id for one in backups.journal.summaries()} == ids


def test_a_verification_after_the_clock_was_set_back_counts(
    zoo: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(zoo)
    archive = backups.store.get(manifest.archive.key)
    proof = backups.verify(manifest)
    # As if it had been made while the clock was ahead.
    ahead = dataclasses.replace(backups)
    later = proof.model_copy(
        update={
            "id": backups.journal.new_proof_id(
                manifest.environment, manifest.id, datetime.now(UTC) + CENTURY
            )
        }
    )
    ahead.journal.write_proof(later)
    backups.replace_archive(manifest, bytes([archive[0] ^ 1]) + archive[1:])

    backups.verify(manifest)

    assert backups.journal.summaries()[0].verdict is Verdict.REFUTED
