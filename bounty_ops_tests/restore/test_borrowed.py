"""Drills on a server that somebody provides."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import load_settings
from bounty_ops.errors import ConfigurationError
from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.connect import connect
from bounty_ops.restore import borrowed, sandbox, verify_backup
from bounty_ops_tests.fix_backups import run, value
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest, Proof
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_backups import Backups


@pytest.fixture(scope="module")
def server(
    pg_programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DatabaseUrl]:
    """A server of nobody's."""
    with running_server(pg_programs, tmp_path_factory.mktemp("borrowed")) as url:
        yield url


def verify(backups: Backups, manifest: Manifest, server: DatabaseUrl) -> Proof:
    return verify_backup(manifest, backups.journal, work_dir=backups.work_dir, server=server)


def everything(server: DatabaseUrl) -> object:
    return value(
        server,
        "SELECT (SELECT array_agg(datname ORDER BY 1) FROM pg_database)::text"
        " || (SELECT array_agg(rolname ORDER BY 1) FROM pg_roles)::text",
    )


def test_a_drill_there_proves_and_leaves_nothing(
    zoo: DatabaseUrl, backups: Backups, server: DatabaseUrl
) -> None:
    before = everything(server)
    manifest = backups.take(zoo)

    proof = verify(backups, manifest, server)

    assert (proof.verdict, proof.differences, proof.reason) == (Verdict.PROVED, (), None)
    assert everything(server) == before


def test_what_a_killed_drill_left_is_removed_and_nothing_else(
    zoo: DatabaseUrl, backups: Backups, server: DatabaseUrl
) -> None:
    run(server, "CREATE DATABASE restored", "CREATE ROLE somebody")
    before = everything(server)
    run(
        server,
        "CREATE DATABASE bounty_ops_drill_0123456789ab",
        "CREATE ROLE left_behind",
        f"COMMENT ON ROLE left_behind IS '{sandbox.ROLE_COMMENT}'",
    )

    assert verify(backups, backups.take(zoo), server).verdict is Verdict.PROVED
    assert everything(server) == before


def test_two_drills_do_not_meet(zoo: DatabaseUrl, backups: Backups, server: DatabaseUrl) -> None:
    manifest = backups.take(zoo)
    with connect(server, application_name="another drill") as other:
        other.execute("SELECT pg_advisory_lock(%s)", [borrowed._ADVISORY_KEY])

        proof = verify(backups, manifest, server)

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "another drill" in str(proof.reason)


def test_another_major_is_no_place_for_a_drill(
    make_zoo: Callable[..., DatabaseUrl], backups: Backups, server: DatabaseUrl
) -> None:
    proof = verify(backups, backups.take(make_zoo(15)), server)

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert "same major" in str(proof.reason)


def test_a_server_that_is_gone_finds_nothing_out(
    zoo: DatabaseUrl, backups: Backups, server: DatabaseUrl
) -> None:
    proof = verify(backups, backups.take(zoo), dataclasses.replace(server, port=1))

    assert proof.verdict is Verdict.INCONCLUSIVE


def test_the_server_of_an_environment_is_refused(tmp_path: Path) -> None:
    settings = load_settings(
        tmp_path,
        {
            "DATABASE_URL": "postgresql://a:b@db.example/bounty",
            "VERIFY_SERVER_URL": "postgresql://c:secret-word@db.example/postgres",
        },
    )

    with pytest.raises(ConfigurationError, match="is the server of development"):
        settings.drill_server()
    assert settings.verify_problem in settings.problems


def test_a_server_for_drills_is_read_and_its_password_hidden(tmp_path: Path) -> None:
    settings = load_settings(
        tmp_path, {"VERIFY_SERVER_URL": "postgresql://c:secret-word@drills.example/postgres"}
    )

    server = settings.drill_server()

    assert server is not None
    assert server.host == "drills.example"
    assert "secret-word" in settings.secrets()
    assert "secret-word" not in repr(settings)
