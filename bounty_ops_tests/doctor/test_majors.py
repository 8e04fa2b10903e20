"""Every check over a connection, on every major version of PostgreSQL that is supported."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.doctor.database import examine_environment
from bounty_ops.doctor.names import CHECKS
from bounty_ops.doctor.result import State
from bounty_ops.environments import Environment, Policy, load_settings
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import all_server_majors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import DatabaseUrl

#: Those that `examine_environment` does not answer, which need no database.
_OTHERS = {"encryption key", "alert path", "dead-man's switch"}
#: The oldest by default: what is newer in a catalogue is missing there.
MAJORS = [
    pytest.param(major, marks=[pytest.mark.soak] if position else [])
    for position, major in enumerate(all_server_majors())
]


def examined(url: DatabaseUrl, home: Path) -> dict[str, CheckResult]:
    environment = Environment("staging", url, Policy.of("staging"))
    found = list(examine_environment(environment, load_settings(home, {})))
    assert {each.name for each in found} == set(CHECKS["an environment"]) - _OTHERS
    return {each.name: each for each in found}


@pytest.mark.parametrize("major", MAJORS)
def test_a_superuser_on_this_machine_has_all_it_needs(
    make_database: Callable[..., DatabaseUrl], tmp_path: Path, major: int
) -> None:
    found = examined(make_database(major=major), tmp_path)
    assert f"PostgreSQL {major}." in found["version"].cause
    assert f"pg_dump {major}." in found["client programs"].cause
    assert f"PostgreSQL {major}." in found["verification programs"].cause
    # Nothing was migrated yet; and one day each major version had its last release.
    told = {name for name, each in found.items() if each.state is not State.OK}
    assert told - {"version"} == {"revision"}


@pytest.mark.parametrize("major", MAJORS)
def test_a_role_with_nothing_is_told_what_it_lacks(
    make_database: Callable[..., DatabaseUrl], tmp_path: Path, major: int
) -> None:
    owner_url = make_database(major=major)
    role = owner_url.database.replace("test_", "poor_")
    with connect(owner_url, application_name="tests") as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'poor-pw' CONNECTION LIMIT 3".encode())
        owner.execute("CREATE TABLE public.private (id int)")
        try:
            poor = dataclasses.replace(owner_url, user=role, password="poor-pw")
            found = examined(poor, tmp_path)
        finally:
            owner.execute(f"DROP OWNED BY {role}".encode())
            owner.execute(f"DROP ROLE {role}".encode())
    assert found["backup role"].state is State.FAILED
    assert "public.private" in found["backup role"].cause
    assert "pg_read_all_stats" in found["monitoring role"].cause
    assert "does not own public.private" in found["migration role"].cause
    assert "2 of 3 left, by the limit of this role" in found["connections"].cause
    assert found["storage"].state is State.UNKNOWN
