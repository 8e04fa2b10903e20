"""Processes as the kernel shows them under /proc: who is alive, and is it still the same one.

A pid alone names nobody: after a reboot, and all the time in a container, the number in a file
belongs to another process. Nothing here is ever killed by its number alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded.keeper import started_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POLL_SECONDS: Final = 0.02
_PROC: Final = Path("/proc")


@dataclass(frozen=True)
class ProcessId:
    """A process: its pid, and when it started in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> ProcessId | None:
        """The process that has this pid now; None where there is none, or only a zombie."""
        started = started_at(pid) if pid > 0 else None
        return None if started is None else cls(pid, started)

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return started_at(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process is gone and its pid perhaps somebody else's."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def all_processes() -> Iterable[int]:
    """The pids of everything that runs here."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def working_directory(pid: int) -> Path | None:
    """Where a process stands; None where that cannot be seen."""
    try:
        return Path(os.readlink(_PROC / str(pid) / "cwd"))  # noqa: PTH115 - readlink of a magic link
    except OSError:
        return None


def program_name(pid: int) -> str:
    """The file name of the program that a process runs; '' where that cannot be seen."""
    try:
        target = os.readlink(_PROC / str(pid) / "exe")  # noqa: PTH115 - may end in " (deleted)"
    except OSError:
        return ""
    return Path(target.removesuffix(" (deleted)")).name


def with_variable(name: str, value: str) -> list[ProcessId]:
    """Every process of ours that was started with this environment variable."""
    wanted = f"{name}={value}".encode()
    found = []
    for pid in all_processes():
        try:
            variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        identity = ProcessId.of(pid)
        if wanted in variables and identity is not None:
            found.append(identity)
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look again and again until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(processes: Iterable[ProcessId], *, first: signal.Signals, grace_seconds: float) -> None:
    """Ask processes to end, and kill those that have not after the grace time."""
    left = [process for process in processes if process.alive()]
    for process in left:
        process.send(first)
        process.send(signal.SIGCONT)  # one that was stopped would never hear the other
    if wait_until(lambda: not any(process.alive() for process in left), grace_seconds):
        return
    for process in left:
        process.send(signal.SIGKILL)
    wait_until(lambda: not any(process.alive() for process in left), grace_seconds)
