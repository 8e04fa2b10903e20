"""Sources of bytes for upload tests."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

from bounty_ops.object_store.part_sizes import MIB, PartSizes

if TYPE_CHECKING:
    from bounty_ops.object_store import ObjectStore

#: The smallest parts that a store accepts, so that few bytes make several parts.
SMALL_PARTS = PartSizes(first=5 * MIB)


def in_small_parts(store: ObjectStore) -> ObjectStore:
    """Let a store upload in the smallest parts there are."""
    store._part_sizes = SMALL_PARTS
    return store


def some_bytes(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat, the same ones for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - not a secret


def nothing() -> None:
    """Have nothing to say before an upload is completed."""


class BrokenSource(io.BytesIO):
    """Gives some bytes, then raises."""

    def __init__(self, data: bytes, error: BaseException) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise self._error
        return data
