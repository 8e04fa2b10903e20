"""The labels of the cases follow from what was measured, and the cases are what they claim."""

from __future__ import annotations

from collections import Counter

import pytest

from bounty_ops_tests.migrating.lint.measured.cases import Case, read_cases
from bounty_ops_tests.migrating.lint.measured.measurement import Measurement, Step, load
from bounty_ops_tests.migrating.lint.measured.verdicts import verdict_of

CASES = read_cases()
MEASURED = load()


def test_there_are_enough_cases_and_enough_of_them_are_safe() -> None:
    verdicts = Counter(case.verdict for case in CASES if case.scored)

    assert verdicts.total() >= 300
    assert verdicts["safe"] / verdicts.total() >= 0.45


def test_every_case_was_measured_on_every_major_that_it_claims() -> None:
    claimed = {case.id: set(case.majors) for case in CASES}

    assert {name: set(of_case) for name, of_case in MEASURED.items()} == claimed


def test_every_verdict_follows_from_the_measurement() -> None:
    wrong = {
        (case.id, major): reasons
        for case in CASES
        for major, measured in MEASURED[case.id].items()
        if not _agree(case, reasons := verdict_of(measured))
    }

    assert wrong == {}


def _agree(case: Case, reasons: tuple[str, ...]) -> bool:
    if case.verdict == "context":
        return True
    if case.reason:
        # A label by reason is for what the measurement does not see, and for nothing else.
        return bool(reasons) != (case.verdict == "hazard")
    return bool(reasons) == (case.verdict == "hazard")


def _step(**what: object) -> Step:
    return Step(**{"transaction": 1, "lock_timeout": 2000, **what})  # type: ignore[arg-type] # fields of Step


@pytest.mark.parametrize(
    ("steps", "hazard"),
    [
        ([_step(locks={"t": ("ACCESS EXCLUSIVE",)})], False),
        ([_step(locks={"t": ("ACCESS EXCLUSIVE",)}, lock_timeout=0)], True),
        ([_step(locks={"t": ("SHARE",)}, worked=("t",))], True),
        ([_step(locks={"t": ("SHARE UPDATE EXCLUSIVE",)}, worked=("t",), lock_timeout=0)], False),
        ([_step(locks={"t": ("ACCESS EXCLUSIVE",)}, rewritten=("t",))], True),
        ([_step(worked=("u",)), _step(locks={"t": ("SHARE",)})], False),
        ([_step(locks={"t": ("SHARE",)}), _step(worked=("u",))], True),
        ([_step(locks={"t": ("SHARE",)}), _step(worked=("u",), transaction=2)], False),
        ([_step(locks={"t": ("ROW EXCLUSIVE",)}, changed=("t",))], True),
        ([_step(locks={"t": ("ROW EXCLUSIVE",)}, worked=("t",))], False),
    ],
)
def test_a_blocking_lock_is_a_hazard_by_what_happens_under_it(
    steps: list[Step], hazard: bool
) -> None:
    assert bool(verdict_of(Measurement(steps=tuple(steps)))) is hazard
