"""Between us and a server: something that breaks every connection off after so many bytes."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 65_536


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    upstream: tuple[str, int]
    after_bytes: int


class _Connection(socketserver.BaseRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        with socket.create_connection(self.server.upstream) as upstream:
            threading.Thread(target=self._forward, args=(upstream,), daemon=True).start()
            left = self.server.after_bytes
            with suppress(OSError):
                while left > 0 and (answer := upstream.recv(min(_CHUNK, left))):
                    left -= len(answer)
                    self.request.sendall(answer)
            with suppress(OSError):
                self.request.shutdown(socket.SHUT_RDWR)

    def _forward(self, upstream: socket.socket) -> None:
        with suppress(OSError):
            while asked := self.request.recv(_CHUNK):
                upstream.sendall(asked)
            upstream.shutdown(socket.SHUT_WR)


@contextmanager
def breaking(host: str, port: int, *, after_bytes: int) -> Iterator[int]:
    """A port of the loopback that leads there; breaks off once the server has said so much."""
    with _Proxy(("127.0.0.1", 0), _Connection) as proxy:
        proxy.upstream, proxy.after_bytes = (host, port), after_bytes
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        yield proxy.server_address[1]
        proxy.shutdown()
