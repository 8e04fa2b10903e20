"""Services of examples/compose as processes of this machine: same commands, same variables.

What a container would differ in is replaced, and nothing else: names of hosts by the loopback
address, ports by free ones, and places of the image by directories of the test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PROGRAMS: Final = Path(sys.executable).parent
_PATIENCE_SECONDS: Final = 120
#: The code server waits up to 60 s for calls that are under way before it goes.
_GRACE_SECONDS: Final = 120


@contextmanager
def running(
    argv: Sequence[str], environment: Mapping[str, str], home: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, with the variables of a container: no others than given."""
    program = next(
        (str(PROGRAMS / name) for name in (Path(argv[0]).name,) if (PROGRAMS / name).exists()),
        argv[0],
    )
    with log.open("wb") as said:
        process = subprocess.Popen(
            [program, *argv[1:]],
            env={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(home), **environment},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_GRACE_SECONDS)
            finally:
                _end_group(process.pid)
                process.wait()


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # as it should be: it ended with all its children


def wait_for(what: str, answers: Callable[[], bool], *logs: Path) -> None:
    """Return as soon as it answers."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not answers():
        if time.monotonic() > give_up:
            told = "\n".join(log.read_text("utf-8", "replace")[-3000:] for log in logs)
            raise AssertionError(f"{what} has not become ready: {told}")
        time.sleep(0.25)


def healthy(test: Sequence[str], environment: Mapping[str, str], home: Path) -> bool:
    """What a container's health check says."""
    done = subprocess.run(
        [str(PROGRAMS / test[1]) if (PROGRAMS / test[1]).exists() else test[1], *test[2:]],
        env={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(home), **environment},
        cwd=home,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0
