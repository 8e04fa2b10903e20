"""A proxy between us and the real S3 store that misbehaves on command.

============== ======== ====================================================================
``faulty_s3``  function ``faulty_s3(plan)`` -> `FaultyStore`: a proxy with a prefix of its own
============== ======== ====================================================================

A plan is called for every request with its `Request` and returns a `Fault`, or None to let it
pass. Everything else is real: the requests go to the real store and its answers come back.

``faulty_s3(plan, habits={...})`` makes the store behave like another provider's
(`bounty_ops_tests.habits`).
"""

from __future__ import annotations

import dataclasses
import http.client
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from bounty_ops.environments import BucketLocation, ObjectStoreSettings
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.habits import Habit, Headers, answered, refusal, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet


class Fault(Enum):
    """What happens to a request."""

    ANSWER_500 = "the store answers 500 and does nothing"
    ANSWER_503 = "the store answers SlowDown and does nothing"
    ANSWER_403 = "the store answers AccessDenied and does nothing"
    ERROR_IN_200 = "the store answers 200 with an error in the body and does nothing"
    LOSE_REQUEST = "the connection breaks before the request has been read"
    CUT_REQUEST = "the connection breaks in the middle of the request's body"
    DAMAGE_REQUEST = "one bit of the request's body flips on the way"
    DENY_DONE = "the store does it and answers 500"
    CRAWL = "the store answers a few bytes at a time"
    EXPIRED_TOKEN = "the store answers that the credentials have expired"
    UNKNOWN_KEY = "the store answers that there is no such access key"
    NO_BUCKET = "the store answers that there is no such bucket"
    CONFIRM_UNDONE = "the store answers 200 and does nothing"
    LOSE_ANSWER = "the store does it and the connection breaks before the answer"
    DAMAGE_ANSWER = "the store does it and one bit of its answer's body flips on the way"
    CUT_ANSWER = "the store does it and the connection breaks in the middle of the answer"


#: Faults that are an answer of the store, which has done nothing.
_REFUSALS = {
    Fault.ANSWER_500: (500, "InternalError"),
    Fault.ANSWER_503: (503, "SlowDown"),
    Fault.ANSWER_403: (403, "AccessDenied"),
    Fault.ERROR_IN_200: (200, "InternalError"),
    Fault.EXPIRED_TOKEN: (400, "ExpiredToken"),
    Fault.UNKNOWN_KEY: (403, "InvalidAccessKeyId"),
    Fault.NO_BUCKET: (404, "NoSuchBucket"),
}
#: Which every request is as likely to meet as any other; the rest depend on who asks for what.
PASSING_FAULTS = [
    fault
    for fault in Fault
    if fault
    not in {
        Fault.EXPIRED_TOKEN,
        Fault.UNKNOWN_KEY,
        Fault.NO_BUCKET,
        Fault.CONFIRM_UNDONE,
        Fault.DAMAGE_ANSWER,
    }
]


_PIECES = 10
_PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Request:
    """A request as the proxy sees it; ``number`` counts from 1."""

    number: int
    method: str
    query: dict[str, list[str]]
    headers: dict[str, str] = field(default_factory=dict)
    """With names in lower case."""

    @property
    def operation(self) -> str:
        """S3's name of it, as far as the tests need one."""
        names = {
            ("POST", "uploads"): "begin",
            ("PUT", "partNumber"): "part",
            ("POST", "uploadId"): "complete",
            ("DELETE", "uploadId"): "abort",
            ("GET", "uploadId"): "list_parts",
            ("GET", "uploads"): "list_uploads",
            ("GET", "list-type"): "list",
        }
        plain = {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete"}
        for (method, mark), name in names.items():
            if method == self.method and mark in self.query:
                return name
        return plain[self.method]


@dataclass
class FaultyStore:
    """A proxy that is running."""

    settings: ObjectStoreSettings
    """Of the store as seen through the proxy."""
    honest: ObjectStore
    """The same prefix without the proxy."""
    requests: list[Request] = field(default_factory=list)

    def store(self, *, patience_seconds: float = 0.0) -> ObjectStore:
        """Return a new `ObjectStore` that talks through the proxy."""
        return ObjectStore(self.settings, patience_seconds=patience_seconds)

    def operations(self) -> list[str]:
        """Return the names of the requests that arrived."""
        return [request.operation for request in self.requests]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        store: ObjectStoreSettings,
        plan: Callable[[Request], Fault | None],
        habits: AbstractSet[Habit],
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = store
        self.upstream = urlsplit(store.endpoint_url or "").netloc
        self.plan = plan
        self.habits = habits
        self.seen: list[Request] = []
        self._lock = threading.Lock()

    def decide(self, method: str, path: str, headers: Headers) -> Fault | None:
        query = parse_qs(urlsplit(path).query, keep_blank_values=True)
        named = {name.lower(): value for name, value in headers}
        with self._lock:
            request = Request(len(self.seen) + 1, method, query, named)
            self.seen.append(request)
            return self.plan(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that breaks off is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
        pass

    def _serve(self) -> None:
        fault = self.server.decide(self.command, self.path, self.headers.items())
        if fault is Fault.LOSE_REQUEST:
            return self._break_off()
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length // 2 if fault is Fault.CUT_REQUEST else length)
        refused = _REFUSALS.get(fault) if fault is not None else None
        habits = self.server.habits
        refused = refused or refusal(habits, self.command, self.path, self.headers.items())
        if fault is Fault.CUT_REQUEST:
            self._break_off()
        elif fault is Fault.CONFIRM_UNDONE:
            self._answer(200, b"")
        elif refused is not None:
            self._answer(refused[0], _error(refused[1]))
        else:
            self._pass_on(body, fault)
        return None

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - of the base class

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        if fault is Fault.DAMAGE_REQUEST:
            body = _with_a_flipped_bit(body)
        status, headers, answer = self._ask_store(body)
        match fault:
            case Fault.DENY_DONE:
                self._answer(500, _error("InternalError"))
            case Fault.LOSE_ANSWER:
                self._break_off()
            case Fault.CRAWL:
                self._answer(status, answer, headers, pieces=_PIECES)
            case Fault.DAMAGE_ANSWER:
                self._answer(status, _with_a_flipped_bit(answer), headers)
            case Fault.CUT_ANSWER:
                self._answer(status, answer[: len(answer) // 2], headers)
                self._break_off()
            case _:
                self._answer(status, answer, headers)

    def _ask_store(self, body: bytes) -> tuple[int, Headers, bytes]:
        path, sent, habits = self.path, self.headers.items(), self.server.habits
        if habits:
            request = (self.command, path, sent, body)
            path, sent, body = rewritten(habits, self.server.store, request)
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        try:
            skip_host = not habits  # a request that is signed anew is signed for the real host
            upstream.putrequest(self.command, path, skip_host=skip_host, skip_accept_encoding=True)
            for name, value in sent:
                if name.lower() not in {"expect", "connection"}:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            dropped = {"connection", "transfer-encoding"}
            headers = [(n, v) for n, v in answer.getheaders() if n.lower() not in dropped]
            return answer.status, answered(habits, self.command, headers), answer.read()
        finally:
            upstream.close()

    def _answer(
        self, status: int, body: bytes, headers: Headers | None = None, pieces: int = 1
    ) -> None:
        self.send_response_only(status)
        headers = headers or [("Content-Type", "application/xml")]
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            size = len(body) // pieces + 1
            for start in range(0, len(body), size):
                self.wfile.write(body[start : start + size])
                self.wfile.flush()
                time.sleep(_PAUSE_SECONDS if pieces > 1 else 0)
        self.wfile.flush()

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _with_a_flipped_bit(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body


def _error(code: str) -> bytes:
    xml = f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml}'.encode()


@pytest.fixture
def faulty_s3(s3_store: ObjectStoreSettings) -> Iterator[Callable[..., FaultyStore]]:
    """Start proxies that follow a plan; they stop with the test."""
    servers: list[_Server] = []

    def start(
        plan: Callable[[Request], Fault | None] = lambda _: None,
        *,
        habits: AbstractSet[Habit] = frozenset(),
        store: ObjectStoreSettings = s3_store,
    ) -> FaultyStore:
        server = _Server(store, plan, habits)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        location = BucketLocation(store.location.bucket, f"test-{secrets.token_hex(6)}")
        honest = dataclasses.replace(store, location=location)
        address = f"http://127.0.0.1:{server.server_address[1]}"
        through = dataclasses.replace(honest, endpoint_url=address)
        return FaultyStore(through, ObjectStore(honest), server.seen)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
