"""Using a shared server: the first user starts it, the last one's end stops it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from bounty_ops.embedded.keeping import Kept
from bounty_ops.embedded.locks import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.embedded.keeping import Program


class Use:
    """One user's hold on a server: taken, started if need be, waited for, let go.

    Entering the block starts the server without waiting for it, so that several can start side
    by side; `ready` waits.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        *,
        prepare: Callable[[], Program],
        wait_ready: Callable[[Kept], None],
    ) -> None:
        self.service = Kept(directory, name)
        self._prepare = prepare
        self._wait_ready = wait_ready
        self._lease: FileLock | None = None
        self._starting: FileLock | None = None

    def __enter__(self) -> Self:
        name = self.service.name
        self._lease = FileLock(self.service.file("lease"))
        try:
            self._lease.lock(exclusive=False, what=f"stopping the {name} server")
            self._starting = FileLock(self.service.file("start"))
            self._starting.lock(exclusive=True, what=f"starting the {name} server")
            if not self.service.kept():
                self.service.start(self._prepare())
            elif self.service.ready():
                self._started()
            # else its starter was killed while it waited, and now it is for us to wait
        except BaseException:
            self.close()
            raise
        return self

    def ready(self) -> None:
        """Return when the server answers.

        Raises:
            EmbeddedError: it never will.
        """
        if self._starting is not None:
            self._wait_ready(self.service)
            self.service.mark_ready()
            self._started()

    def _started(self) -> None:
        if self._starting is not None:
            self._starting.close()
            self._starting = None

    def let_go(self) -> None:
        """Stop using it, without waiting for what follows from that."""
        self._started()
        if self._lease is not None:
            self._lease.unlock()

    def close(self) -> bool:
        """Stop using it; returns when it has stopped. False: others still use it."""
        self.let_go()
        lease, self._lease = self._lease, None
        if lease is None:
            return True
        with lease:
            return self.service.wait_gone(lease)

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def using(
    directory: Path,
    name: str,
    *,
    prepare: Callable[[], Program],
    wait_ready: Callable[[Kept], None],
) -> Iterator[Kept]:
    """Use a server for the length of the block; it is started if nobody has yet.

    Args:
        directory: the run directory (0700).
        name: the service's name.
        prepare: called by the one who starts it, with everybody else locked out.
        wait_ready: returns when the server answers, or raises why it never will.

    Raises:
        EmbeddedError: it cannot be started.
    """
    with Use(directory, name, prepare=prepare, wait_ready=wait_ready) as use:
        use.ready()
        yield use.service
