"""`db dump`: for people, whole or not there, and never over something else."""

from __future__ import annotations

import hashlib
import os
import pty
import signal
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops_tests.fix_command_line import CommandLine


def listing(path: Path) -> str:
    program = find_programs(17).path("pg_restore")
    return subprocess.run(
        [program, "--list", path], check=True, capture_output=True, text=True
    ).stdout


def files(home: Path) -> set[str]:
    return {each.name for each in home.iterdir()}


def test_an_archive_is_written_for_its_owner_alone(filled: CommandLine) -> None:
    made = filled.run("db", "dump", "-o", "all.dump", "--json")
    assert (made.code, made.stderr) == (0, "")
    path = filled.home / "all.dump"
    assert set(made.document) == documented_fields("db dump")
    assert made.document["file"] == str(path)
    assert (made.document["format"], made.document["contents"]) == ("custom", "everything")
    data = path.read_bytes()
    assert made.document["sha256"] == hashlib.sha256(data).hexdigest()
    assert made.document["size_bytes"] == len(data)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "TABLE DATA garden tree" in listing(path)
    assert files(filled.home) == {"all.dump"}


@pytest.mark.parametrize(
    ("option", "has", "lacks"),
    [
        ("--schema-only", "TABLE garden tree", "TABLE DATA"),
        ("--data-only", "TABLE DATA garden tree", "TABLE garden tree"),
    ],
)
def test_a_part_holds_that_part(filled: CommandLine, option: str, has: str, lacks: str) -> None:
    said = filled.run("db", "dump", option, "-o", "part.dump")
    assert said.code == 0, said.stderr
    assert said.stdout.startswith("Dumped development into part.dump: ")
    listed = listing(filled.home / "part.dump")
    assert has in listed
    assert lacks not in listed


def test_sql_goes_to_standard_output_and_nothing_else_does(filled: CommandLine) -> None:
    said = filled.run("db", "dump", "--plain")
    assert (said.code, said.stderr) == (0, "")
    assert said.stdout.startswith("--")
    assert "CREATE TABLE garden.tree" in said.stdout
    assert "Dumped development" not in said.stdout


def test_nothing_is_overwritten(filled: CommandLine) -> None:
    path = filled.home / "mine.txt"
    path.write_text("mine")
    said = filled.run("db", "dump", "-o", "mine.txt")
    assert said.code == 2
    assert "mine.txt exists already" in said.error_lines[0]
    assert path.read_text() == "mine"
    dangling = filled.home / "link"
    dangling.symlink_to("nowhere")
    assert filled.run("db", "dump", "-o", "link").code == 2
    assert files(filled.home) == {"mine.txt", "link"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("-o", "."), "is a directory"),
        (("-o", "no/such/place"), "there is no directory"),
        (("--schema-only", "--data-only"), "exclude each other"),
        (("--json",), "cannot both go to standard output"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(
    filled: CommandLine, words: tuple[str, ...], why: str
) -> None:
    said = filled.run("db", "dump", *words)
    assert said.code == 2
    assert why in said.error_lines[0]
    assert len(said.error_lines) == 2
    assert files(filled.home) == set()


def test_a_database_that_is_away_leaves_no_file(filled: CommandLine) -> None:
    away = filled.with_variables(DATABASE_URL="postgresql://a:planted@127.0.0.1:1/b")
    said = away.run("db", "dump", "-o", "x.dump")
    assert said.code == 3
    assert "planted" not in said.stderr
    assert files(filled.home) == set()


def test_a_terminal_is_spared_the_binary_archive(filled: CommandLine) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            filled.argv("db", "dump"),
            env=filled.environ(),
            cwd=filled.home,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2
    assert "standard output is a terminal" in done.stderr


def test_circular_references_are_told_as_pg_dump_tells_them(filled: CommandLine) -> None:
    with psycopg.connect(**filled.database.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE TABLE a (id int PRIMARY KEY, parent int REFERENCES a)")
    said = filled.run("db", "dump", "--data-only", "-o", "rows.dump")
    assert said.code == 0
    assert said.error_lines[0].startswith("warning: there are circular foreign-key constraints")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_leaves_nothing_half_written(
    filled: CommandLine, number: signal.Signals, code: int
) -> None:
    with psycopg.connect(**filled.database.conninfo()) as blocker:  # type: ignore[arg-type] # all are text
        # pg_dump has to wait for this lock, so Ctrl-C meets it half-way for certain.
        blocker.execute("LOCK TABLE fruit IN ACCESS EXCLUSIVE MODE")
        process = filled.start("db", "dump", "-o", "half.dump")
        deadline = time.monotonic() + 60
        while not any(name.endswith(".partial") for name in files(filled.home)):
            assert time.monotonic() < deadline, "no file was begun"
            time.sleep(0.05)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == code
    assert [line.split(":")[0] for line in stderr.splitlines()] == ["error", "hint"]
    assert files(filled.home) == set()


def test_a_device_is_not_written_over(filled: CommandLine) -> None:
    said = filled.run("db", "dump", "-o", "/dev/full")
    assert said.code == 2
    assert "exists already" in said.error_lines[0]
