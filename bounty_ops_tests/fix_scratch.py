"""Where the suite keeps its files: in memory where there is enough, unless TMPDIR says where.

Thousands of databases are made and dropped: on a disk of a virtual machine the suite took half as
much again of the processors' time. Nothing here has to outlive the machine. A run that passed
leaves nothing, one that failed leaves its files to be looked at until the next run.
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
#: Of both versions of control groups: what they may use, and what they do use.
_LIMITS: Final = (
    ("memory.max", "memory.current"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes"),
)
#: The whole suite leaves some 3 GiB.
_FILES_BYTES: Final = 6 << 30
#: Its servers and processes want twice as much beside them.
_MEMORY_BYTES: Final = 12 << 30
_MINE = pytest.StashKey[Path]()
_STATUS = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the directory before anybody asks for one; workers inherit it."""
    if "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    _sweep()
    there = os.statvfs(_MEMORY)
    roomy = there.f_bavail * there.f_frsize >= _FILES_BYTES and min(_free()) >= _MEMORY_BYTES
    if not roomy or there.f_flag & os.ST_NOEXEC:
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
        if found and (found[1] == str(os.getpid()) or not Path("/proc", found[1]).exists()):
            shutil.rmtree(entry, ignore_errors=True)


def _free() -> Iterator[int]:
    """Bytes of memory that may still be used: of the machine, and of this container."""
    said = re.search(r"MemAvailable: +(\d+) kB", _read(Path("/proc/meminfo")))
    assert said is not None
    yield int(said[1]) << 10
    for group in _groups():
        for limit, used in _LIMITS:
            if (group / limit).exists() and (said_there := _read(group / limit)) != "max":
                yield int(said_there) - int(_read(group / used))


def _groups() -> Iterator[Path]:
    """The control groups that this process is in, up to the topmost that is seen from here."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, own = line.split(":", 2)
        top = _CGROUP / controllers  # of version 2 it is empty
        if controllers in {"", "memory"}:
            group = top / own.lstrip("/")
            yield from (top, *(each for each in (group, *group.parents) if top in each.parents))


def _read(path: Path) -> str:
    return path.read_text("utf-8").strip()
