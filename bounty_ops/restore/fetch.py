"""Fetching an archive, and making sure that it is the one that was stored."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, BinaryIO, cast

from bounty_ops.errors import ObjectNotFound
from bounty_ops.journal.records import Difference
from bounty_ops.restore.findings import Inconclusive, Refuted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.journal.records import ObjectRecord
    from bounty_ops.object_store import ObjectStore


def fetch_archive(
    store: ObjectStore, archive: ObjectRecord, path: Path, *, progress: Callable[[int], None]
) -> None:
    """Write the archive to a new file that only this user may read.

    pg_dump's archives have no checksum of their own: a flipped bit in compressed data often
    restores without any error, with other content. The SHA-256 finds every one.

    Raises:
        Refuted: it is missing, or is not what the manifest says.
        Inconclusive: there is less room here than it takes.
        OSError: the disk has become full all the same.
        ObjectStoreError: the store cannot be used.
    """
    free = shutil.disk_usage(path.parent).free
    if free < archive.size_bytes:
        raise Inconclusive(
            f"the archive has {archive.size_bytes} bytes, and {path.parent} has room for {free}"
        )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sink = cast("BinaryIO", _CountedSink(file, progress))
            received = store.download(archive.key, sink)
    except ObjectNotFound:
        raise _not_the_archive(archive, expected=_described(archive), found=None) from None
    if (received.size_bytes, received.sha256) != (archive.size_bytes, archive.sha256):
        found = f"{received.size_bytes} bytes, sha256 {received.sha256}"
        raise _not_the_archive(archive, expected=_described(archive), found=found)


class _CountedSink:
    """A file that tells how much was written into it."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self._count = 0

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        self._file.write(data)
        self._count += len(data)
        self._progress(self._count)
        return len(data)


def _described(archive: ObjectRecord) -> str:
    return f"{archive.size_bytes} bytes, sha256 {archive.sha256}"


def _not_the_archive(archive: ObjectRecord, *, expected: str, found: str | None) -> Refuted:
    return Refuted(Difference(kind="archive", object=archive.key, expected=expected, found=found))
