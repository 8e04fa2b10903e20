"""A dead-man's switch that can misbehave."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "t0ken-that-nobody-may-see"


class Switch:
    """A real HTTP server that remembers the paths and logins it was called with."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.logins: list[str | None] = []
        self.answers: list[int] = []
        """Statuses for the next calls; 200 when there are none left."""
        self.location = "/elsewhere"
        self.hold = threading.Event()
        self.hold.set()
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                switch.paths.append(self.path)
                switch.logins.append(self.headers["Authorization"])
                switch.hold.wait(30)
                status = switch.answers.pop(0) if switch.answers else 200
                self.send_response(status, "reason " + TOKEN)
                if status in {301, 302}:
                    self.send_header("Location", switch.location)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its base's
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{TOKEN}?a=b"

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
