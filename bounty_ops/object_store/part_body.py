"""A part as the body of a request.

boto3 would hand a plain ``bytes`` body to the socket in one call, and the socket's time-out then
limits the *whole* part: 500 MiB within 10 seconds, or "connection timed out". A file-like body
goes out in small pieces with a time-out each. It also lets us end a request in the middle.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class PartBody:
    """The file-like view of a part that boto3 reads, and rewinds when it repeats a request."""

    def __init__(self, data: bytes | bytearray, *, check: Callable[[], None] | None = None) -> None:
        """``check`` is called at every read; what it raises ends the request."""
        self._data = data
        self._check = check
        self._position = 0

    def __len__(self) -> int:
        return len(self._data)

    def read(self, size: int = -1) -> bytes:
        """Return the next ``size`` bytes, or all that are left."""
        if self._check is not None:
            self._check()
        end = len(self._data) if size < 0 else self._position + size
        with memoryview(self._data) as view:
            piece = bytes(view[self._position : end])
        self._position += len(piece)
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to ``offset`` and return the position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._data)}
        self._position = start[whence] + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position
