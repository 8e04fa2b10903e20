"""Reading a server's log for the one line that says why it does not run."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import EmbeddedError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES: Final = 16_384
_SHOWN_LINES: Final = 3
#: PostgreSQL's own levels, glog's (SeaweedFS), Python's.
_TELLING: Final = re.compile(r"\b(FATAL|PANIC)\b|^[FE]\d{4} |Error: |error:|cannot start|CRITICAL")
_CAUSES: Final = (
    (
        re.compile(r"No space left on device|[Dd]isk quota exceeded|File too large"),
        "the disk is full",
        "Free some space where {directory} is, and try again; nothing else is needed.",
    ),
    (
        re.compile(r"[Aa]ddress already in use|could not create any TCP/IP sockets"),
        "its port is taken",
        "Try again: another port is chosen. Or end what listens there.",
    ),
    (
        re.compile(r"Permission denied|could not open file .* Operation not permitted"),
        "it may not read or write its files",
        "See that {directory} belongs to you, or remove it to start afresh.",
    ),
    (
        re.compile(r"could not (?:map|create|resize) .*shared memory|Cannot allocate memory"),
        "there is not enough memory",
        "Give the container or the machine more memory (shared memory too: --shm-size).",
    ),
    (
        re.compile(r"cannot execute|error while loading shared libraries|cannot start /"),
        "its program does not run on this machine",
        "Run `make install` again; the servers come as wheels for glibc Linux.",
    ),
)


def tail(log: Path, *, since: int = 0) -> list[str]:
    """The last lines of a log, of what was written after position `since`."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(since, size - _TAIL_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def why(name: str, log: Path, *, directory: Path, since: int = 0) -> EmbeddedError:
    """The error for a server that ended: cause if known, last lines, and what to do."""
    hint = f"Its log is {log}."
    return explain(name, "\n".join(tail(log, since=since)), directory=directory, hint=hint)


def explain(name: str, output: str, *, directory: Path, hint: str = "") -> EmbeddedError:
    """As `why`, for a program's output."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)] or lines
    shown = " | ".join(telling[-_SHOWN_LINES:]) or "it said nothing"
    for pattern, cause, remedy in _CAUSES:
        if pattern.search(output):
            return EmbeddedError(
                f"{name}: {cause}: {shown}", hint=remedy.format(directory=directory)
            )
    hint = hint or f"See that {directory} is on a disk with space and belongs to you."
    return EmbeddedError(f"{name} ended unexpectedly: {shown}", hint=hint)


def rotate(log: Path) -> None:
    """Keep the log of the run before as ``.1``, and begin a new one."""
    if log.exists() and log.stat().st_size:
        log.replace(log.with_name(log.name + ".1"))
