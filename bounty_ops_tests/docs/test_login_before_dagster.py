"""The example that puts nginx with passwords before Dagster's webserver, with a real nginx."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as open_websocket
from websockets.typing import Subprotocol

from bounty_ops.embedded import ports
from bounty_ops_tests.deployment.running import running
from bounty_ops_tests.docs.pages import ROOT
from bounty_ops_tests.fix_tls import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE: Final = ROOT / "examples" / "proxy" / "nginx.conf"
#: "s3cret" by SHA-1, which nginx knows everywhere; bcrypt is the system's crypt().
PASSWORDS: Final = "ada:{SHA}/vNB+F2HQ559kaLUZbmHHvZrXpg=\n"
PASSWORD: Final = "s3cret"
_PATIENCE_SECONDS: Final = 120
_AROUND: Final = """
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    {example}
}}
"""


class Echo(BaseHTTPRequestHandler):
    """Stands where Dagster's webserver does, and says what arrived."""

    def do_GET(self) -> None:
        body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Keep quiet."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Door:
    """nginx with the example, as a browser sees it: over TLS, its certificate verified."""

    port: int
    trust: ssl.SSLContext

    def ask(self, headers: dict[str, str], path: str = "/graphql") -> Answer:
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=20, context=self.trust
        )
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        told = Answer(answer.status, found, answer.read())
        connection.close()
        return told

    def status(self, password: str | None = None) -> int:
        return self.ask(login(password) if password else {}).status


def login(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()}


@contextmanager
def door(place: Path, upstream: int) -> Iterator[Door]:
    """The example before a port of ours: other names, other ports, nothing else changed."""
    (chosen,) = ports.choose(1)
    certificate, key = self_signed(place, "nginx", "localhost")
    example = EXAMPLE.read_text(encoding="utf-8")
    for shown, here in {
        "listen 443 ssl;": f"listen {ports.LOOPBACK}:{chosen} ssl;",
        "http://127.0.0.1:3000": f"http://{ports.LOOPBACK}:{upstream}",
        "/etc/nginx/bounty-ops.htpasswd": str(place / "passwords"),
        "/etc/nginx/tls/dagster.example.com.crt": str(certificate),
        "/etc/nginx/tls/dagster.example.com.key": str(key),
    }.items():
        assert shown in example
        example = example.replace(shown, here)
    (place / "passwords").write_text(PASSWORDS)
    place.chmod(0o755)
    settings = place / "nginx.conf"
    settings.write_text(_AROUND.format(place=place, example=example))
    log = f"{place}/error.log"
    command = ["nginx", "-e", log, "-c", str(settings), "-g", "master_process off;"]
    process = subprocess.Popen(command)
    try:
        found = Door(chosen, ssl.create_default_context(cafile=str(certificate)))
        wait_for(found, 401, process)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(
    found: Door, status: int, process: subprocess.Popen[bytes], password: str | None = None
) -> None:
    """Return as soon as it answers so."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    headers = login(password) if password else {}
    while process.poll() is None and time.monotonic() < give_up:
        try:
            if found.ask(headers, "/server_info").status == status:
                return
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.1)
    pytest.fail("it does not start, or not as it should")


@pytest.fixture
def before_echo(tmp_path: Path) -> Iterator[Door]:
    """The example before `Echo`."""
    upstream = ThreadingHTTPServer((ports.LOOPBACK, 0), Echo)
    threading.Thread(target=upstream.serve_forever).start()
    try:
        with door(tmp_path, upstream.server_port) as found:
            yield found
    finally:
        upstream.shutdown()
        upstream.server_close()


def test_nobody_comes_in_without_the_password(before_echo: Door) -> None:
    assert before_echo.status() == 401
    assert before_echo.status("guessed") == 401
    assert before_echo.status(PASSWORD) == 200


def test_nobody_speaks_to_it_without_tls(before_echo: Door) -> None:
    connection = http.client.HTTPConnection("localhost", before_echo.port, timeout=20)
    connection.request("GET", "/", headers=login(PASSWORD))
    answer = connection.getresponse()
    assert answer.status == 400
    assert b"plain HTTP request was sent to HTTPS port" in answer.read()
    connection.close()


def test_every_answer_tells_the_browser_to_be_careful(before_echo: Door) -> None:
    for headers in ({}, login(PASSWORD)):
        told = before_echo.ask(headers).headers
        assert told["strict-transport-security"] == "max-age=31536000"
        assert told["x-frame-options"] == "DENY"
        assert told["referrer-policy"] == "same-origin"


def test_what_comes_through_says_who_it_was_and_holds_no_password(before_echo: Door) -> None:
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", **login(PASSWORD)}
    arrived = json.loads(before_echo.ask({**wanted, "X-Forwarded-User": "root"}).body)
    assert arrived["x-forwarded-user"] == "ada"
    assert arrived["x-forwarded-proto"] == "https"
    assert arrived["upgrade"] == "websocket"
    assert arrived["connection"].lower() == "upgrade"
    assert "authorization" not in arrived


def test_somebody_who_tries_many_passwords_is_slowed_down(before_echo: Door) -> None:
    # Over one connection: who has to begin a new one for each may be too slow to be slowed down.
    connection = http.client.HTTPSConnection(
        "localhost", before_echo.port, timeout=20, context=before_echo.trust
    )
    answers = []
    for _ in range(400):
        connection.request("GET", "/graphql", headers=login("guessed"))
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    connection.close()
    assert set(answers) == {401, 429}


@pytest.mark.soak
def test_dagsters_subscriptions_come_through_with_the_password_alone(tmp_path: Path) -> None:
    """A real webserver, asked as its interface asks: GraphQL over a WebSocket."""
    (port,) = ports.choose(1)
    argv = ["dagster-webserver", "--host", ports.LOOPBACK, "--port", str(port), "--empty-workspace"]
    environment = {"DAGSTER_HOME": str(tmp_path / "dagster")}
    (tmp_path / "dagster").mkdir()
    place = tmp_path / "nginx"
    place.mkdir()
    with (
        running(argv, environment, tmp_path, tmp_path / "webserver.log") as webserver,
        door(place, port) as found,
    ):
        wait_for(found, 200, webserver, PASSWORD)
        address = f"wss://localhost:{found.port}/graphql"
        with (
            pytest.raises(InvalidStatus, match="401"),
            open_websocket(address, ssl=found.trust, subprotocols=[Subprotocol("graphql-ws")]),
        ):
            pass
        with open_websocket(
            address,
            ssl=found.trust,
            subprotocols=[Subprotocol("graphql-ws")],
            additional_headers=login(PASSWORD),
        ) as socket:
            assert socket.subprotocol == "graphql-ws"
            socket.send(json.dumps({"type": "connection_init"}))
            assert json.loads(socket.recv(20))["type"] == "connection_ack"
            query = 'subscription { pipelineRunLogs(runId: "none") { __typename } }'
            socket.send(json.dumps({"type": "start", "id": "1", "payload": {"query": query}}))
            told = json.loads(socket.recv(20))
            assert told["payload"]["data"]["pipelineRunLogs"]["__typename"] == (
                "PipelineRunLogsSubscriptionFailure"
            )
