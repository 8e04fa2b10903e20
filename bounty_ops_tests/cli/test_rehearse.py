"""`db rehearse`: what it answers, and with which exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    from bounty_ops_tests.fix_command_line import CommandLine


def test_without_a_proved_backup_it_finds_nothing_out(command_line: CommandLine) -> None:
    done = command_line.run("db", "rehearse", "--json")

    assert done.code == 1, done.stderr
    assert done.document["outcome"] == "inconclusive"
    assert "there is no proved backup of development" in done.document["reason"]
    assert set(done.document) == documented_fields("db rehearse")
    assert "inconclusive" in command_line.run("db", "rehearse").stdout


@pytest.mark.soak
def test_a_rehearsal_from_the_first_revision_on(filled: CommandLine) -> None:
    command_line = filled
    assert command_line.run("backup", "run").code == 0

    done = command_line.run("db", "rehearse", "--json")
    shown = command_line.run("db", "rehearse", "--backup", done.document["backup_id"][:18])

    assert (done.code, done.stderr) == (0, "")
    assert (done.document["outcome"], done.document["round_trip"]) == ("passed", "equal")
    assert set(done.document) == documented_fields("db rehearse")
    assert done.document["statements"]
    assert shown.code == 0
    assert "OUTCOME" in shown.stdout
    assert "STRONGEST LOCK" in shown.stdout

    assert command_line.run("db", "migrate").code == 0
    nothing = command_line.run("db", "rehearse", "--json")
    assert (nothing.code, nothing.document["outcome"]) == (0, "nothing_to_do")
    assert set(nothing.document) == documented_fields("db rehearse")
