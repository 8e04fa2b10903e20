"""The dead-man's switch, fed from the command line; its troubles are a warning and no more."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.alerting.switch import TOKEN, Switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops_tests.fix_command_line import CommandLine


@pytest.fixture
def switch() -> Iterator[Switch]:
    with closing(Switch()) as made:
        yield made


@pytest.fixture
def watched(filled: CommandLine, switch: Switch) -> CommandLine:
    """A database whose policy names a switch."""
    (filled.home / "bounty_ops.toml").write_text('[defaults]\nping = "PING_URL"\n')
    line = filled.with_variables(PING_URL=switch.url)
    return replace(line, secrets=(*line.secrets, TOKEN))


@pytest.mark.soak
def test_a_proof_feeds_the_switch_and_an_unverified_backup_does_not(
    watched: CommandLine, switch: Switch
) -> None:
    unverified = watched.run("backup", "run", "--no-verify", "--json").document["id"]
    assert switch.paths == []
    assert watched.run("backup", "run").stderr == ""
    assert len(switch.paths) == 1
    assert watched.run("backup", "verify", unverified).code == 0
    assert len(switch.paths) == 2


@pytest.mark.soak
def test_a_switch_that_is_broken_fails_no_proof(watched: CommandLine, switch: Switch) -> None:
    switch.answers = [404]
    done = watched.run("backup", "run")
    assert done.code == 0
    assert "Verdict: proved" in done.stdout
    assert done.error_lines == [
        "warning: the dead-man's switch of development was not called: it answered 404"
    ]


def test_a_url_in_the_policy_is_refused_without_being_repeated(
    watched: CommandLine, switch: Switch
) -> None:
    (watched.home / "bounty_ops.toml").write_text(f'[defaults]\nping = "{switch.url}"\n')
    done = watched.run("backup", "run")
    assert done.code == 2
    assert "ping" in done.error_lines[0]
