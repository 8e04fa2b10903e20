"""Watching whether a backup is in somebody's way for too long, and giving way then.

A backup reads under ACCESS SHARE, which disturbs nobody but those who change tables. A change that
waits for it is served before everybody who comes later, though: while an ALTER TABLE waits behind
an hour's dump, the table cannot even be read. Users have seen that for days.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from bounty_ops.errors import PostgresError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.postgres.snapshot import LockedSnapshot

_POLL_SECONDS: Final = 2.0

logger = logging.getLogger(__name__)


class Sentinel:
    """Looks out for the length of a block; calls `give_way` once if somebody waits for too long."""

    def __init__(
        self,
        snapshot: LockedSnapshot,
        *,
        after_seconds: float,
        give_way: Callable[[], None],
        poll_seconds: float = _POLL_SECONDS,
    ) -> None:
        self._snapshot = snapshot
        self._after_seconds = after_seconds
        self._give_way = give_way
        self._poll_seconds = min(poll_seconds, after_seconds)
        self._over = threading.Event()
        self.gave_way = False
        self._thread = threading.Thread(target=self._watch, name="bounty-ops-sentinel", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _watch(self) -> None:
        since: float | None = None
        while not self._over.wait(self._poll_seconds):
            try:
                waiting = self._snapshot.somebody_waits()
            except PostgresError as error:  # no connection left; the backup itself is not touched
                logger.info("could not see whether the backup is in somebody's way: %s", error)
                continue
            since = (since or time.monotonic()) if waiting else None
            if since is not None and time.monotonic() - since >= self._after_seconds:
                self.gave_way = True
                self._give_way()
                return
