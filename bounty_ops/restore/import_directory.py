"""Bringing a backup that was downloaded back into a bucket, as it is: same id, same bytes.

Its proofs stay behind. A proof is worth something because this program wrote it after a restore;
one that comes along in a directory could have been written by anybody. So what is imported is
unverified until it is verified here.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from bounty_ops.backup.publishing import lock_objects
from bounty_ops.errors import (
    BackupError,
    JournalError,
    ObjectStoreError,
    RestoreError,
    UsageError,
)
from bounty_ops.journal import layout
from bounty_ops.journal.importing import import_announced
from bounty_ops.journal.placed import placed_manifest
from bounty_ops.journal.records import Manifest, ObjectRecord, parse_record
from bounty_ops.journal.summary import LARGEST_RECORD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.journal import Journal
    from bounty_ops.object_store import ObjectStore

_MANIFEST: Final = "manifest.json"
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class DirectoryImport:
    """A directory that holds a whole backup, looked at; nothing has been stored yet."""

    directory: Path
    manifest: Manifest
    data: bytes
    """The manifest as it is: proofs name it by the hash of these bytes."""

    def path(self, record: ObjectRecord) -> Path:
        """Where one of its objects lies in the directory."""
        prefix = layout.backup_prefix(self.manifest.environment, self.manifest.id)
        return self.directory / record.key.removeprefix(prefix)


@dataclass(frozen=True)
class ImportedDirectory:
    """What came of an import."""

    stored: bool
    """False: the bucket had this very backup already."""
    problem: str | None = None
    """What could not be done besides, such as locking it."""


def read_directory(directory: Path) -> DirectoryImport:
    """Read the manifest of a downloaded backup.

    Raises:
        UsageError: the directory is not one of `backup download`.
        JournalError: its manifest cannot be read.
    """
    path = directory / _MANIFEST
    if (directory / "toc.dat").is_file():
        raise UsageError(
            f"{directory} is a pg_dump archive in directory format",
            hint="Dump it again with pg_dump --format=custom, and import that file.",
        )
    if not path.is_file():
        raise UsageError(
            f"{directory} holds no {_MANIFEST}",
            hint="Give a directory that `bounty-ops backup download` made, or an archive file.",
        )
    if path.stat().st_size > LARGEST_RECORD:
        raise JournalError(f"{path} is too large to be a manifest", hint="Download it again.")
    data = path.read_bytes()
    found = parse_record(Manifest, data, where=str(path))
    manifest = placed_manifest(data, found.environment, found.id)
    return DirectoryImport(directory, manifest, data)


def import_directory(
    plan: DirectoryImport, journal: Journal, *, progress: Callable[[int], None]
) -> ImportedDirectory:
    """Compare every file with the manifest, then store them, the manifest last.

    Whatever goes wrong, nothing of it is visible in the bucket.

    Raises:
        RestoreError: a file is missing or is not what the manifest says; or the bucket holds
            something else under this id.
        ObjectStoreError: the bucket said no.
    """
    manifest, store = plan.manifest, journal.store
    key = layout.manifest_key(manifest.environment, manifest.id)
    _refuse_tombstone(store, manifest)
    if store.head(key) is not None:
        if store.get(key) == plan.data:
            return ImportedDirectory(stored=False)
        raise _another(manifest)
    for record in manifest.objects:
        _require_intact(plan, record)
    with import_announced(store, manifest.environment, manifest.id):
        _store_all(plan, store, progress)
    return ImportedDirectory(stored=True, problem=_lock(journal, manifest))


def _store_all(plan: DirectoryImport, store: ObjectStore, progress: Callable[[int], None]) -> None:
    manifest = plan.manifest
    key = layout.manifest_key(manifest.environment, manifest.id)
    stored: list[str] = []
    try:
        counted = _Total(progress)
        for record in manifest.objects:
            if not _there_already(store, record, counted):
                _store(plan, store, record, counted)
                stored.append(record.key)
        store.put_if_absent(key, plan.data)
    except BaseException:
        _take_back(store, key, stored)
        raise


def _require_intact(plan: DirectoryImport, record: ObjectRecord) -> None:
    path = plan.path(record)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        raise _damaged(path, "it is missing") from None
    if (size, digest.hexdigest()) != (record.size_bytes, record.sha256):
        raise _damaged(path, f"it has {size} bytes with the SHA-256 {digest.hexdigest()}")


def _store(
    plan: DirectoryImport, store: ObjectStore, record: ObjectRecord, counted: _Total
) -> None:
    path = plan.path(record)
    digest = hashlib.sha256()

    def still_intact() -> None:
        if digest.hexdigest() != record.sha256:
            raise _damaged(path, "it changed while it was imported")

    with path.open("rb") as file:
        source = cast("BinaryIO", _Counted(file, digest, counted))
        store.upload_stream(record.key, source, before_complete=still_intact)


def _there_already(store: ObjectStore, record: ObjectRecord, counted: _Total) -> bool:
    """Whether an import that was killed has stored this very object."""
    if store.head(record.key) is None:
        return False
    found = store.download(record.key, cast("BinaryIO", _Nowhere()))
    if (found.size_bytes, found.sha256) != (record.size_bytes, record.sha256):
        raise RestoreError(
            f"something else lies at {record.key}, and no manifest names it",
            hint="Look at it and remove it; the next backup of that environment removes it when "
            "it is 20 hours old. Then import again.",
        )
    counted.add(record.size_bytes)
    return True


def _take_back(store: ObjectStore, key: str, stored: list[str]) -> None:
    """Remove what no manifest names; what cannot be removed now is swept by a later backup."""
    with suppress(ObjectStoreError):
        if store.head(key) is None:
            for one in stored:
                store.delete(one)


def _refuse_tombstone(store: ObjectStore, manifest: Manifest) -> None:
    if store.head(layout.tombstone_key(manifest.environment, manifest.id)) is not None:
        raise RestoreError(
            f"a prune of {manifest.id} was broken off: the bucket still holds its tombstone",
            hint=f"Run bounty-ops backup prune -e {manifest.environment}, which ends it; then "
            "import again.",
        )


def _lock(journal: Journal, manifest: Manifest) -> str | None:
    lock = manifest.object_lock
    if lock is None or lock.until <= datetime.now(UTC):
        return None
    try:
        lock_objects(journal, manifest)
    except BackupError as error:
        return f"its manifest says that the store locks it, and this one does not: {error}"
    return None


class _Nowhere:
    """Bytes of which only the hash counts."""

    def write(self, data: bytes) -> int:
        return len(data)


class _Total:
    """Adds up the bytes of all objects."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._count = 0

    def add(self, size: int) -> None:
        self._count += size
        self._progress(self._count)


class _Counted:
    """A file that is hashed and counted while it is read."""

    def __init__(self, file: BinaryIO, digest: hashlib._Hash, total: _Total) -> None:
        self._file = file
        self._digest = digest
        self._total = total

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._digest.update(chunk)
        self._total.add(len(chunk))
        return chunk


def _damaged(path: Path, found: str) -> RestoreError:
    return RestoreError(
        f"{path} is not what the manifest says: {found}",
        hint="Download the backup again, or take another one; nothing was imported.",
    )


def _another(manifest: Manifest) -> RestoreError:
    return RestoreError(
        f"the bucket holds another backup under the id {manifest.id}",
        hint="Import it under another prefix: set BACKUP_BUCKET=s3://bucket/another-prefix.",
    )
