"""A full disk, for real: each server says so, and works again once there is space."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import stand_in, throwaway_cluster
from bounty_ops.environments import load_settings
from bounty_ops.errors import EmbeddedError
from bounty_ops_tests.embedded.observing import none_left

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.postgres.programs import Programs

#: Enough for our own small files, and not for the 16 MB of PostgreSQL's first WAL segment.
_ROOM = 12 * 1024**2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a disk that is nearly full; a limit of the file size where none is allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = tmp_path / "disk"
    place.mkdir()
    path = os.fsencode(place)
    if libc.mount(b"tmpfs", path, b"tmpfs", 0, b"size=%d,mode=0700" % _ROOM) == 0:
        try:
            yield place
        finally:
            assert none_left(place)
            assert libc.umount2(path, 0) == 0
        return
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_ROOM, limits[1]))
    try:
        yield place
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_throwaway_cluster_says_that_the_disk_is_full_and_leaves_nothing(
    small_disk: Path, pg_programs: Programs
) -> None:
    with (
        pytest.raises(EmbeddedError, match="the disk is full") as caught,
        throwaway_cluster(pg_programs, work_dir=small_disk / "work"),
    ):
        raise AssertionError
    assert "Free some space" in caught.value.hint
    assert list((small_disk / "work").glob("cluster-*")) == []


def test_a_stand_in_says_that_the_disk_is_full_and_can_be_tried_again(small_disk: Path) -> None:
    settings = load_settings(small_disk, {})
    for _ in range(2):
        with pytest.raises(EmbeddedError, match="the disk is full") as caught:  # noqa: SIM117 - the block must not be entered
            with stand_in(settings, bucket=False):
                raise AssertionError
        assert str(small_disk) in caught.value.hint
    # A cluster that is only half made would be taken for a complete one by the next start.
    assert not (small_disk / ".bounty-ops" / "cluster" / "data").exists()


def test_a_disk_without_any_room_is_noticed_before_a_server_is_started(small_disk: Path) -> None:
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))
    if os.statvfs(small_disk).f_bavail:
        return  # only the size of a single file is limited here
    with pytest.raises(EmbeddedError, match="the disk is full"):  # noqa: SIM117 - the block must not be entered
        with stand_in(load_settings(small_disk / "project", {})):
            raise AssertionError
