"""Locks between processes that the kernel drops together with their holder."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final, Self

from bounty_ops.embedded.disk import writing_to
from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_SECONDS: Final = 60.0


class FileLock:
    """A flock on a file of its own; closed, and with that released, exactly once."""

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        with writing_to(path.parent):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_lock(self, *, exclusive: bool) -> bool:
        """Take the lock if nobody is in the way."""
        mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        try:
            fcntl.flock(self._descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(self, *, exclusive: bool, what: str) -> None:
        """Take the lock, with patience.

        Raises:
            EmbeddedError: somebody kept it for too long.
        """
        if not wait_until(lambda: self.try_lock(exclusive=exclusive), _PATIENCE_SECONDS):
            raise EmbeddedError(
                f"another bounty-ops process has been busy with {what} for "
                f"{_PATIENCE_SECONDS:.0f} s",
                hint="Wait for it to finish, or end it, and try again.",
            )

    def unlock(self) -> None:
        """Let go of the lock and keep the file open."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go for good."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
