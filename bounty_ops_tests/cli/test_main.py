"""What holds for every command: the shared options, exit codes, two lines, a quick start."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from bounty_ops.cli import reference
from bounty_ops.cli.shared import Group
from bounty_ops.cli.tree import root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops_tests.fix_command_line import CommandLine

_HEAVY = ("dagster", "boto3", "apprise", "alembic", "sqlalchemy", "psycopg", "pydantic", "rich")


def every_command(
    command: click.Command = root, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from every_command(child, (*path, name))


ALL = dict(every_command())


def test_the_promised_commands_are_there() -> None:
    promised = (
        "up", "demo", "status", "doctor", "db migrate", "db current", "db seed", "db url",
        "backup run", "backup list", "backup show", "backup verify", "monitor collect",
        "monitor report",
    )  # fmt: skip
    assert {tuple(words.split()) for words in promised} <= set(ALL)


@pytest.mark.parametrize("path", ALL, ids=lambda path: " ".join(path) or "root")
def test_a_command_takes_the_shared_options_and_explains_itself(path: tuple[str, ...]) -> None:
    command = ALL[path]
    names = {name for parameter in command.params for name in parameter.opts}
    assert {"-e", "--environment", "--json", "--debug"} <= names
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_the_overview_says_of_a_command_what_it_says_of_itself(path: tuple[str, ...]) -> None:
    group = ALL[path[:-1]]
    assert isinstance(group, Group)
    [branch] = [branch for branch in group.branches if branch.name == path[-1]]
    assert ALL[path].name == branch.name
    first_paragraph = inspect.cleandoc(ALL[path].help or "").split("\n\n")[0]
    assert first_paragraph.replace("\n", " ").startswith(branch.summary.rstrip("."))


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(reference.__file__).parents[2] / "docs" / "reference" / "cli.md"
    assert page.read_text(encoding="utf-8") == reference.reference(), (
        "run: python -m bounty_ops.cli.reference > docs/reference/cli.md"
    )


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    program = (
        "import sys, bounty_ops.cli.main; "
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(reference.__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


def test_no_command_loads_dagster() -> None:
    program = (
        "import sys; from bounty_ops.cli.reference import reference; reference(); "
        "print([name for name in sys.modules if name.startswith('dagster')])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(reference.__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("--nonsense",),
        ("db", "nonsense"),
        ("backup", "show"),
        ("backup", "run", "--nonsense"),
        ("db", "seed", "--rows", "many"),
        ("db", "seed", "--rows", "0"),
        ("-e",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_two_lines_and_exit_code_2(
    bare_command_line: CommandLine, words: tuple[str, ...]
) -> None:
    outcome = bare_command_line.run(*words)
    assert outcome.code == 2
    assert outcome.stdout == ""
    assert [line.split(":")[0] for line in outcome.error_lines] == ["error", "hint"]


def test_with_json_an_error_is_one_document_as_well(bare_command_line: CommandLine) -> None:
    outcome = bare_command_line.run("backup", "run", "--nonsense", "--json")
    assert outcome.code == 2
    assert outcome.document == {
        "error": {
            "message": "No such option '--nonsense'.",
            "hint": "See `bounty-ops backup run --help`.",
            "exit_code": 2,
        }
    }
    assert len(outcome.error_lines) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("-e", "nowhere", "db", "url", "--json"),
        ("db", "-e", "nowhere", "--json", "url"),
        ("--json", "db", "url", "-e", "nowhere"),
        ("-e", "development", "db", "url", "--json", "--environment", "nowhere"),
    ],
    ids=" ".join,
)
def test_the_shared_options_may_stand_anywhere_and_the_last_one_counts(
    bare_command_line: CommandLine, words: tuple[str, ...]
) -> None:
    outcome = bare_command_line.run(*words)
    assert outcome.code == 2
    assert "'nowhere'" in outcome.document["error"]["message"]


def test_a_group_alone_shows_its_menu(bare_command_line: CommandLine) -> None:
    outcome = bare_command_line.run("backup")
    assert outcome.code == 2
    assert "verify" in outcome.stdout
    assert outcome.stderr == ""


def test_help_and_version_are_no_errors(bare_command_line: CommandLine) -> None:
    assert bare_command_line.run("--version").stdout.startswith("bounty-ops ")
    outcome = bare_command_line.run("backup", "verify", "-h")
    assert outcome.code == 0
    assert "throw-away" in outcome.stdout


def test_a_broken_url_is_named_without_repeating_it(bare_command_line: CommandLine) -> None:
    broken = bare_command_line.with_variables(
        DATABASE_URL="postgresql://bounty:planted@secret@db.example/bounty"
    )
    outcome = broken.run("db", "url")
    assert outcome.code == 2
    assert "unencoded `@`" in outcome.error_lines[0]
    assert "planted" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("words", [("--help",), ("alerts", "rules")])
def test_nobody_reading_on_is_not_worth_a_word(
    command_line: CommandLine, words: tuple[str, ...]
) -> None:
    # A help text, or a table, written into a pipe whose reader is gone.
    process = command_line.start(*words)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 141
