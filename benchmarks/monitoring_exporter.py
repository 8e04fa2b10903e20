"""A real postgres_exporter beside our collections, where its program is on PATH.

It is run as somebody would run it who reads no manual: all collectors that are on by default, one
database. A scrape is counted like a round of ours: by the server, and by the CPU time of its
sessions there; what its own process uses is the client's.
"""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl

#: What Debian calls it, and what the project does.
_PROGRAMS: Final = ("prometheus-postgres-exporter", "postgres_exporter")
SESSION: Final = "measured_exporter"
_PATIENCE_SECONDS: Final = 30


def program() -> str | None:
    """Where it is, if it is."""
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


def version(path: str) -> str:
    """As it calls itself."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).split(", version ")[-1].split(" ", 1)[0]


class Exporter:
    """One that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._metrics = f"http://127.0.0.1:{port}/metrics"

    def scrape(self) -> int:
        """Ask for everything; how many bytes that is. Raises URLError while nobody answers."""
        with urlopen(self._metrics, timeout=120) as answer:  # noqa: S310 - an address of ours
            return len(answer.read())

    def cpu_ms(self) -> float:
        """CPU time of its process so far."""
        with open(f"/proc/{self._process.pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - no path
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


@contextmanager
def exporter(path: str, url: DatabaseUrl) -> Iterator[Exporter]:
    """Run it against one database until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = {**url.conninfo(), "sslmode": "disable", "application_name": SESSION}
    source = " ".join(f"{word}={value}" for word, value in words.items())
    process = subprocess.Popen(
        [path, f"--web.listen-address=127.0.0.1:{port}"],
        env={**os.environ, "DATA_SOURCE_NAME": source},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        running = Exporter(process, port)
        _await(running)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_SECONDS)


def _await(running: Exporter) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            running.scrape()
        except URLError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return
