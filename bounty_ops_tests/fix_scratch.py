"""Where the suite keeps its files: in memory where there is enough, unless TMPDIR says where.

Thousands of databases are made and dropped. On a disk of a virtual machine that took two fifths of
the processors' time; nothing here has to outlive the machine. A run that passed leaves nothing, one
that failed leaves its files to be looked at until the next run.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the directory in it has a name of its own
_NAME: Final = re.compile(r"bounty-(\d+)")
_CGROUP: Final = Path("/sys/fs/cgroup")
#: The whole suite leaves 2.3 GiB; the servers want some as well.
_ROOM_BYTES: Final = 8 << 30
_MINE = pytest.StashKey[Path]()
_STATUS = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the directory before anybody asks for one; workers inherit it."""
    if "TMPDIR" in os.environ or not _MEMORY.is_dir():
        return
    _sweep()
    if min(_rooms()) < _ROOM_BYTES or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return
    mine = _MEMORY / f"bounty-{os.getpid()}"
    mine.mkdir()
    mine.chmod(0o1777)  # as /tmp: some tests run as somebody else
    os.environ["TMPDIR"] = str(mine)
    tempfile.tempdir = None
    config.stash[_MINE] = mine


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember whether anybody will want to look at the files."""
    session.config.stash[_STATUS] = exitstatus


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove them if nobody will."""
    mine = config.stash.get(_MINE, None)
    if mine is not None and config.stash.get(_STATUS, 1) == pytest.ExitCode.OK:
        shutil.rmtree(mine, ignore_errors=True)


def _sweep() -> None:
    """Remove what former runs left."""
    for entry in _MEMORY.iterdir():
        found = _NAME.fullmatch(entry.name)
        if found and not Path("/proc", found[1]).exists():
            shutil.rmtree(entry, ignore_errors=True)


def _rooms() -> Iterator[int]:
    """Bytes that may be used: of the file system, of the machine, of this container."""
    there = os.statvfs(_MEMORY)
    yield there.f_bavail * there.f_frsize
    said = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text("utf-8"))
    assert said is not None
    yield int(said[1]) << 10
    most, used = _CGROUP / "memory.max", _CGROUP / "memory.current"
    if most.exists() and (limit := most.read_text("utf-8").strip()) != "max":
        yield int(limit) - int(used.read_text("utf-8"))
