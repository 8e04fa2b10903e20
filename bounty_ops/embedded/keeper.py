"""Keep one server running for exactly as long as somebody holds its lease.

Run by path (``python -I -S keeper.py ... -- program arguments``) in a session of its own, with
the standard library only, so that a keeper costs a few megabytes. The lease is a file: whoever
needs the server holds a shared ``flock`` on it. The keeper waits for the exclusive one, which the
kernel grants the moment the last user lets go or *dies*, SIGKILL included. Then it stops the
server, removes what it was told to remove, and ends. So

* no command leaves a server behind, however it ends;
* commands share servers, and it does not matter which of them finishes first;
* a process that outlives its server's stop is killed with all its descendants, which are handed
  to the keeper (a "child subreaper") when their own parents die.

The keeper reports in a JSON file: the server's pid and start time, and at the end its status.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.02
_TASKS = Path("/proc/self/task")
_BECOME = Path(__file__).with_name("become.py")


def started_at(pid: int) -> int | None:
    """The start time of a living process in clock ticks since boot; None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def our_children() -> list[int]:
    """The pids of our direct children, zombies included."""
    try:
        lists = [(task / "children").read_text("ascii") for task in _TASKS.iterdir()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return _children_among_all(os.getpid())
    return [int(pid) for text in lists for pid in text.split()]


def _children_among_all(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


class Keeper:
    """One server, its lease, and the report about both."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.report: dict[str, object] = {
            "keeper": os.getpid(),
            "keeper_started": started_at(os.getpid()),
            "server": 0,
            "server_started": 0,
            "state": "starting",
            "status": None,
        }
        self.server = 0
        self.status: int | None = None

    def tell(self, **changes: object) -> bool:
        """Write the report so that a reader sees either the old one or the new one."""
        self.report.update(changes)
        target = Path(self.options.report)
        fresh = target.with_name(target.name + ".new")
        try:
            fresh.write_text(json.dumps(self.report), encoding="utf-8")
            fresh.replace(target)
        except OSError:
            return False  # a full disk, or the directory is gone
        return True

    def start(self, log: int) -> bool:
        """Start the server as our child; ``become.py`` sees to its identity and its signals.

        False: nobody would learn of it, so it was stopped again.
        """
        argv = [
            sys.executable, "-I", "-S", str(_BECOME),
            "--death-signal", str(self.options.stop_signal), "--parent", str(os.getpid()),
            *self.options.become, "--", *self.options.program,
        ]  # fmt: skip
        null = os.open(os.devnull, os.O_RDONLY)
        actions = [
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ]
        self.server = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)
        os.close(null)
        if self.tell(server=self.server, server_started=started_at(self.server), state="running"):
            return True
        self.stop()
        return False

    def reap(self) -> bool:
        """Collect whatever ended; True once the server itself is gone."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.status = -1 if self.status is None else self.status
                return True
            if pid == 0:
                return self.status is not None
            if pid == self.server:
                self.status = os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """Ask the server to stop, wait for the grace time, then kill what is left of its tree."""
        deadline = time.monotonic() + self.options.grace
        asked: set[int] = set()
        # The end of a parent hands its children to us, so go on until there is nobody left.
        while left := our_children():
            late = time.monotonic() > deadline
            for pid in left:
                if late or pid not in asked:
                    os.kill(pid, signal.SIGKILL if late else self.options.stop_signal)
                    os.kill(pid, signal.SIGCONT)  # one that was stopped would never hear it
                    asked.add(pid)
            self.reap()
            time.sleep(_POLL_SECONDS)

    def run(self, lease: int) -> int:
        """Wait for the end of the server or of its last user; returns our exit status."""
        threading.Thread(target=_wait_for_last_user, args=(lease,), daemon=True).start()
        wanted = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}
        while not self.reap():
            if signal.sigwait(wanted) != signal.SIGCHLD:
                self.stop()
                self.tell(state="stopped", status=self.status)
                self.remove()
                return 0
        # It ended by itself. Its helpers are of no use without it.
        self.stop()
        self.tell(state="ended", status=self.status)
        return 1

    def remove(self) -> None:
        """Delete what a server was told to leave nothing of: directories, and sockets."""
        for path in self.options.remove:
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                Path(path).unlink()


def _wait_for_last_user(lease: int) -> None:
    fcntl.flock(lease, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGUSR1)


def main() -> int:
    """Keep the server that the arguments name."""
    parser = argparse.ArgumentParser(prog="keeper")
    parser.add_argument("--lease", required=True)
    parser.add_argument("--lock", required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--stop-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--grace", type=float, default=5.0)
    parser.add_argument("--remove", action="append", default=[])
    parser.add_argument("--become", action="append", default=[])
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    os.umask(0o077)
    os.setsid()
    os.chdir("/")
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # Every thread inherits the mask; the main thread then takes the signals one by one.
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    lock = os.open(options.lock, flags, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)  # others hold it only for the moment in which they look
    lease = os.open(options.lease, flags, 0o600)
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    keeper = Keeper(options)
    return keeper.run(lease) if keeper.start(log) else 1


if __name__ == "__main__":
    sys.exit(main())
