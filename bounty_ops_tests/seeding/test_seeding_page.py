"""What docs/reference/seeding.md shows is what happens."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import psycopg

from bounty_ops_tests.docs.pages import blocks_of
from bounty_ops_tests.docs.shapes import difference

if TYPE_CHECKING:
    import pytest

    from bounty_ops_tests.fix_command_line import CommandLine

_PAGE = "docs/reference/seeding.md"


def test_the_page_shows_what_the_commands_print(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(**command_line.database.conninfo()) as connection:  # type: ignore[arg-type] # all are text
        connection.execute("CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    [screen] = [block for block in blocks_of(_PAGE) if block.language == "console"]
    name = f"{command_line.database.host}:{command_line.database.port}/"
    for command, code in zip(screen.commands, (1, 0), strict=True):
        done = command_line.run(*command.text.split()[1:])
        assert done.code == code, done.stderr
        printed = done.stdout.replace(name, "127.0.0.1:5432/")
        printed = printed.replace(command_line.database.database, "bounty")
        assert difference(command.output, printed.splitlines()) is None

    [example] = [block for block in blocks_of(_PAGE) if block.language == "python"]
    assert command_line.run("db", "reset", "--no-seed", "--yes").code == 0
    monkeypatch.chdir(command_line.home)
    for variable, value in command_line.variables.items():
        monkeypatch.setenv(variable, value)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(example.text, _PAGE, "exec"), {})  # noqa: S102 - our own page
    assert said.getvalue().startswith("2000 rows, of them ")
