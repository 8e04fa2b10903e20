"""Encrypting what goes into the bucket, with age, as a stream.

Each object becomes an ordinary file of age (https://age-encryption.org/v1), so the plain `age`
program and pg_restore are all that is needed to get the data back, with or without this project.
Only public keys are needed to back up; a host that can write backups need not be able to read them.

age is written to as to a file and reads as from one, while an upload asks for bytes and a download
brings them. So it runs in a thread of its own, with a pipe in between.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import pyrage  # type: ignore[import-untyped] # it ships no types

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from bounty_ops.journal.records import Manifest
    from bounty_ops.object_store import ObjectStore

_CHUNK: Final = 1 << 20
#: age's header, and the first 64 KiB of content with their tag (age specification, v1).
_BEGINNING: Final = 1 << 17
#: How long to wait, at the end, for the thread; what it waits for has been closed by then.
_GRACE_SECONDS: Final = 5.0
#: The one sentence of age that is not about damage.
_NO_KEY: Final = "No matching keys found"


def require_recipients(keys: Sequence[str]) -> None:
    """Make sure that age can encrypt to these public keys.

    Raises:
        ConfigurationError: one is no key, such as one with a slip in it.
    """
    for number, key in enumerate(keys, start=1):
        try:
            pyrage.x25519.Recipient.from_str(key)
        except pyrage.RecipientError:
            raise ConfigurationError(
                f"public key {number} in encrypt_to is not one: its checksum is wrong",
                hint="Copy it again; `age-keygen -y FILE` prints the public key of a private one.",
            ) from None


def recipients_of(identities: Sequence[str]) -> frozenset[str]:
    """The public keys that belong to private ones.

    Raises:
        ConfigurationError: one is no private key.
    """
    try:
        found = [pyrage.x25519.Identity.from_str(identity) for identity in identities]
    except pyrage.IdentityError:
        raise ConfigurationError(
            "a private key of age cannot be read",
            hint="Copy it again: it is one line that begins with AGE-SECRET-KEY-1.",
        ) from None
    return frozenset(str(identity.to_public()) for identity in found)


class NoKey(Exception):  # noqa: N818 - states what is missing
    """None of the private keys here opens it."""


class NotDecryptable(Exception):  # noqa: N818 - states what was found
    """A key fits, but the content is not what was encrypted."""


class _Worker:
    """A thread that runs age between a pipe and something else, and what became of it."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="bounty-ops-age", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self.failure = error

    def join(self, seconds: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(seconds)


class _Source:
    """What age reads from: it asks for 8 KiB at a time, and swallows the errors of a source."""

    def __init__(self, source: Any) -> None:  # noqa: ANN401 - anything that has `read`
        self._source = source
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        if not self._rest:
            try:
                self._rest = memoryview(self._source.read(_CHUNK))
            except BaseException as error:
                self.failure = error
                raise
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


class _Sink:
    """What age writes to; remembers the error of the file behind it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0
        self.failure: BaseException | None = None

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        try:
            self._file.write(data)
        except BaseException as error:
            self.failure = error
            raise
        self.count += len(data)
        return len(data)

    def flush(self) -> None:
        """The file is flushed by its owner."""


class EncryptedStream:
    """`source`, encrypted: read it to its end inside the block.

    An error of `source` comes out of `read`, in place of an end that would look like a whole file.
    """

    def __init__(self, source: Any, recipients: Sequence[str]) -> None:  # noqa: ANN401 - as _Source
        keys = [pyrage.x25519.Recipient.from_str(key) for key in recipients]
        self._source = _Source(source)
        reading, writing = os.pipe()
        self._pipe = os.fdopen(reading, "rb", buffering=0)

        def work() -> None:
            with os.fdopen(writing, "wb", buffering=_CHUNK) as pipe:
                pyrage.encrypt_io(self._source, pipe, keys)

        self._worker = _Worker(work)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end."""
        chunk = self._pipe.read(size)
        if not chunk:
            self._worker.join()
            failure = self._source.failure or self._worker.failure
            if failure is not None:
                raise failure
        return chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.close()  # the thread's next write fails, and it ends
        self._worker.join(_GRACE_SECONDS)


class Decrypting:
    """A sink for what is encrypted; the plain content goes into `file`.

    `write` never fails, whatever age says: the caller has to see all bytes to compare their hash,
    which tells damage from everything else. `finish` says what came of it.
    """

    def __init__(self, file: BinaryIO, identities: Sequence[str]) -> None:
        keys = [pyrage.x25519.Identity.from_str(key) for key in identities]
        self._sink = _Sink(file)
        reading, writing = os.pipe()
        self._pipe: BinaryIO | None = os.fdopen(writing, "wb", buffering=0)

        def work() -> None:
            with os.fdopen(reading, "rb", buffering=0) as pipe:
                pyrage.decrypt_io(_Source(pipe), self._sink, keys)

        self._worker = _Worker(work)

    def write(self, data: bytes) -> int:
        """Take all of `data`."""
        rest = memoryview(data)
        while rest and self._pipe is not None:
            try:
                rest = rest[self._pipe.write(rest) :]
            except BrokenPipeError:  # age has given up; `finish` says why
                self._close()
        return len(data)

    def finish(self) -> None:
        """Wait for the end.

        Raises:
            NoKey: none of the private keys fits.
            NotDecryptable: the content is damaged or cut off.
            OSError: the file could not be written.
        """
        self._close()
        self._worker.join()
        if self._sink.failure is not None:
            raise self._sink.failure
        failure = self._worker.failure
        if failure is not None:
            raise (NoKey if _NO_KEY in str(failure) else NotDecryptable)(str(failure)) from None

    @property
    def opened(self) -> bool:
        """Whether a key fitted and some content came out; ask after `finish`."""
        return self._sink.count > 0

    def _close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()
        self._worker.join(_GRACE_SECONDS)


class _Enough(Exception):  # noqa: N818 - not an error
    """The beginning has been read."""


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: bytes) -> int:
        return len(data)


def opens(manifest: Manifest, store: ObjectStore, identities: Sequence[str]) -> bool:
    """Whether a backup can be read with these private keys: one that is not encrypted always can.

    Reads no more than the beginning of the archive.

    Raises:
        ObjectStoreError: the archive cannot be read.
    """
    if manifest.encryption is None:
        return True
    if not identities:
        return False
    nowhere: Any = _Nowhere()
    with Decrypting(nowhere, identities) as decrypting:
        sink: Any = _Beginning(decrypting)
        with contextlib.suppress(_Enough):
            store.download(manifest.archive.key, sink)
        try:
            decrypting.finish()
        except (NoKey, NotDecryptable):  # the second: what was read is cut off, as expected
            return decrypting.opened
    return True


class _Beginning:
    """Passes on what comes first, then ends the download."""

    def __init__(self, sink: Decrypting) -> None:
        self._sink = sink
        self._count = 0

    def write(self, data: bytes) -> int:
        self._sink.write(data)
        self._count += len(data)
        if self._count >= _BEGINNING:
            raise _Enough
        return len(data)
