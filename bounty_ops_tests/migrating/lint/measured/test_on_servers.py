"""What is stored is what servers do, and the linter holds with their catalogue at hand."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.fix_servers import all_server_majors
from bounty_ops_tests.migrating.lint.measured.cases import chosen, read_cases
from bounty_ops_tests.migrating.lint.measured.catalogues import Catalogues
from bounty_ops_tests.migrating.lint.measured.claims import relations, wrong_claims, wrong_work
from bounty_ops_tests.migrating.lint.measured.measurement import load
from bounty_ops_tests.migrating.lint.measured.measuring import laboratory
from bounty_ops_tests.migrating.lint.measured.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

CASES = read_cases()
MEASURED = load()
KNOWN = relations(one for of_case in MEASURED.values() for one in of_case.values())
#: One of each kind of measurement; the rest in a soak.
SLICE = (
    "idx-gin", "idx-conc-over-invalid", "col-domain-check", "null-set-and-check-dropped",
    "fk-new-table-filled", "detach-concurrently", "rls-enable-alone", "uncommitted",
)  # fmt: skip


def _majors() -> list[object]:
    """All of them; in every run only the one that is embedded."""
    return [
        pytest.param(major, marks=[] if major == 17 else [pytest.mark.soak])
        for major in all_server_majors()
    ]


@pytest.fixture(scope="module")
def known_of(
    pg_server_of: Callable[[int], DatabaseUrl],
) -> Iterator[Callable[[int], Catalogues]]:
    """The linter with the catalogue of a laboratory, by major."""
    with ExitStack() as stack:
        made: dict[int, Catalogues] = {}

        def of(major: int) -> Catalogues:
            if major not in made:
                server = pg_server_of(major)
                made[major] = Catalogues(stack.enter_context(laboratory(server)), major)
            return made[major]

        yield of


def test_some_files_do_what_is_stored_of_them(
    known_of: Callable[[int], Catalogues],
) -> None:
    cases = [case for case in CASES if case.id in SLICE]

    assert len(cases) == len(SLICE)
    for case in cases:
        assert known_of(17).laboratory.measure(case) == MEASURED[case.id][17], case.id


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("major", all_server_majors())
def test_every_file_does_what_is_stored_of_it(
    major: int, known_of: Callable[[int], Catalogues]
) -> None:
    here = known_of(major).laboratory
    different = {
        case.id: found
        for case in chosen(CASES, major)
        if (found := here.measure(case)) != MEASURED[case.id][major]
    }

    assert different == {}


@pytest.mark.timeout(900)
@pytest.mark.soak
@pytest.mark.parametrize("major", _majors())
def test_with_a_catalogue_the_linter_finds_97_percent_and_alarms_in_3(
    major: int, known_of: Callable[[int], Catalogues], request: pytest.FixtureRequest
) -> None:
    everything = bool(request.config.getoption("--soak"))
    cases = [
        case
        for case in chosen(CASES, major)
        if case.scored and (everything or not case.earlier)  # a copy for each takes its time
    ]

    found = score(cases, known_of(major).lint, [major])

    assert found.detection >= 0.97, found.missed
    assert found.alarm_rate <= 0.03, found.false_alarms


@pytest.mark.timeout(900)
@pytest.mark.parametrize("major", _majors())
@pytest.mark.soak
def test_with_a_catalogue_what_is_said_of_locks_rewrites_and_scans_is_so(
    major: int, known_of: Callable[[int], Catalogues], request: pytest.FixtureRequest
) -> None:
    everything = bool(request.config.getoption("--soak"))
    linter = known_of(major)
    wrong: dict[str, list[str]] = {}
    for case in chosen(CASES, major):
        if case.decides == "data" or (case.earlier and not everything):
            continue
        measured, findings = MEASURED[case.id][major], linter.lint(case, major)
        claims = list(wrong_claims(measured, findings, KNOWN))
        claims += wrong_work(measured, findings)
        if claims:
            wrong[case.id] = claims

    assert wrong == {}
