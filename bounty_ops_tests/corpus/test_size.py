"""The corpus is as large as was promised, and every case has a name of its own."""

from __future__ import annotations

from collections import Counter

from bounty_ops_tests.corpus import (
    changed_objects,
    changed_values,
    damage,
    forged,
    manifests,
    proofs,
    sealed,
    sound,
)

COPIES = [
    *changed_values.ONE_VALUE,
    *changed_values.ROWS,
    *(one for group in changed_objects.GROUPS.values() for one in group),
    *changed_objects.FOR_GOOD,
]
SOUND = [*sound.IN_TRANSACTION, *sound.FOR_GOOD]
LABELS = [
    *(one.label for one in damage.ALL),
    *manifests.LABELS,
    *proofs.LABELS,
    *(one.label for one in COPIES),
    *(one.label for one in SOUND),
    *(one.label for one in forged.ALL),
    *sealed.LABELS,
]


def test_no_two_cases_have_one_name() -> None:
    assert [label for label, count in Counter(LABELS).items() if count > 1] == []


def test_the_corpus_has_some_hundred_cases() -> None:
    assert len(set(LABELS)) >= 300
    assert len(SOUND) >= 40
    assert len(COPIES) >= 200
