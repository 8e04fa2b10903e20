"""Progress of long work as log lines: seldom, because each one is a row in Dagster's storage."""

import time
from collections.abc import Callable
from typing import Final

import dagster as dg

from bounty_ops.defs.presentation import size

_EVERY_SECONDS: Final = 15.0


def byte_progress(
    log: dg.DagsterLogManager, what: str, clock: Callable[[], float] = time.monotonic
) -> Callable[[int], None]:
    """A callback for a number of bytes done so far that logs it every 15 seconds.

    Args:
        log: where the line goes.
        what: what was done to the bytes, such as ``uploaded``.
        clock: seconds from a steady clock.
    """
    last = clock()

    def report(done: int) -> None:
        nonlocal last
        now = clock()
        if now - last >= _EVERY_SECONDS:
            last = now
            log.info("%s %s", size(done), what)

    return report
