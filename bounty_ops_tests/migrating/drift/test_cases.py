"""Every drift is found by name, and the SQL that comes with it settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.catalog import Catalog, read_catalog
from bounty_ops.migrating.drift import differences
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import all_server_majors
from bounty_ops_tests.migrating.drift.cases import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from _pytest.mark import ParameterSet
    from psycopg.rows import TupleRow

    from bounty_ops_tests.migrating.drift.cases import Case
    from bounty_ops_tests.migrating.drift.conftest import Sound

_CHUNKS = 6


def _chunks() -> list[ParameterSet]:
    """One chunk, with something of every class, is enough where nothing else changed."""
    return [
        pytest.param(CASES[start::_CHUNKS], marks=[pytest.mark.soak] if start else [])
        for start in range(_CHUNKS)
    ]


def _mended(
    connection: psycopg.Connection[TupleRow], case: Case, expected: Catalog
) -> dict[str, object]:
    """What is wrong with how a drift is found and settled; empty: nothing is."""
    connection.execute(case.done.encode())
    found = differences(expected, read_catalog(connection))
    for each in found:
        for statement in each.sql:
            connection.execute(statement.encode())
    after = read_catalog(connection)
    said = {f"{each.kind} {each.object}" for each in found}
    left = [each.sentence() for each in differences(expected, after)]
    same = after.fingerprint == expected.fingerprint
    wrong: dict[str, object] = {} if said == case.said else {"said": said, "expected": case.said}
    if left or not same:
        wrong |= {"left": left, "fingerprint": same, "sql": [each.sql for each in found]}
    return wrong


@pytest.mark.parametrize("cases", _chunks())
def test_drift_is_found_and_settled_in_a_transaction(
    cases: tuple[Case, ...], sound_of: Callable[[int], Sound]
) -> None:
    newest = all_server_majors()[-1]
    sound = sound_of(newest)
    wrong = {}
    with connect(sound.url, application_name="tests", autocommit=False) as connection:
        for case in cases:
            if found := _mended(connection, case, sound.expected):
                wrong[case.name] = found
            connection.rollback()
    assert wrong == {}


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("major", all_server_majors())
def test_drift_is_found_and_settled_statement_by_statement_on_every_major(
    major: int, sound_of: Callable[[int], Sound]
) -> None:
    sound = sound_of(major)
    server = sound.url.with_database("postgres")
    wrong = {}
    with connect(server, application_name="tests") as administration:
        for case in CASES:
            if case.first_major > major:
                continue
            url = sound.copy(administration, "drifted")
            with connect(url, application_name="tests") as connection:
                if found := _mended(connection, case, sound.expected):
                    wrong[case.name] = found
            administration.execute("DROP DATABASE drifted WITH (FORCE)")
    assert wrong == {}


def test_there_are_many_cases_and_each_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 100
