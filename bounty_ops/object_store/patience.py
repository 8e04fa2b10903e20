"""Waiting for a store that is away for a moment.

boto3 repeats a call for some seconds. An upload that has run for hours should also survive a
store that restarts or a network that is down for a minute, because its beginning cannot be read
again: the stream comes from a pipe.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

from bounty_ops.errors import ObjectStoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LONGEST_PAUSE_SECONDS: Final = 15.0

logger = logging.getLogger(__name__)


def patiently(
    call: Callable[[], T], *, seconds: float, stopped: threading.Event | None = None
) -> T:
    """Return what ``call`` returns, repeating it while the store is unavailable.

    Raises ObjectStoreUnavailable when that lasts longer than ``seconds``, or as soon as
    ``stopped`` is set. Other errors pass at once.
    """
    stopped = stopped or threading.Event()
    deadline = time.monotonic() + seconds
    pause = 1.0
    while True:
        try:
            return call()
        except ObjectStoreUnavailable as error:
            if stopped.is_set() or time.monotonic() + pause > deadline:
                raise
            logger.warning("%s; trying again", error)
        stopped.wait(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
