"""Working ahead: a thread makes what comes next while the caller waits for the server.

PostgreSQL checks the foreign keys of a table when its COPY ends, which takes as long as sending its
rows. Nothing could be sent meanwhile, but the rows of the next tables can be made.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

#: Python's own 5 ms are what the caller would wait for the thread each time that the server has
#: answered, three times a table: a tenth of the whole.
_SWITCH_SECONDS: Final = 0.0005


@contextmanager
def ahead(made: Iterable[T], *, most: int) -> Iterator[Iterator[T]]:
    """Iterate in a thread, at most so many items ahead of the caller.

    What the thread raises is raised to the caller in the place of the next item. When the block is
    left, for whatever reason, the thread makes no further item; it is waited for.
    """
    work = _Ahead(made, most)
    # Daemon: a second Ctrl-C, while the thread is waited for, must not leave a process behind.
    thread = Thread(target=work.make, name="seeding ahead", daemon=True)
    patience = sys.getswitchinterval()
    sys.setswitchinterval(min(patience, _SWITCH_SECONDS))
    thread.start()
    try:
        yield work.items()
    finally:
        sys.setswitchinterval(patience)
        work.stop()
        thread.join()


class _Ahead(Generic[T]):
    """What the thread and the caller share."""

    def __init__(self, made: Iterable[T], most: int) -> None:
        self._made = made
        self._room = Semaphore(most)
        self._ready: SimpleQueue[T | _End] = SimpleQueue()
        self._stopped = False

    def make(self) -> None:
        """Make items until there are no more, one fails, or nobody wants them."""
        failure: BaseException | None = None
        try:
            for item in self._made:
                self._room.acquire()
                if self._stopped:
                    return
                self._ready.put(item)
        except BaseException as error:  # noqa: BLE001 - raised again, by the caller
            failure = error
        finally:
            self._ready.put(_End(failure))

    def items(self) -> Iterator[T]:
        """The items, each as soon as it is made."""
        while not isinstance(item := self._ready.get(), _End):
            self._room.release()
            yield item
        if item.failure is not None:
            raise item.failure

    def stop(self) -> None:
        """Let the thread end at its next item."""
        self._stopped = True
        self._room.release()


class _End:
    """No further item comes."""

    def __init__(self, failure: BaseException | None) -> None:
        self.failure = failure
