"""The linter without a server: what it finds, and whether the locks it names are those taken."""

from __future__ import annotations

import pytest

from bounty_ops_tests.migrating.lint.measured.__main__ import by_history, by_text
from bounty_ops_tests.migrating.lint.measured.cases import MAJORS, Case, read_cases
from bounty_ops_tests.migrating.lint.measured.claims import relations, wrong_claims, wrong_work
from bounty_ops_tests.migrating.lint.measured.measurement import load
from bounty_ops_tests.migrating.lint.measured.scoring import major_for, score

CASES = read_cases()
MEASURED = load()
KNOWN = relations(one for of_case in MEASURED.values() for one in of_case.values())


def test_from_text_alone_it_finds_90_percent_and_alarms_in_5() -> None:
    found = score([case for case in CASES if case.scored and case.decides == "text"], by_text)

    assert found.detection >= 0.90, found.missed
    assert found.alarm_rate <= 0.05, found.false_alarms


@pytest.mark.soak
def test_from_text_alone_it_does_as_well_on_every_major() -> None:
    cases = [case for case in CASES if case.scored and case.decides == "text"]

    found = score(cases, by_text, MAJORS)

    assert found.detection >= 0.90, found.missed
    assert found.alarm_rate <= 0.05, found.false_alarms


def test_with_the_earlier_files_it_finds_97_percent_and_alarms_in_3() -> None:
    cases = [case for case in CASES if case.scored and case.decides in {"text", "history"}]

    found = score(cases, by_history)

    assert found.detection >= 0.97, found.missed
    assert found.alarm_rate <= 0.03, found.false_alarms


def _claims(case: Case, major: int) -> list[str]:
    return list(wrong_claims(MEASURED[case.id][major], by_history(case, major), KNOWN))


def test_every_lock_that_is_named_is_the_lock_that_is_taken() -> None:
    wrong = {case.id: found for case in CASES if (found := _claims(case, major_for(case)))}

    assert wrong == {}


@pytest.mark.soak
def test_the_locks_are_right_on_every_major() -> None:
    wrong = {
        (case.id, major): found
        for case in CASES
        for major in case.majors
        if (found := _claims(case, major))
    }

    assert wrong == {}


def test_where_a_rewrite_or_a_scan_is_announced_there_is_one() -> None:
    wrong = {
        case.id: found
        for case in CASES
        if case.decides in {"text", "history"}
        for major in [major_for(case)]
        if (found := list(wrong_work(MEASURED[case.id][major], by_history(case, major))))
    }

    assert wrong == {}
