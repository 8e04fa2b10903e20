"""What every process of ours does first, because it will hold passwords in its memory."""

from __future__ import annotations

import contextlib
import resource
from typing import Final

#: Below the smallest core that Linux writes into a file (a page), and the one value at which it
#: does not start the program of a `core_pattern` that begins with `|` either; 0 does not stop that
#: (fs/coredump.c; core(5) says of pipes that the limit is not enforced).
_NO_CORE: Final = 1


def leave_no_core() -> None:
    """Let neither this process nor what it starts leave its memory behind when it crashes.

    Children inherit the limit through fork and exec, and none may raise it again. Raises nothing:
    where a stricter limit is in force already, that one stays.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = _NO_CORE if hard == resource.RLIM_INFINITY else min(hard, _NO_CORE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
