"""Looking at processes from outside, as `ps` would, and running parts of ours in others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bounty_ops.embedded.processes import ProcessId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0


def processes_of(place: Path) -> list[int]:
    """Every living process that was started for this place, by argv, variables or directory."""
    wanted = os.fsencode(place)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            text += os.fsencode(os.readlink(entry / "cwd"))  # noqa: PTH115 - a magic link
            if wanted in text and ProcessId.of(int(entry.name)):
                found.append(int(entry.name))
    return found


def kill_all(pids: Iterable[int]) -> None:
    """SIGKILL for each; the death of one may end others first."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command_lines(pids: list[int]) -> str:
    """All their argv in one text."""
    lines = []
    for pid in pids:
        with suppress(OSError):
            lines.append(Path(f"/proc/{pid}/cmdline").read_text("utf-8").replace("\0", " "))
    return "\n".join(lines)


def postmaster_of(place: Path) -> int:
    """The one server of a place; a child that it has just forked has the same command line."""
    servers = {
        pid
        for pid in processes_of(place)
        if "keeper" not in (line := command_lines([pid])) and "postgres -D" in line
    }
    # Of a child that has ended meanwhile nothing is known any more.
    [postmaster] = [pid for pid in servers if _parent_of(pid) not in {None, *servers}]
    return postmaster


def _parent_of(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def none_left(place: Path, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether all processes of a place end within the time."""
    deadline = time.monotonic() + seconds
    while processes_of(place):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)  # looking at every process is not cheap
    return True


@contextmanager
def python(
    code: str, *arguments: object, environ: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process of ours that runs this code; whatever is left of it dies at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line that it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
