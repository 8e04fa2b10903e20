"""Finding and running PostgreSQL's programs."""

from __future__ import annotations

import dataclasses
import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup.dump import dump_programs
from bounty_ops.errors import ProgramFailed, ProgramNotFound
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import Programs, find_programs, installed_programs
from bounty_ops.postgres.run import PIPE, run_program, start_program

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

AWKWARD = "p@ss:w\\o'rd %=\"é "


@pytest.fixture
def awkward_role(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A superuser whose password has every character that some format treats specially."""
    role = fresh_database.database.replace("test_", "su_")
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD " + _literal(AWKWARD))
    return dataclasses.replace(fresh_database, user=role, password=AWKWARD)


def _literal(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def test_programs_of_the_asked_major_are_found_and_run() -> None:
    for programs in installed_programs():
        if programs.outdated is None:
            assert find_programs(programs.major).major == programs.major
        assert f" {programs.version}" in run_program(programs, "pg_dump", ["--version"])


def test_the_newest_comes_first_and_a_server_only_where_there_is_one(tmp_path: Path) -> None:
    majors = [programs.major for programs in installed_programs()]
    assert majors == sorted(majors, reverse=True)
    assert find_programs().major == majors[0]
    assert find_programs(server=True).has_server
    assert not Programs(tmp_path, 17, "17.0").has_server


def test_a_missing_major_says_what_is_here_and_what_to_install() -> None:
    with pytest.raises(ProgramNotFound, match=r"PostgreSQL 9 .*found: .*17") as caught:
        find_programs(9)
    assert "BOUNTY_OPS_POSTGRESQL_DIR" in caught.value.hint
    with pytest.raises(ProgramNotFound, match="pg_nothing"):
        find_programs(17).path("pg_nothing")


def installation(root: Path, name: str, version: str) -> Path:
    """A directory with a program that says it is of that version."""
    directory = root / name / "bin"
    directory.mkdir(parents=True)
    script = directory / "pg_dump"
    script.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
    script.chmod(0o755)
    return directory


@pytest.mark.parametrize(
    ("version", "update_to"),
    [
        ("14.22", "14.23"),
        ("15.18", None),
        ("16.13", "16.14"),
        ("17.9", "17.10"),
        ("17.10", None),
        ("18.3", "18.4"),
        ("18.12", None),
        ("19.0", None),
        ("19beta1", None),
    ],
)
def test_programs_with_known_holes_are_told(version: str, update_to: str | None) -> None:
    major = int(version[:2])

    assert Programs(Path(), major, version).outdated == update_to


def test_programs_with_known_holes_are_refused_unless_there_are_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounty_ops.postgres.programs._FIXED_MINORS", {99: 4})
    monkeypatch.setenv("BOUNTY_OPS_POSTGRESQL_DIR", str(tmp_path))
    installation(tmp_path, "a", "99.3")

    with pytest.raises(ProgramNotFound, match=r"99\.3 .* known holes") as caught:
        find_programs(99)
    with pytest.raises(ProgramNotFound, match="known holes"):
        dump_programs(99)
    better = installation(tmp_path, "b", "99.4")

    assert "99.4 or newer" in caught.value.hint
    assert find_programs(99).directory == better
    assert dump_programs(99).directory == better


def test_of_several_of_a_major_the_newest_minor_dumps_and_among_equals_the_preferred_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOUNTY_OPS_POSTGRESQL_DIR", str(tmp_path))
    for name, version in (("a", "99.9"), ("b", "99.20"), ("c", "99.20"), ("d", "99beta1")):
        directory = installation(tmp_path, name, version)
        for program in ("postgres", "initdb"):
            (directory / program).touch()
    assert find_programs(99).directory == tmp_path / "b" / "bin"
    assert dump_programs(99).version == "99.20"
    assert find_programs().version == "99.20"
    assert find_programs(99, server=True).directory == tmp_path / "a" / "bin"


def test_a_directory_of_installations_is_looked_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pg_programs: Programs
) -> None:
    directory = installation(tmp_path, "99", "99.1")
    broken = tmp_path / "98" / "bin"
    broken.mkdir(parents=True)
    (broken / "pg_dump").write_text("#!/bin/sh\nexit 127\n")
    (broken / "pg_dump").chmod(0o755)
    monkeypatch.setenv("BOUNTY_OPS_POSTGRESQL_DIR", str(tmp_path))
    assert find_programs(99) == Programs(directory, 99, "99.1")
    assert 98 not in {programs.major for programs in installed_programs()}
    assert find_programs(pg_programs.major).version == pg_programs.version


def test_an_awkward_password_reaches_the_program_and_no_argument_or_variable(
    awkward_role: DatabaseUrl, pg_programs: Programs
) -> None:
    arguments = ["-X", "-A", "-t", "-c", "SELECT current_user", "-c", "SELECT pg_sleep(60)"]
    with start_program(pg_programs, "psql", arguments, url=awkward_role) as psql:
        assert psql.stdout.readline().decode().strip() == awkward_role.user
        process = Path("/proc") / str(psql.pid)
        seen = process.joinpath("cmdline").read_bytes() + process.joinpath("environ").read_bytes()
        assert AWKWARD.encode() not in seen
        assert b"bounty-ops-run-" in seen


def test_a_program_is_handed_no_secret_of_ours(
    fresh_database: DatabaseUrl, pg_programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {
        "DATABASE_URL": fresh_database.text(),
        "AWS_SECRET_ACCESS_KEY": "planted-key",
        "BACKUP_AGE_IDENTITY": "AGE-SECRET-KEY-1PLANTED",
        "DAGSTER_PG_PASSWORD": "planted-dagster",
        "NIGHT_CHANNEL": "slack://planted/token",
        "GITHUB_TOKEN": "planted-token",
    }
    for name, value in {**secrets, "PGOPTIONS": "-cwork_mem=5MB", "TZ": "UTC"}.items():
        monkeypatch.setenv(name, value)
    arguments = ["-X", "-A", "-t", "-c", "SHOW work_mem", "-c", "SELECT pg_sleep(60)"]
    with start_program(pg_programs, "psql", arguments, url=fresh_database) as psql:
        assert psql.stdout.readline().decode().strip() == "5MB", "libpq's own variables stay"
        seen = Path("/proc", str(psql.pid), "environ").read_text().split("\0")
    assert "TZ=UTC" in seen
    assert not {each.partition("=")[0] for each in seen} & set(secrets)


def test_the_password_of_the_url_outranks_the_variable_as_it_does_with_psycopg(
    fresh_database: DatabaseUrl, pg_programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "of-another-server")
    with connect(fresh_database, application_name="tests"):
        said = run_program(pg_programs, "psql", ["-XAtc", "SELECT 1"], url=fresh_database)
    assert said.strip() == "1"


def test_the_private_files_are_private_and_gone_afterwards(
    awkward_role: DatabaseUrl, pg_programs: Programs
) -> None:
    arguments = ["-X", "-A", "-t", "-c", r"\! echo $PGPASSFILE", "-c", "SELECT pg_sleep(60)"]
    with start_program(pg_programs, "psql", arguments, url=awkward_role) as psql:
        passfile = Path(psql.stdout.readline().decode().strip())
        assert stat.S_IMODE(passfile.stat().st_mode) == 0o600
        assert stat.S_IMODE(passfile.parent.stat().st_mode) == 0o700
    assert not passfile.parent.exists()


def test_a_program_writes_on_while_nobody_reads(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    arguments = ["-X", "-A", "-t", "-c", "SELECT repeat('x', 500000)"]
    with start_program(pg_programs, "psql", arguments, url=fresh_database) as psql:
        psql.wait()  # a usual pipe holds 65,536 bytes
        assert len(psql.stdout.read()) == 500_001


def test_a_program_that_fails_says_its_last_words_without_secrets(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    url = dataclasses.replace(fresh_database, database="no_such_database")
    with pytest.raises(ProgramFailed, match=r"status 1.*no_such_database"):
        run_program(pg_programs, "pg_dump", [], url=url)
    leaking = dataclasses.replace(fresh_database, password="leaky-pw")
    with (
        start_program(pg_programs, "psql", ["-X", "--frob=leaky-pw"], url=leaking) as psql,
        pytest.raises(ProgramFailed, match=r"\*\*\*") as caught,
    ):
        psql.wait()
    assert "leaky-pw" not in str(caught.value)


def test_a_killed_program_is_no_success_though_its_output_just_ended(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    arguments = ["-X", "-c", "SELECT pg_sleep(60)"]
    with start_program(pg_programs, "psql", arguments, url=fresh_database) as psql:
        os.kill(psql.pid, signal.SIGKILL)
        assert psql.stdout.read() == b""
        with pytest.raises(ProgramFailed, match="killed by SIGKILL"):
            psql.wait()


def test_leaving_the_block_ends_the_program(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    arguments = ["-X", "-c", "SELECT pg_sleep(60)"]
    with (
        pytest.raises(KeyboardInterrupt),
        start_program(pg_programs, "psql", arguments, url=fresh_database) as psql,
    ):
        raise KeyboardInterrupt
    with pytest.raises(ProcessLookupError):
        os.kill(psql.pid, 0)


def test_input_can_be_piped_in(fresh_database: DatabaseUrl, pg_programs: Programs) -> None:
    with start_program(
        pg_programs, "psql", ["-X", "-A", "-t"], url=fresh_database, stdin=PIPE
    ) as psql:
        psql.stdin.write(b"SELECT 6 * 7;\n")
        psql.stdin.close()
        assert psql.stdout.read() == b"42\n"
        psql.wait()


def test_a_socket_directory_and_parameters_reach_the_program(
    fresh_database: DatabaseUrl, pg_programs: Programs
) -> None:
    url = dataclasses.replace(
        fresh_database, parameters=(("options", "-c search_path=somewhere -c work_mem=5MB"),)
    )
    shown = run_program(
        pg_programs,
        "psql",
        ["-X", "-A", "-t", "-c", "SHOW search_path", "-c", "SHOW work_mem"],
        url=url,
    )
    assert shown.split() == ["somewhere", "5MB"]
