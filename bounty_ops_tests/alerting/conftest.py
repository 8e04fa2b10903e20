"""What the tests of alerting share: an operations database and a webhook that can misbehave."""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import sql

from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import connect, engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

#: Part of every webhook's URL: it must never be seen anywhere.
TOKEN = "t0ken-that-nobody-may-see"


class Webhook:
    """A real HTTP server that remembers what it was sent."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        """Of the same messages."""
        self.answers: list[int] = []
        """Statuses for the next requests; 200 when there are none left."""
        self.hold: threading.Event | None = None
        """When set, a request is answered only after it."""
        self.asked = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"json://user:{TOKEN}@127.0.0.1:{self._server.server_port}/{TOKEN}/"

    @property
    def document_url(self) -> str:
        """Of the same server, for messages field by field."""
        return f"webhook://127.0.0.1:{self._server.server_port}/{TOKEN}"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]

    def close(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                webhook.asked.set()
                if webhook.hold is not None:
                    webhook.hold.wait(30)
                status = webhook.answers.pop(0) if webhook.answers else 200
                if status == 200:
                    webhook.headers.append(dict(self.headers))
                    webhook.received.append(body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - its base's
                """Keep quiet."""

        return Handler


@pytest.fixture
def make_webhook() -> Iterator[Callable[[], Webhook]]:
    made: list[Webhook] = []

    def make() -> Webhook:
        made.append(Webhook())
        return made[-1]

    yield make
    for webhook in made:
        webhook.close()


@pytest.fixture
def webhook(make_webhook: Callable[[], Webhook]) -> Webhook:
    return make_webhook()


@pytest.fixture(scope="session")
def operations_url(pg_server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """An operations database at its head revision.

    Migrating one for every test would take longer than the tests.
    """
    url = pg_server.with_database(f"test_alerting_{secrets.token_hex(4)}")
    name = sql.Identifier(url.database)
    with connect(pg_server, application_name="tests") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    migrate_ops(url)
    yield url
    with connect(pg_server, application_name="tests") as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def operations(operations_url: DatabaseUrl) -> Engine:
    """The operations database with no incident and no message in it."""
    with connect(operations_url, application_name="tests") as connection:
        connection.execute("TRUNCATE bounty_ops.incident RESTART IDENTITY CASCADE")
    return engine(operations_url, application_name="tests")
