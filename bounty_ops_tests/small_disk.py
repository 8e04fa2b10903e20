"""A directory on a disk that is nearly full, by whichever means this machine allows."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bounty_ops.embedded.privileges import server_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def small_disk(place: Path, room: int, *, largest_file: int | None = None) -> Iterator[bool]:
    """Make a directory in which there is no room for more than so many bytes.

    A file system of its own where we may mount one and servers put their files into it; else a
    limit of the size of each file (`largest_file`, or `room`), for this process and its children.
    Both end in an error of write(2). Yields whether the file system is a real one.
    """
    place.mkdir(parents=True)
    libc = ctypes.CDLL(None, use_errno=True)
    path = os.fsencode(place)
    probe = place / "server"
    ours = server_user().place(probe) == probe  # servers may have to put their data elsewhere
    if probe.is_dir():
        probe.rmdir()
    if ours and libc.mount(b"tmpfs", path, b"tmpfs", 0, b"size=%d,mode=0700" % room) == 0:
        try:
            yield True
        finally:
            assert libc.umount2(path, 0) == 0
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file or room, limits[1]))
    try:
        yield False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
