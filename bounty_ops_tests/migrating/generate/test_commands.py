"""`db generate` and `db push` as they are met on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.mark.soak
def test_a_check_for_ci_and_a_push(command_line: CommandLine) -> None:
    checked = command_line.run("db", "generate", "--check", "--json")
    assert (checked.code, checked.document["outcome"]) == (0, "nothing_to_do")
    assert set(checked.document) == documented_fields("db generate")
    unnamed = command_line.run("db", "generate")
    assert unnamed.code == 2
    assert "-m" in unnamed.error_lines[1]

    shown = command_line.run("db", "push", "--json")
    assert (shown.code, shown.document["outcome"]) == (1, "planned")
    assert set(shown.document) == documented_fields("db push")
    pushed = command_line.run("db", "push", "--apply", "--json")
    assert (pushed.code, pushed.document["outcome"]) == (0, "pushed")
    again = command_line.run("db", "push")
    assert again.code == 0
    assert "nothing to do" in again.stdout
