"""What is said of a restored copy that is not what was backed up, and of one that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal.records import Verdict
from bounty_ops.restore import judge
from bounty_ops.restore.observing import observe
from bounty_ops_tests.corpus import changed_objects, changed_values, sound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.restore import Judgement
    from bounty_ops_tests.corpus.changed_values import Change
    from bounty_ops_tests.corpus.stage import Stage

GROUPS = {
    "values": changed_values.ONE_VALUE,
    "rows": changed_values.ROWS,
    **changed_objects.GROUPS,
}


def told(judgement: Judgement) -> set[str]:
    """The verdict and the kinds of differences, for comparison with what is expected."""
    return {judgement.verdict.value, *(one.kind for one in judgement.differences)}


def not_told(change: Change, judgement: Judgement) -> set[str]:
    """What should have been said of a changed copy and was not."""
    return {Verdict.REFUTED.value, change.kind} - told(judgement)


#: What a default run leaves to the soak; the groups that remain have the same paths.
RARE = {"others", "code", "rights"}
BY_GROUP = [
    pytest.param(group, marks=[pytest.mark.soak] if group in RARE else [])
    for group in sorted(GROUPS)
]


@pytest.mark.parametrize("group", BY_GROUP)
@pytest.mark.many(every=4)
def test_a_copy_with_one_change_is_refuted(stage: Stage, group: str) -> None:
    judged = {one: not_told(one, stage.judged_after(one.statements)) for one in GROUPS[group]}

    assert {change.label: left for change, left in judged.items() if left} == {}


@pytest.mark.soak
def test_a_copy_whose_sequences_are_set_back_is_refuted(stage: Stage) -> None:
    judged = {
        one: not_told(one, stage.judged_for_good(one.statements))
        for one in changed_objects.FOR_GOOD
    }

    assert {change.label: left for change, left in judged.items() if left} == {}


def told_of(cases: Sequence[sound.Sound], judged: Sequence[Judgement]) -> dict[str, object]:
    """Differences told of copies that have none."""
    return {
        case.label: (judgement.reason, judgement.differences)
        for case, judgement in zip(cases, judged, strict=True)
        if judgement.verdict is not Verdict.PROVED
    }


@pytest.mark.soak
def test_a_copy_that_is_stored_in_another_way_is_proved(stage: Stage) -> None:
    judged = [stage.judged_after(one.statements) for one in sound.IN_TRANSACTION]

    assert told_of(sound.IN_TRANSACTION, judged) == {}


@pytest.mark.soak
def test_a_copy_that_lies_otherwise_on_disk_is_proved(stage: Stage) -> None:
    judged = [stage.judged_for_good(one.statements) for one in sound.FOR_GOOD]

    assert told_of(sound.FOR_GOOD, judged) == {}


def test_nothing_of_all_that_stays_in_the_copy(stage: Stage) -> None:
    assert observe(stage.copy) == stage.observed
    assert judge(stage.manifest, stage.observed).verdict is Verdict.PROVED
