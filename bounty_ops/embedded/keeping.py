"""Sharing a server: who needs it holds its lease, and the first one has it started.

Locks on files in the run directory carry this, for a service called ``s3``:

``s3.lease``   shared flock: "I use it". The keeper waits for the exclusive one, and then stops.
``s3.lock``    exclusive flock of the keeper for as long as it lives: "there is one".
``s3.start``   exclusive flock of whoever looks whether there is one, starts it, and waits until
               it answers; ``s3.ready`` then says so.

The kernel drops locks with their holder, so none of this can go stale.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.locks import FileLock
from bounty_ops.embedded.processes import POLL_SECONDS, ProcessId, end, with_variable
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Set for everything that a keeper starts, so that strays can be told from strangers.
MARK: Final = "BOUNTY_OPS_KEPT"
_KEEPER: Final = Path(__file__).with_name("keeper.py")
_PATIENCE_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Program:
    """What to keep running, and how to stop it."""

    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    become: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 5.0
    remove: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a keeper says about its server."""

    keeper: ProcessId
    server: ProcessId
    state: str
    status: int | None


class Kept:
    """One shared server, seen by one of its users."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name
        self.report_path = directory / f"{name}.json"
        self._pid = 0

    def file(self, kind: str) -> Path:
        """The path of one of the files described above."""
        return self.directory / f"{self.name}.{kind}"

    def report(self) -> Report | None:
        """What the keeper wrote last; None before the first."""
        try:
            found = json.loads(self.report_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return Report(
            ProcessId(found["keeper"], found["keeper_started"] or 0),
            ProcessId(found["server"], found["server_started"] or 0),
            found["state"],
            found["status"],
        )

    def kept(self) -> bool:
        """Whether a keeper lives."""
        if not self.file("lock").exists():
            return False  # never started; or a throw-away server, directory and all, is gone
        with FileLock(self.file("lock")) as lock:
            return not lock.try_lock(exclusive=False)

    def failed(self) -> bool:
        """Whether the server that we use has ended by itself."""
        self._reap()
        return not self.kept()

    def ready(self) -> bool:
        """Whether the server that runs now has answered somebody already."""
        report = self.report()
        try:
            return report is not None and self.file("ready").read_text("utf-8") == str(
                report.keeper
            )
        except OSError:
            return False

    def mark_ready(self) -> None:
        """Tell those who come later that they need not wait for its answer."""
        report = self.report()
        if report is not None:
            with writing_to(self.directory):
                self.file("ready").write_text(str(report.keeper), encoding="utf-8")

    def start(self, program: Program) -> Report:
        """Have a keeper start the server; the caller holds the lease.

        Raises:
            EmbeddedError: the keeper could not be started, or ended at once.
        """
        self._end_strays(program)
        argv = [
            sys.executable, "-I", "-S", str(_KEEPER),
            "--lease", str(self.file("lease")), "--lock", str(self.file("lock")),
            "--report", str(self.report_path), "--log", str(program.log),
            "--stop-signal", str(int(program.stop_signal)), "--grace", str(program.grace_seconds),
            *(f"--remove={path}" for path in program.remove),
            *(f"--become={argument}" for argument in program.become),
            "--", *program.argv,
        ]  # fmt: skip
        environment = {**program.environment, MARK: self.mark}
        null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        # Not subprocess.Popen: it insists on waiting for its child, and this one may well be
        # needed by others for longer than we live.
        log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        out = [(os.POSIX_SPAWN_OPEN, n, str(program.log), log_flags, 0o600) for n in (1, 2)]
        self._pid = os.posix_spawn(sys.executable, argv, environment, file_actions=[null, *out])
        return self._first_report()

    @property
    def mark(self) -> str:
        """How strays of this service are recognised."""
        return str(self.file("lock"))

    def _first_report(self) -> Report:
        pid, deadline = self._pid, time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            report = self.report()
            if report is not None and report.keeper.pid == pid and report.state != "starting":
                return report
            if self._reap():
                break
            time.sleep(POLL_SECONDS)
        raise EmbeddedError(
            f"the {self.name} server could not be started",
            hint=f"Look into {self.directory}; is its disk full?",
        )

    def _end_strays(self, program: Program) -> None:
        """End what a killed keeper left behind; its pid alone would not be proof enough."""
        left = with_variable(MARK, self.mark)
        report = self.report()
        if report is not None:
            left.append(report.server)
        end(left, first=program.stop_signal, grace_seconds=program.grace_seconds)

    def _reap(self) -> bool:
        """Collect our keeper if it has ended; True if it has."""
        if self._pid:
            try:
                pid, _ = os.waitpid(self._pid, os.WNOHANG)
            except ChildProcessError:
                pid = self._pid
            if pid:
                self._pid = 0
        return self._pid == 0

    def wait_gone(self, lease: FileLock) -> bool:
        """After our own use: wait for the keeper to end. False if others still use the server."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.kept() and time.monotonic() < deadline:
            if lease.try_lock(exclusive=True):  # nobody uses it, and the keeper has yet to notice
                lease.unlock()
            elif lease.try_lock(exclusive=False):  # so it is shared with other users
                lease.unlock()
                return False
            time.sleep(POLL_SECONDS)
        if self._pid:
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0
        return True
