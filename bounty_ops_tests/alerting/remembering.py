"""A receiver that remembers every request, and a process that delivers to it until it is killed."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from bounty_ops.alerting import deliver_pending
from bounty_ops.postgres.connect import engine

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


@dataclass(frozen=True)
class Arrival:
    """One request that was taken."""

    at: float
    key: str
    attempt: int
    incident: int
    change: str


class RememberingWebhook:
    """A real HTTP server that notes what arrives before it answers, and takes its time for that."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.asked = 0
        self.arrived = threading.Event()
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                document = json.loads(self.rfile.read(int(self.headers["content-length"])))
                webhook._note(self.headers["Idempotency-Key"], document)
                sleep(random.uniform(0, 0.006))  # noqa: S311 - any moment will do
                self._answer(200)

            def do_GET(self) -> None:
                webhook.asked += 1
                known = {arrival.key for arrival in webhook.arrivals}
                self._answer(204 if self.headers["Idempotency-Key"] in known else 404)

            def _answer(self, status: int) -> None:
                try:
                    self.send_response(status)
                    self.end_headers()
                except OSError:
                    pass  # whoever asked has been killed

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its base's
                """Keep quiet."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def _note(self, key: str, document: dict[str, Any]) -> None:
        # What a program does that dedups: it keeps the key, and does nothing for one it knows.
        assert key == document["key"]
        self.arrivals.append(
            Arrival(monotonic(), key, document["attempt"], document["incident"], document["change"])
        )
        self.arrived.set()

    @property
    def url(self) -> str:
        return f"webhook://127.0.0.1:{self._server.server_port}/hook"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - its base's
        """Whoever asked has been killed: nothing to tell."""


def deliver_for_ever(url: DatabaseUrl, channel: str, lease_seconds: float) -> None:
    """What the process does that is killed."""
    operations = engine(url, application_name="tests")
    while True:
        now = datetime.now(UTC)
        deliver_pending(operations, "production", [channel], now=now, lease_seconds=lease_seconds)
        sleep(0.005)
