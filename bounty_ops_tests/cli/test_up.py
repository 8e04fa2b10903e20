"""`up`: the stack runs, other commands find it, and Ctrl-C ends all of it."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

from bounty_ops_tests.cli.documented import documented_fields

if TYPE_CHECKING:
    import subprocess

    from bounty_ops_tests.fix_command_line import CommandLine


def _document(process: subprocess.Popen[str]) -> dict[str, object]:
    """The one document that `up --json` prints while it goes on running."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            break
    found: dict[str, object] = json.loads(text)
    return found


def test_databases_and_bucket_run_until_ctrl_c(bare_command_line: CommandLine) -> None:
    process = bare_command_line.start("up", "--no-ui", "--json")
    document = _document(process)
    assert set(document) == documented_fields("up")
    assert document["ui"] is None
    found = bare_command_line.run("db", "url", "--json").document
    assert found["url"] == document["database"]

    second = bare_command_line.run("up", "--no-ui")
    assert second.code == 3
    assert "runs already" in second.error_lines[-2]

    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=30)
    assert (process.returncode, rest, stderr) == (0, "", "")


def test_an_unknown_environment_starts_nothing(bare_command_line: CommandLine) -> None:
    done = bare_command_line.run("up", "--no-ui", "-e", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.error_lines[0]
    assert done.stdout == ""
