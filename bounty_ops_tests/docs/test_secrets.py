"""Where passwords are while a program of PostgreSQL runs, and where they are not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import DatabaseUrl
from bounty_ops.postgres.programs import Programs
from bounty_ops.postgres.run import run_program

if TYPE_CHECKING:
    from pathlib import Path

URL = DatabaseUrl.parse("postgresql://me:pl%20anted:s3cret@db.example:5432/bounty")
#: Tells of itself what anybody who looks at it could see, and how private its files are.
LOOKING = """#!/bin/sh
tr '\\0' '\\n' < /proc/$$/cmdline
tr '\\0' '\\n' < /proc/$$/environ
stat -c '%a mode' "$PGPASSFILE" "$PGSERVICEFILE" "$(dirname "$PGPASSFILE")"
cat "$PGPASSFILE"
grep core /proc/self/limits
"""


def program(directory: Path, text: str) -> Programs:
    path = directory / "pg_dump"
    path.write_text(text)
    path.chmod(0o700)
    return Programs(directory, 17, "17.0")


def test_a_program_gets_its_password_by_a_file_that_only_we_may_read(tmp_path: Path) -> None:
    said = run_program(program(tmp_path, LOOKING), "pg_dump", ["--verbose"], url=URL)
    seen, _, files = said.partition("600 mode")
    assert "pl anted" not in seen
    assert "s3cret" not in seen
    assert files.split("\n")[1:3] == ["600 mode", "700 mode"]
    assert "*:*:*:*:pl anted\\:s3cret" in files


def test_what_we_start_leaves_no_core() -> None:
    """Started by a process of ours that may write as much of one as it likes."""
    script = (
        "import resource, subprocess;"
        "from bounty_ops.process import leave_no_core;"
        "leave_no_core();"
        "print(subprocess.run(['/bin/cat', '/proc/self/limits'], capture_output=True, text=True)"
        ".stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Max core file size")]
    assert set(line.split()[4:6]) <= {"0", "1"}


#: As much of a core as the machine allows, then whatever is to be tried, then a crash.
_CRASH = """
import os, resource
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
{start}
os.abort()
"""


@pytest.mark.parametrize(
    "start",
    [
        "import bounty_ops.cli.main; bounty_ops.cli.main.main(['--version'])",
        "import bounty_ops.definitions",
    ],
    ids=["a command", "the code location"],
)
def test_what_holds_passwords_leaves_no_core(start: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _CRASH.format(start=start)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    _, status = os.waitpid(process.pid, 0)
    process.returncode = status  # somebody has waited for it: no warning
    assert os.WTERMSIG(status) == signal.SIGABRT
    assert not os.WCOREDUMP(status)


#: A program that waits for its input, and crashes; 0 if that was all, as the kernel tells it.
_CRASHING_CHILD = (
    _CRASH.partition("{start}")[0]
    + """
import signal, subprocess, sys
from bounty_ops.cli.main import main
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import start_program
main(["--version"])
with start_program(find_programs(), "pg_restore", ["--list"], stdin=subprocess.PIPE) as running:
    os.kill(running.pid, signal.SIGSEGV)
    _, status = os.waitpid(running.pid, 0)
sys.exit((os.WTERMSIG(status) != signal.SIGSEGV) + 2 * os.WCOREDUMP(status))
"""
)


def test_neither_does_a_program_that_they_started(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _CRASHING_CHILD],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
