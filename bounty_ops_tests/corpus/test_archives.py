"""Damaged archives under an honest manifest: the hash finds each, and nothing is restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops_tests.corpus.damage import ALL, Damage, Scene

if TYPE_CHECKING:
    from bounty_ops_tests.corpus.stage import Stage


def found_out(stage: Stage, damage: Damage) -> bool:
    scene = Scene(stage.archive, stage.other_archive)
    spoilt = damage.spoil(scene)
    if spoilt == stage.archive:  # an assert would print both
        pytest.fail(f"{damage.label}: that is no damage")
    stage.backups.replace_archive(stage.manifest, spoilt)
    proof = stage.backups.verify(stage.manifest)
    kinds = [(one.kind, one.object) for one in proof.differences]
    return (proof.verdict, kinds, proof.tables_compared) == (
        Verdict.REFUTED,
        [("archive", stage.manifest.archive.key)],
        0,
    )


def test_every_damaged_archive_is_refuted(stage: Stage) -> None:
    try:
        missed = [damage.label for damage in ALL if not found_out(stage, damage)]
    finally:
        stage.backups.replace_archive(stage.manifest, stage.archive)

    assert missed == []


def test_an_archive_of_another_size_is_listed_as_damaged(stage: Stage) -> None:
    listed: dict[str, tuple[BackupState, Verdict]] = {}
    try:
        for damage in ALL:
            spoilt = damage.spoil(Scene(stage.archive, stage.other_archive))
            if len(spoilt) != len(stage.archive) and len(listed) < 10:
                stage.backups.replace_archive(stage.manifest, spoilt)
                summaries = stage.backups.journal.summaries()
                [summary] = [one for one in summaries if one.id == stage.manifest.id]
                listed[damage.label] = (summary.state, summary.verdict)
    finally:
        stage.backups.replace_archive(stage.manifest, stage.archive)

    assert set(listed.values()) == {(BackupState.DAMAGED, Verdict.UNVERIFIED)}
