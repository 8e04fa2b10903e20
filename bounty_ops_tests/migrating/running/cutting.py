"""A wire to a PostgreSQL server that can be cut, or fall silent."""

from __future__ import annotations

import dataclasses
import select
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


class Wire:
    """Passes bytes on in both directions, on a port of its own."""

    def __init__(self, url: DatabaseUrl) -> None:
        self._upstream = (url.host, url.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._silent = threading.Event()
        self._open: set[socket.socket] = set()
        self.url = dataclasses.replace(url, port=self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End every connection, without a word to either side."""
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def fall_silent(self) -> None:
        """Pass nothing on any more, and keep every connection open."""
        self._silent.set()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._upstream)
            except OSError:
                continue
            self._open |= {client, server}
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with suppress(OSError):
            while not self._over.is_set():
                ready, _, _ = select.select(list(other), [], [], 0.2)
                for end in ready if not self._silent.wait(0) else ():
                    data = end.recv(65_536)
                    if not data:
                        raise OSError
                    other[end].sendall(data)
                if self._silent.is_set():
                    self._over.wait(0.2)
        for end in other:
            self._open.discard(end)
            end.close()
