"""What a PostgreSQL server left in its data directory: alive, orphaned, or only a stale file.

PostgreSQL itself refuses to start as long as *some* process has the pid in ``postmaster.pid``;
after a crash in a container, where pids are few, one usually has. It would be as wrong to remove
the file while a backend of the crashed server still writes.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from bounty_ops.embedded.processes import (
    ProcessId,
    all_processes,
    end,
    program_name,
    working_directory,
)

if TYPE_CHECKING:
    from pathlib import Path

_STATUS_LINE = 7


def servers_of(data: Path) -> list[ProcessId]:
    """Every living process of PostgreSQL on this data directory; they all stand in it."""
    place = data.resolve()
    found = []
    for pid in all_processes():
        if working_directory(pid) == place and program_name(pid) == "postgres":
            identity = ProcessId.of(pid)
            if identity is not None:
                found.append(identity)
    return found


def clear_remains(data: Path, *, grace_seconds: float) -> None:
    """End an orphaned server of this directory, then remove its lock files."""
    left = servers_of(data)
    pid = recorded_pid(data)
    main = [process for process in left if process.pid == pid]
    # Fast shutdown of the postmaster takes its backends along and leaves nothing to recover.
    end(main, first=signal.SIGINT, grace_seconds=grace_seconds)
    end(servers_of(data), first=signal.SIGQUIT, grace_seconds=grace_seconds)
    (data / "postmaster.pid").unlink(missing_ok=True)


def clear_socket(directory: Path) -> None:
    """Remove sockets and socket locks of a server that is known to be gone."""
    for leftover in directory.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def recorded_pid(data: Path) -> int:
    """The pid in ``postmaster.pid``; 0 without one."""
    try:
        first = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError):
        return 0
    return int(first) if first.strip().isdigit() else 0


def accepts_connections(data: Path, pid: int) -> bool:
    """Whether the server with this pid has finished its start-up and recovery."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return False
    return (
        len(lines) > _STATUS_LINE
        and lines[0].strip() == str(pid)
        and lines[_STATUS_LINE].strip() == "ready"
    )
