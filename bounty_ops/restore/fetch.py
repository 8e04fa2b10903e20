"""Fetching the objects of a backup, and making sure that they are the ones that were stored."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from bounty_ops.backup.encryption import Decrypting, NoKey, NotDecryptable
from bounty_ops.errors import ObjectNotFound
from bounty_ops.journal.records import Difference
from bounty_ops.restore.findings import Inconclusive, Refuted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bounty_ops.journal.records import Manifest, ObjectRecord
    from bounty_ops.object_store import ObjectStore

logger = logging.getLogger(__name__)

#: Objects at a time; a download keeps one processor busy with hashing and decrypting.
_AT_A_TIME: Final = 2
MAIN: Final = "archive.dump"


@dataclass(frozen=True)
class Fetched:
    """The plain pg_dump archives of one backup, as files that only this user may read."""

    main: Path
    shards: tuple[Path, ...] = ()


def fetch_backup(
    manifest: Manifest,
    store: ObjectStore,
    directory: Path,
    *,
    identities: Sequence[str],
    progress: Callable[[int], None],
) -> Fetched:
    """Write all objects of a backup to new files below `directory`, decrypted.

    pg_dump's archives have no checksum of their own: a flipped bit in compressed data often
    restores without any error, with other content. The SHA-256 finds every one. What differs is
    fetched a second time, so that damage on the way is not told of the backup.

    Args:
        manifest: of the backup.
        store: where it lies.
        directory: for the files; private, because they hold everything in the clear.
        identities: private keys of age, needed if it is encrypted.
        progress: called with the bytes fetched so far, from other threads.

    Raises:
        Refuted: an object is missing, or is not what the manifest says.
        Inconclusive: there is less room here than it takes, or no key that opens it.
        OSError: the disk has become full all the same.
        ObjectStoreError: the store cannot be used.
    """
    _require_room(manifest, directory)
    if manifest.encryption is not None and not identities:
        raise _no_key(manifest)
    fetching = _Fetching(manifest, store, identities, progress)
    paths = [directory / MAIN]
    paths += [directory / f"shard-{n:04}.dump" for n in range(1, len(manifest.shards) + 1)]
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="bounty-ops-fetch") as pool:
        objects = (manifest.archive, *manifest.shards)
        try:
            list(pool.map(fetching.fetch, objects, paths))
        except BaseException:
            fetching.given_up.set()
            raise
    return Fetched(paths[0], tuple(paths[1:]))


class _GivenUp(Exception):  # noqa: N818 - another object failed first
    """Nobody waits for this object any more."""


class _Sink(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Write all of `data`."""


class _Fetching:
    """The downloads of one backup."""

    def __init__(
        self,
        manifest: Manifest,
        store: ObjectStore,
        identities: Sequence[str],
        progress: Callable[[int], None],
    ) -> None:
        self._manifest = manifest
        self._store = store
        self._identities = identities
        self._progress = progress
        self._lock = threading.Lock()
        self._count = 0
        self.given_up = threading.Event()

    def fetch(self, record: ObjectRecord, path: Path) -> None:
        """Fetch one object."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                try:
                    self._fetch_into(record, file)
                except Refuted as finding:
                    # A bit may have flipped on the way. Only what is there twice speaks against it.
                    logger.warning("%s is fetched once more: %s", record.key, finding.difference)
                    file.seek(0)
                    file.truncate()
                    self._fetch_into(record, file)
        except _GivenUp:
            return
        except BaseException:
            self.given_up.set()
            raise

    def _fetch_into(self, record: ObjectRecord, file: BinaryIO) -> None:
        if self._manifest.encryption is None:
            self._download(record, file)
        else:
            self._decrypted(record, file)

    def _decrypted(self, record: ObjectRecord, file: BinaryIO) -> None:
        with Decrypting(file, self._identities) as decrypting:
            self._download(record, decrypting)  # the hash first: it tells damage from a wrong key
            try:
                decrypting.finish()
            except NoKey:
                raise _no_key(self._manifest) from None
            except NotDecryptable:
                raise Refuted(
                    Difference(
                        kind="encryption",
                        object=record.key,
                        expected="decrypts to its end",
                        found="a key fits, but the content is damaged",
                    )
                ) from None

    def _download(self, record: ObjectRecord, sink: _Sink) -> None:
        try:
            counted = cast("BinaryIO", _CountedSink(sink, self._advance))
            received = self._store.download(record.key, counted)
        except ObjectNotFound:
            raise _not_the_object(record, found=None) from None
        if (received.size_bytes, received.sha256) != (record.size_bytes, record.sha256):
            self._advance(-received.size_bytes)
            found = f"{received.size_bytes} bytes, sha256 {received.sha256}"
            raise _not_the_object(record, found=found)

    def _advance(self, size: int) -> None:
        if self.given_up.is_set():
            raise _GivenUp
        with self._lock:
            self._count += size
            count = self._count
        self._progress(count)


class _CountedSink:
    """Passes on what is written, and tells how much it was."""

    def __init__(self, sink: _Sink, advance: Callable[[int], None]) -> None:
        self._sink = sink
        self._advance = advance

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        self._sink.write(data)
        self._advance(len(data))
        return len(data)


def _require_room(manifest: Manifest, directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < manifest.size_bytes:
        raise Inconclusive(
            f"the archive has {manifest.size_bytes} bytes, and {directory} has room for {free}"
        )


def _no_key(manifest: Manifest) -> Inconclusive:
    recipients = manifest.encryption.recipients if manifest.encryption is not None else ()
    return Inconclusive(
        f"the backup is encrypted to {', '.join(recipients)}, and no private key here opens it: "
        "set BACKUP_AGE_IDENTITY or BACKUP_AGE_IDENTITY_FILE"
    )


def _not_the_object(record: ObjectRecord, *, found: str | None) -> Refuted:
    expected = f"{record.size_bytes} bytes, sha256 {record.sha256}"
    kind = "archive" if record.role == "archive" else "shard"
    return Refuted(Difference(kind=kind, object=record.key, expected=expected, found=found))
