"""What `doctor` finds over a connection: servers that encrypt, roles that lack something."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.doctor.database import (
    examine_environment,
    examine_operations,
    judge_programs,
    judge_version,
)
from bounty_ops.doctor.link import judge_clock
from bounty_ops.doctor.result import State
from bounty_ops.environments import DatabaseUrl, Environment, Policy, load_settings
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.server import server_facts
from bounty_ops_tests.fix_tls import CONNECTIONS
from bounty_ops_tests.postgres.pooler import transaction_pooler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_tls import TlsServer

    Examined = Callable[..., dict[str, CheckResult]]

PRODUCTION = Policy(protected=True)


@pytest.fixture
def examined(tmp_path: Path) -> Examined:
    def examine(url: DatabaseUrl, policy: Policy = PRODUCTION) -> dict[str, CheckResult]:
        settings = load_settings(tmp_path, {})
        environment = Environment("production", url, policy)
        return {each.name: each for each in examine_environment(environment, settings)}

    return examine


@pytest.fixture
def poor(fresh_database: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """A role that may connect and nothing else."""
    role = fresh_database.database.replace("test_", "poor_")
    with connect(fresh_database, application_name="tests") as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'poor-pw' CONNECTION LIMIT 3".encode())
        owner.execute("CREATE TABLE public.private (id int)")
    yield dataclasses.replace(fresh_database, user=role, password="poor-pw")
    with connect(fresh_database, application_name="tests") as owner:
        owner.execute(f"DROP OWNED BY {role}".encode())
        owner.execute(f"DROP ROLE {role}".encode())


def test_a_certificate_that_was_verified_is_well_and_one_that_was_not_is_a_warning(
    tls_server: TlsServer, examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server is here; for what is asked it has to be somewhere else.
    monkeypatch.setattr("bounty_ops.doctor.link.stays_here", lambda _: False)
    verified = tls_server.with_mode("verify-full", sslrootcert=str(tls_server.certificate))
    found = examined(verified)["encryption"]
    assert (found.state, found.cause) == (State.OK, "TLS, certificate verified (verify-full)")
    found = examined(tls_server.with_mode("require"))["encryption"]
    assert found.state is State.WARNING
    assert "was not verified (require)" in found.cause


def test_a_connection_in_the_clear_is_a_warning(
    fresh_database: DatabaseUrl, examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examined(fresh_database)["encryption"].state is State.OK  # it stays on this machine
    monkeypatch.setattr("bounty_ops.doctor.link.stays_here", lambda _: False)
    assert examined(fresh_database)["encryption"].cause == "the connection is not encrypted"


def test_a_role_without_rights_is_told_what_each_job_lacks(
    poor: DatabaseUrl, examined: Examined
) -> None:
    found = examined(poor)
    assert found["backup role"].state is State.FAILED
    assert "public.private" in found["backup role"].cause
    assert "db grants -e production --for backup" in (found["backup role"].remedy or "")
    assert found["monitoring role"].state is State.WARNING
    assert "pg_read_all_stats" in found["monitoring role"].cause
    assert found["migration role"].state is State.WARNING
    assert "does not own public.private" in found["migration role"].cause
    assert found["connections"].state is State.WARNING
    assert "2 of 3 left, by the limit of this role" in found["connections"].cause
    # Where the data lies is not for this role to see.
    assert found["storage"].state is State.UNKNOWN


def test_a_superuser_on_this_machine_sees_room_and_rights(
    fresh_database: DatabaseUrl, examined: Examined
) -> None:
    found = examined(fresh_database)
    for name in ("backup role", "monitoring role", "migration role", "storage", "clock"):
        assert found[name].state is State.OK, found[name]
    assert "GiB free in the server's data directory" in found["storage"].cause


def test_few_connections_that_are_left_are_a_warning(
    tls_server: TlsServer, examined: Examined
) -> None:
    url = tls_server.with_mode("require")
    with ExitStack() as stack:
        for _ in range(CONNECTIONS - 4):
            stack.enter_context(connect(url, application_name="tests"))
        found = examined(url)["connections"]
    assert found.state is State.WARNING
    assert f"0 of {CONNECTIONS - 3} left, by the limit of the server" in found.cause


def test_a_transaction_pooler_is_found_by_trying(
    pg_programs: Programs, tmp_path: Path, examined: Examined
) -> None:
    from bounty_ops.embedded import throwaway_cluster  # noqa: PLC0415 - of this test alone

    with (
        throwaway_cluster(pg_programs, work_dir=tmp_path / "work") as server,
        transaction_pooler(server) as url,
    ):
        found = examined(url)["pooler"]
    assert found.state is State.FAILED
    assert "transaction pooler" in found.cause


def test_a_pooler_is_known_by_its_address_when_nothing_answers(examined: Examined) -> None:
    found = examined(DatabaseUrl("127.0.0.1", 6543, "db", "u", "p"))
    assert found["reachable"].state is State.FAILED
    assert found["pooler"].state is State.FAILED
    assert found["version"].state is State.UNKNOWN


def test_operations_in_the_database_that_is_backed_up_are_refused(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    environment = Environment("production", fresh_database, PRODUCTION)
    settings = dataclasses.replace(
        load_settings(tmp_path, {}),
        environments={"production": environment},
        ops_url=fresh_database,
    )
    found = {each.name: each for each in examine_operations(settings)}
    assert found["separate"].state is State.FAILED
    assert "production" in found["separate"].cause


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (-3, State.OK), (40, State.WARNING), (-40, State.WARNING), (901, State.FAILED)],
)
def test_clocks_that_differ(seconds: int, state: State) -> None:
    found = judge_clock(
        "bucket",
        timedelta(seconds=seconds),
        timedelta(seconds=30),
        timedelta(seconds=1),
        fatal=timedelta(minutes=15),
    )
    assert found.state is state
    assert found.cause.startswith(f"{abs(seconds)}.0 s ")


@pytest.mark.parametrize(
    ("major", "today", "state"),
    [
        (13, date(2026, 1, 1), State.FAILED),
        (14, date(2026, 11, 12), State.OK),
        (14, date(2026, 11, 13), State.WARNING),
        (18, date(2026, 11, 13), State.OK),
        (19, date(2099, 1, 1), State.OK),
    ],
)
def test_a_version_that_nobody_mends_any_more_is_told(
    fresh_database: DatabaseUrl, major: int, today: date, state: State
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        facts = dataclasses.replace(server_facts(connection), version_num=major * 10_000 + 2)
    found = judge_version("production", facts, today)
    assert found.state is state
    assert (found.remedy is None) is (state is State.OK)


def test_programs_older_than_the_server_are_a_warning(fresh_database: DatabaseUrl) -> None:
    """What a newer server notes for itself, an older pg_dump writes down."""
    with connect(fresh_database, application_name="tests") as connection:
        facts = server_facts(connection)
    programs = find_programs(facts.major)
    assert judge_programs("production", programs, facts).state is State.OK

    newer = dataclasses.replace(facts, version_num=facts.version_num + 1)

    found = judge_programs("production", programs, newer)
    assert found.state is State.WARNING
    assert f"Update the PostgreSQL programs here to {facts.major}." in (found.remedy or "")
