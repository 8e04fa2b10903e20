"""`backup restore`, `backup download` and `db refresh`, as a newcomer would try them."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops_tests.cli.documented import documented_fields
from bounty_ops_tests.fix_backups import run, sessions, value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_command_line import CommandLine

ROWS = "SELECT count(*) FROM fruit"


@pytest.fixture
def backed_up(filled: CommandLine) -> Iterator[tuple[CommandLine, str]]:
    """A database with a proved backup; what restores leave beside it is removed."""
    taken = filled.run("backup", "run", "--json")
    assert taken.code == 0, taken.stderr
    yield filled, str(taken.document["id"])
    server = filled.database.with_database("postgres")
    names = value(
        server,
        "SELECT coalesce(array_agg(datname::text), '{}') FROM pg_database"
        f" WHERE datname LIKE '{filled.database.database}\\_%'",
    )
    for name in names:
        run(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def beside(line: CommandLine) -> DatabaseUrl:
    return line.database.with_database(f"{line.database.database}_copy")


@pytest.mark.soak
def test_a_new_database_is_restored_into_at_once(backed_up: tuple[CommandLine, str]) -> None:
    line, backup = backed_up
    copy = beside(line)

    shown = line.run("backup", "restore", backup, "--into", copy.text(), "--dry-run", "--json")
    assert (shown.code, shown.document["outcome"]) == (0, "planned")
    assert shown.document["verdict"] == "proved"
    assert shown.document["expected_seconds"] > 0

    done = line.run("backup", "restore", backup[:12], "--into", copy.text(), "--json")
    assert (done.code, done.stderr) == (0, "")
    assert set(done.document) == documented_fields("backup restore")
    assert (done.document["outcome"], done.document["differences"]) == ("restored", [])
    assert value(copy, ROWS) == 100
    [record] = line.run("backup", "show", backup, "--json").document["restores"]
    assert (record["outcome"], record["address"]) == ("done", copy.address())
    assert "@" in record["operator"]


def test_an_environment_with_rows_shows_what_would_be_lost_and_takes_the_digest(
    backed_up: tuple[CommandLine, str],
) -> None:
    line, backup = backed_up
    run(line.database, "DELETE FROM fruit WHERE number > 7")

    plan = line.run("backup", "restore", backup, "--into", "development")
    assert plan.code == 1
    assert re.search(r"fruit +7 ", plan.stdout)
    assert value(line.database, ROWS) == 7
    [command] = [part for part in plan.stdout.splitlines() if "--apply" in part]

    wrong = line.run(*command.split()[1:-1], "0" * 64)
    assert (wrong.code, "another digest" in wrong.error_lines[0]) == (3, True)
    assert value(line.database, ROWS) == 7

    done = line.run(*command.split()[1:])
    assert done.code == 0, done.stderr
    assert value(line.database, ROWS) == 100
    [removal] = re.findall(r'DROP DATABASE "\w+"', done.stdout)
    run(line.database.with_database("postgres"), removal)


WRONG = (
    (("nosuch", "--into", "development"), 2, "there is no backup nosuch"),
    (("ID", "--into", "nowhere"), 2, "there is no environment 'nowhere'"),
    (("ID",), 2, "Missing option '--into'"),
    (("ID", "--into", "mysql://a/b"), 2, "does not begin with postgresql://"),
    (("ID", "--into", "postgresql://a:planted-word@127.0.0.1:1/b"), 3, "refused"),
    (("ID", "--into", "development", "--in-place"), 3, "is not empty"),
    (("ID", "--into", "development", "--tables", "fruit"), 3, "would replace it"),
    (("ID", "--into", "COPY", "--tables", "nosuch"), 2, "has no table nosuch"),
    (("ID", "--into", "COPY", "--with-references"), 2, "says nothing without --tables"),
    (("ID", "--into", "COPY", "--dry-run", "--apply", "a"), 2, "exclude each other"),
)


@pytest.mark.soak
def test_what_cannot_be_restored_is_two_lines(backed_up: tuple[CommandLine, str]) -> None:
    line, backup = backed_up
    places = {"ID": backup, "COPY": beside(line).text()}
    for words, code, told in WRONG:
        outcome = line.run("backup", "restore", *(places.get(word, word) for word in words))
        assert (outcome.code, outcome.stdout) == (code, ""), words
        assert [one.split(":")[0] for one in outcome.error_lines] == ["error", "hint"], words
        assert told in outcome.error_lines[0]
        assert "planted-word" not in outcome.stderr


def test_ctrl_c_half_way_leaves_the_target_and_nothing_beside_it(
    backed_up: tuple[CommandLine, str],
) -> None:
    line, backup = backed_up
    copy = beside(line)
    with psycopg.connect(**line.database.with_database("template1").conninfo()) as blocker:  # type: ignore[arg-type] # all are text
        # CREATE DATABASE waits for this lock, so Ctrl-C meets it half-way for certain.
        blocker.execute("LOCK TABLE pg_catalog.pg_database IN SHARE ROW EXCLUSIVE MODE")
        process = line.start("backup", "restore", backup, "--into", copy.text())
        postgres = line.database.with_database("postgres")
        while "bounty-ops restore" not in sessions(postgres):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout) == (130, "")
    assert [one.split(":")[0] for one in stderr.splitlines()] == ["error", "hint"]
    assert line.run("backup", "restore", backup, "--into", copy.text()).code == 0


def test_a_download_holds_everything_and_overwrites_nothing(
    backed_up: tuple[CommandLine, str], tmp_path: Path
) -> None:
    line, backup = backed_up
    place = tmp_path / "a backup"

    done = line.run("backup", "download", backup, str(place), "--json")
    assert (done.code, done.stderr) == (0, "")
    assert set(done.document) == documented_fields("backup download")
    names = sorted(path.name for path in place.iterdir())
    assert names == ["archive.dump", "manifest.json", "recover.py"]

    again = line.run("backup", "download", backup, str(place))
    assert (again.code, "is not empty" in again.error_lines[0]) == (2, True)
    (tmp_path / "file").touch()
    no_place = line.run("backup", "download", backup, str(tmp_path / "file"))
    assert no_place.code == 2


@pytest.mark.soak
def test_a_refresh_masks_and_asks_where_something_is(
    backed_up: tuple[CommandLine, str], make_database: Callable[..., DatabaseUrl]
) -> None:
    line, _ = backed_up
    staging = make_database()
    (line.home / ".env.staging").write_text(f"DATABASE_URL={staging.text()}\n", encoding="utf-8")
    (line.home / "bounty_ops.toml").write_text(
        '[masking]\npreset = "none"\n[masking.columns]\n"garden.tree.name" = "name"\n',
        encoding="utf-8",
    )
    run(line.database, "INSERT INTO garden.tree VALUES ('Planted Oak')")
    assert line.run("backup", "run").code == 0
    staged = line.with_variables(BOUNTY_ENV="development")

    dry = staged.run("db", "refresh", "staging", "--from", "development", "--dry-run", "--json")
    assert dry.code == 0, dry.stderr
    expected = documented_fields("backup restore") | documented_fields("db refresh")
    assert set(dry.document) == expected
    assert dry.document["masked"] == [{"column": "garden.tree.name", "rule": "name"}]

    assert staged.run("db", "refresh", "staging", "--from", "development").code == 0
    assert value(staging, ROWS) == 100
    assert value(staging, "SELECT name FROM garden.tree").startswith("Person ")

    asked = staged.run("db", "refresh", "staging", "--from", "development", "--json")
    assert (asked.code, asked.document["needs_digest"]) == (1, True)
    words = ("db", "refresh", "staging", "--from", "development", "--apply")
    assert staged.run(*words, asked.document["digest"]).code == 0
    refused = staged.run("db", "refresh", "development", "--from", "development")
    assert (refused.code, "from itself" in refused.error_lines[0]) == (2, True)
