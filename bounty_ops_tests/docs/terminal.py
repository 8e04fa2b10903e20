"""Programs that ask somebody at a terminal, and the answer that they get."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: What a question ends with.
_ASKS: Final = re.compile(r"[^\n]*: ?$")
_READ_BYTES: Final = 65_536


def answered(
    argv: Sequence[str], answer: str, *, env: Mapping[str, str], cwd: Path, timeout: float
) -> tuple[int, str]:
    """Run a program at a terminal of its own and answer all that it asks with the same.

    Returns its exit code and what stood on the screen; raises TimeoutExpired as subprocess does.
    """
    ours, theirs = pty.openpty()
    # Passwords are asked for at the controlling terminal, wherever the streams lead.
    program = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *argv],  # noqa: S607 - wherever util-linux is
        env=env, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    end = time.monotonic() + timeout
    screen, since = "", ""
    try:
        while (said := _more(ours, end - time.monotonic())) is not None:
            screen, since = screen + said, since + said
            if _ASKS.search(since):
                os.write(ours, f"{answer}\n".encode())
                since = ""
        return program.wait(max(end - time.monotonic(), 1)), screen.replace("\r\n", "\n")
    finally:
        program.kill()
        program.wait()
        os.close(ours)


def _more(terminal: int, seconds: float) -> str | None:
    """What comes next; None at the end, or when nothing came for so long."""
    if not select.select([terminal], [], [], max(seconds, 0))[0]:
        return None
    try:
        return os.read(terminal, _READ_BYTES).decode() or None
    except OSError:  # nobody has the other end any more
        return None
