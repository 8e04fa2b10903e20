"""The example that puts nginx with passwords before Dagster's webserver, with a real nginx."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.embedded import ports
from bounty_ops_tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE: Final = ROOT / "examples" / "proxy" / "nginx.conf"
#: "s3cret" by SHA-1, which nginx knows everywhere; bcrypt is the system's crypt().
PASSWORDS: Final = "ada:{SHA}/vNB+F2HQ559kaLUZbmHHvZrXpg=\n"
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


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """The example before `Echo`, without TLS: other names, other ports, nothing else changed."""
    upstream = ThreadingHTTPServer((ports.LOOPBACK, 0), Echo)
    threading.Thread(target=upstream.serve_forever).start()
    (chosen,) = ports.choose(1)
    example = EXAMPLE.read_text(encoding="utf-8")
    for shown, here in {
        "listen 443 ssl;": f"listen {ports.LOOPBACK}:{chosen};",
        "http://127.0.0.1:3000": f"http://{ports.LOOPBACK}:{upstream.server_port}",
        "/etc/nginx/bounty-ops.htpasswd": str(tmp_path / "passwords"),
    }.items():
        assert f"{shown}" in example
        example = example.replace(shown, here)
    without_tls = [line for line in example.splitlines() if not line.strip().startswith("ssl_")]
    (tmp_path / "passwords").write_text(PASSWORDS)
    tmp_path.chmod(0o755)
    settings = tmp_path / "nginx.conf"
    settings.write_text(_AROUND.format(place=tmp_path, example="\n".join(without_tls)))
    command = [
        "nginx",
        "-e",
        f"{tmp_path}/error.log",
        "-c",
        str(settings),
        "-g",
        "master_process off;",
    ]
    process = subprocess.Popen(command)
    try:
        wait_for(chosen, process)
        yield chosen
    finally:
        process.terminate()
        process.wait(timeout=20)
        upstream.shutdown()
        upstream.server_close()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            status(port)
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("nginx does not accept the example")


def ask(port: int, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=20)
    connection.request("GET", "/graphql", headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def status(port: int, password: str | None = None) -> int:
    return ask(port, login(password) if password else {})[0]


def login(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ada:{password}".encode()).decode()}


def test_nobody_comes_in_without_the_password(port: int) -> None:
    assert status(port) == 401
    assert status(port, "guessed") == 401
    assert status(port, "s3cret") == 200


def test_what_comes_through_says_who_it_was_and_holds_no_password(port: int) -> None:
    wanted = {"Upgrade": "websocket", "Connection": "Upgrade", **login("s3cret")}
    _, body = ask(port, wanted)
    arrived = json.loads(body)
    assert arrived["x-forwarded-user"] == "ada"
    assert arrived["upgrade"] == "websocket"
    assert arrived["connection"].lower() == "upgrade"
    assert "authorization" not in arrived


def test_somebody_who_tries_many_passwords_is_slowed_down(port: int) -> None:
    answers = [status(port, "guessed") for _ in range(200)]
    assert 429 in answers
