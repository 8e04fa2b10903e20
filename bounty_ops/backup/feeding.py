"""An object of one bucket as a stream that can be written into another one."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, BinaryIO, cast

from bounty_ops.errors import BackupError, BountyOpsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.journal.records import ObjectRecord
    from bounty_ops.object_store import ObjectStore, StoredObject

#: How long a reader that is told to stop is waited for: it may be in the middle of a request.
_PATIENCE_SECONDS = 2.0


class Feeder:
    """Reads an object in a thread of its own; what it reads comes out of `stream`.

    A pair of sockets, not a pipe: it can be shut down from outside while one side waits to write
    and the other one to read, so that a copy that fails or is interrupted ends at once.
    """

    def __init__(
        self, store: ObjectStore, record: ObjectRecord, moved: Callable[[int], None]
    ) -> None:
        """Begin to read; ``moved`` is called with the size of each piece."""
        self._store, self._record, self._moved = store, record, moved
        self._stopped = False
        self._problem: BaseException | None = None
        self._sink, self._source = socket.socketpair()
        self.stream = cast("BinaryIO", self._source.makefile("rb"))
        """What was read, until its end."""
        self._thread = threading.Thread(target=self._feed, name="bounty-ops-copy", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> BountyOpsError | None:
        """What went wrong while reading, if it was an error of ours."""
        return self._problem if isinstance(self._problem, BountyOpsError) else None

    def require_sound(self) -> None:
        """Raise unless everything was read and is what the manifest says; call it at the end."""
        self._thread.join()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """End it, finished or not."""
        self._stopped = True
        with contextlib.suppress(OSError):
            self._sink.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE_SECONDS)
        self.stream.close()
        self._source.close()
        if not self._thread.is_alive():
            self._sink.close()

    def write(self, data: bytes) -> int:
        """Take a piece from the download."""
        self._sink.sendall(data)
        self._moved(len(data))
        return len(data)

    def _feed(self) -> None:
        try:
            received = self._store.download(self._record.key, cast("BinaryIO", self))
            self._problem = self._difference(received)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            if not self._stopped:
                self._problem = error
        finally:
            with contextlib.suppress(OSError):
                self._sink.shutdown(socket.SHUT_WR)

    def _difference(self, received: StoredObject) -> BackupError | None:
        record = self._record
        if (received.size_bytes, received.sha256) == (record.size_bytes, record.sha256):
            return None
        return BackupError(
            f"{record.key} in {self._store.location.uri()} is not what the manifest says; it was "
            "not copied",
            hint="Verify the backup: bounty-ops backup verify",
        )
