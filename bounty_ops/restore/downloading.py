"""A backup as files on this machine: everything that `recover.py` needs, and nothing else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO, cast

from bounty_ops.errors import ObjectNotFound, RestoreError, UsageError
from bounty_ops.journal import layout
from bounty_ops.journal.recovery import RECOVER, recover_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest, ObjectRecord

_MANIFEST = "manifest.json"


def download_backup(
    manifest: Manifest, journal: Journal, directory: Path, *, progress: Callable[[int], None]
) -> list[Path]:
    """Write the manifest, every object as it is stored, and `recover.py` into a directory.

    Args:
        manifest: of the backup.
        journal: where it lies.
        directory: new or empty; only this user may enter it afterwards.
        progress: called with the bytes so far.

    Raises:
        UsageError: the directory is not empty, or cannot be made.
        RestoreError: an object is missing or is not what the manifest says, or the disk is full.
        ObjectStoreError: the bucket cannot be read.
    """
    _prepare(directory)
    prefix = layout.backup_prefix(manifest.environment, manifest.id)
    counted = _Total(progress)
    written: list[Path] = []
    try:
        for record in manifest.objects:
            path = directory / record.key.removeprefix(prefix)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            _object(journal, record, path, counted)
            written.append(path)
        data = journal.manifest_bytes(manifest.environment, manifest.id)
        for name, content in ((_MANIFEST, data), (RECOVER, recover_program())):
            (directory / name).write_bytes(content)
            written.append(directory / name)
    except OSError as error:
        raise RestoreError(
            f"{directory} could not be written: {error.strerror or type(error).__name__}",
            hint=f"Remove {directory}, choose a place with {manifest.size_bytes:,} bytes of room.",
        ) from None
    return written


def _prepare(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        filled = any(directory.iterdir())
    except OSError as error:
        raise UsageError(
            f"{directory} cannot be used: {error.strerror or type(error).__name__}",
            hint="Name a directory that is new or empty.",
        ) from None
    if filled:
        raise UsageError(f"{directory} is not empty", hint="Name a directory that is new or empty.")


def _object(journal: Journal, record: ObjectRecord, path: Path, counted: _Total) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sink = cast("BinaryIO", _Counted(file, counted))
            received = journal.store.download(record.key, sink)
    except ObjectNotFound:
        raise _other(record, "nothing is there") from None
    if (received.size_bytes, received.sha256) != (record.size_bytes, record.sha256):
        path.unlink()
        raise _other(record, f"{received.size_bytes} bytes with the SHA-256 {received.sha256}")


class _Total:
    """Adds up the bytes of all objects."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._count = 0

    def add(self, size: int) -> None:
        self._count += size
        self._progress(self._count)


class _Counted:
    """A file whose bytes are counted."""

    def __init__(self, file: BinaryIO, total: _Total) -> None:
        self._file = file
        self._total = total

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._total.add(len(data))
        return len(data)


def _other(record: ObjectRecord, found: str) -> RestoreError:
    return RestoreError(
        f"{record.key} is not what was stored: {found}, not {record.size_bytes} bytes with the "
        f"SHA-256 {record.sha256}",
        hint="Take another backup (bounty-ops backup list), or an older version of the object.",
    )
