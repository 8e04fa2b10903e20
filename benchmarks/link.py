"""A slow link to a database: production databases seldom run on the machine that backs them up."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

import dataclasses
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl

_PIECE: Final = 32 << 10


class _Rate:
    """So many bytes a second for all connections together."""

    def __init__(self, bytes_a_second: float) -> None:
        self._bytes_a_second = bytes_a_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self, size: int) -> None:
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + size / self._bytes_a_second
            pause = self._free_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)


@contextmanager
def slow_link(url: DatabaseUrl, megabits: float) -> Iterator[DatabaseUrl]:
    """The address of a server on this machine, behind a link that carries so many Mbit/s."""
    rate = _Rate(megabits * 1_000_000 / 8)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, url, rate), daemon=True).start()
        yield dataclasses.replace(url, host="127.0.0.1", port=listener.getsockname()[1])


def _accept(listener: socket.socket, url: DatabaseUrl, rate: _Rate) -> None:
    with suppress(OSError):  # closed: the run is over
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{url.host}/.s.PGSQL.{url.port}")
            for source, sink, limit in ((client, server, None), (server, client, rate)):
                threading.Thread(target=_pass_on, args=(source, sink, limit), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, rate: _Rate | None) -> None:
    with suppress(OSError):  # one side broke off
        while data := source.recv(_PIECE):
            if rate is not None:
                rate.wait(len(data))
            sink.sendall(data)
    for one in (source, sink):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
