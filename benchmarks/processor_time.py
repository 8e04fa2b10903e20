"""Who used the processors: what counts on a machine that does other things as well."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuSeconds:
    """CPU seconds of one step, by who used them."""

    process: float
    """Of our own process, from its start; nothing where it only starts the plain tool."""
    programs: float
    """Of the programs that it started: pg_dump, pg_restore, a drill's server."""
    database: float
    """Of the server with the database: the sessions of pg_dump, and of fingerprints."""
    store: float
    """Of the object store."""

    @property
    def total(self) -> float:
        """Everything."""
        return self.process + self.programs + self.database + self.store

    def __str__(self) -> str:
        named = {
            "process": self.process,
            "its programs": self.programs,
            "database server": self.database,
            "object store": self.store,
        }
        return ", ".join(f"{name} {seconds:.1f}" for name, seconds in named.items())


@dataclass(frozen=True)
class ServerSeconds:
    """CPU seconds that the servers of a run have used since they were started."""

    database: float
    store: float

    @classmethod
    def of(cls, work_dir: Path) -> ServerSeconds:
        """Read /proc; a postmaster's time holds that of its sessions that ended."""
        store = database = 0.0
        for command, seconds in _processes(work_dir):
            if Path(os.fsdecode(command[0])).name == "weed":
                store += seconds
            else:
                database += seconds
        return cls(database, store)


def _processes(work_dir: Path) -> Iterator[tuple[list[bytes], float]]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if os.fsencode(work_dir) in command:
            yield command.split(b"\0"), sum(map(int, fields[11:15])) / _TICKS
