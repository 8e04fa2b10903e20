"""Reading a stream and sending its parts at the same time, in bounded memory.

One thread reads parts from the source, the caller's thread hashes them in their order, a few
threads send them. All of them report to one queue that the caller's thread waits at, so a failure
anywhere, or Ctrl-C, is noticed at once, also while the source is silent for minutes.

The threads are daemons and are never joined for long: the source may hang in a read that ends
only when its owner kills the program behind it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, BinaryIO, Final

from bounty_ops.errors import ObjectStoreError
from bounty_ops.object_store.part_sizes import GIB, MIB, PartSizes

if TYPE_CHECKING:
    from collections.abc import Callable

SENDERS: Final = 3
#: One being read, one being hashed, the others being sent.
MOST_PARTS_IN_MEMORY: Final = SENDERS + 2
#: Large parts are fewer at a time, but never less than two: one is read while one is sent.
MOST_BYTES_IN_MEMORY: Final = 96 * MIB
FEWEST_PARTS_IN_MEMORY: Final = 2

_READ_SIZE: Final = MIB
#: How long to wait, when an upload is given up, for threads that are in the middle of a request.
_GRACE_SECONDS: Final = 3.0


class Stopped(BaseException):
    """The upload was given up. Not an Exception: boto3 repeats a request that fails with one."""


@dataclass
class Part:
    """A piece of the stream, numbered from 1."""

    number: int
    data: bytearray
    last: bool


@dataclass(frozen=True)
class Sent:
    """The store has a part."""

    number: int
    etag: str


@dataclass(frozen=True)
class Totals:
    """What the whole stream was."""

    size_bytes: int
    sha256: str
    etags: tuple[str, ...]
    """Of part 1, 2, 3 ..."""


class MemoryBudget:
    """How many parts may be in memory; `reserve` waits until there is room."""

    def __init__(self, most_bytes: int = MOST_BYTES_IN_MEMORY) -> None:
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._parts = 0
        self._bytes = 0
        self._stopped = False

    def reserve(self, size: int) -> bool:
        """Wait for room for a part of ``size`` bytes; False when the upload was given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self.has_room(size))
            if not self._stopped:
                self._parts += 1
                self._bytes += size
            return not self._stopped

    def release(self, size: int) -> None:
        """Give back what `reserve` granted."""
        with self._changed:
            self._parts -= 1
            self._bytes -= size
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def has_room(self, size: int) -> bool:
        """Whether a part of ``size`` bytes would not have to wait."""
        if self._parts < FEWEST_PARTS_IN_MEMORY:
            return True
        fits = self._bytes + size <= self._most_bytes
        return fits and self._parts < MOST_PARTS_IN_MEMORY


class Pipeline:
    """The threads of one upload. `stop` must be called at the end, however it ends."""

    def __init__(
        self, source: BinaryIO, sizes: PartSizes, *, memory_bytes: int = MOST_BYTES_IN_MEMORY
    ) -> None:
        self.stopped = threading.Event()
        self._source = source
        self._sizes = sizes
        self._events: SimpleQueue[Part | Sent | BaseException] = SimpleQueue()
        self._outgoing: SimpleQueue[Part | None] = SimpleQueue()
        self._budget = MemoryBudget(memory_bytes)
        self._senders: list[threading.Thread] = []
        self._sha256 = hashlib.sha256()
        self._size = 0
        threading.Thread(target=self._read, name="bounty-ops-read", daemon=True).start()

    def first(self) -> Part:
        """Wait for the first part; raises what reading the source raised."""
        return self._hashed(self._next_part())

    def send_all(self, first: Part, send: Callable[[Part], str]) -> Totals:
        """Send ``first`` and everything after it; ``send`` returns a part's ETag.

        ``send`` runs in several threads at once. What it, or reading the source, raises comes out
        here.
        """
        self._start_senders(send)
        etags: dict[int, str] = {}
        submitted = self._submit(first)
        at_end = first.last
        while not at_end or len(etags) < submitted:
            event = self._events.get()
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Sent):
                etags[event.number] = event.etag
            else:
                at_end = event.last
                submitted += self._submit(self._hashed(event))
        return self.totals(tuple(etags[number] for number in sorted(etags)))

    def check(self) -> None:
        """Raise Stopped when the upload was given up; ends requests that are under way."""
        if self.stopped.is_set():
            raise Stopped

    def totals(self, etags: tuple[str, ...] = ()) -> Totals:
        """Return size and hash of what was taken from the source so far."""
        return Totals(self._size, self._sha256.hexdigest(), etags)

    def stop(self) -> None:
        """End all threads, as far as that is possible in a moment."""
        self.stopped.set()
        self._budget.stop()
        for _ in self._senders:
            self._outgoing.put(None)
        deadline = time.monotonic() + _GRACE_SECONDS
        for sender in self._senders:
            if sender.is_alive():  # Ctrl-C may have come while it was being started
                sender.join(max(0.0, deadline - time.monotonic()))

    def _next_part(self) -> Part:
        event = self._events.get()
        if isinstance(event, BaseException):
            raise event
        assert isinstance(event, Part)  # noqa: S101 - nothing has been sent yet
        return event

    def _hashed(self, part: Part) -> Part:
        self._sha256.update(part.data)
        self._size += len(part.data)
        return part

    def _submit(self, part: Part) -> int:
        if not part.data:  # the stream ended exactly where a part did
            return 0
        self._outgoing.put(part)
        return 1

    def _start_senders(self, send: Callable[[Part], str]) -> None:
        for number in range(1, SENDERS + 1):
            name = f"bounty-ops-send-{number}"
            sender = threading.Thread(target=self._send, args=(send,), name=name, daemon=True)
            self._senders.append(sender)
            sender.start()

    def _read(self) -> None:
        number = 0
        try:
            while True:
                number += 1
                size = self._sizes.of(number)
                if not self._budget.reserve(size):
                    return
                part = Part(number, data := self._read_part(size), last=len(data) < size)
                self._require_number(part)
                last = part.last
                self._events.put(part)
                del part, data  # the budget counts what the other threads hold, not what we do
                if last:
                    return
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._events.put(error)

    def _require_number(self, part: Part) -> None:
        most = self._sizes.most
        if part.number > most and part.data:
            raise ObjectStoreError(
                f"the stream is longer than {self._sizes.capacity() / GIB:,.0f} GiB, the largest "
                f"object that {most:,} parts make",
                hint="Compress more, let shard_above_gib cut the backup into more objects, or use "
                "a store that accepts more parts, of different sizes",
            )

    def _read_part(self, size: int) -> bytearray:
        data = bytearray()
        while len(data) < size and not self.stopped.is_set():
            chunk = self._source.read(min(_READ_SIZE, size - len(data)))
            if not chunk:
                break
            data += chunk
        return data

    def _send(self, send: Callable[[Part], str]) -> None:
        while (part := self._outgoing.get()) is not None and not self.stopped.is_set():
            number = part.number
            try:
                etag = send(part)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self._events.put(error)
                return
            part.data.clear()
            self._budget.release(self._sizes.of(number))
            del part
            self._events.put(Sent(number, etag))
