"""`bounty-ops monitor serve`: what was measured, for a Prometheus to fetch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socket import SOCK_STREAM, getaddrinfo
from threading import Lock
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.console import warn
from bounty_ops.cli.failure import Terminated, one_line
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import BountyOpsError, UsageError
from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring.metrics import exposition
from bounty_ops.monitoring.metrics.exposing import CONTENT_TYPE
from bounty_ops.monitoring.metrics.gathering import gather
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import Settings

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9464
#: Several scrapers, or an impatient one, cost the operations database one look in that time.
KEPT_SECONDS: Final = 5.0
_OK, _GONE, _UNAVAILABLE = 200, 404, 503


@click.command("serve", cls=Command)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen at; 0 chooses a free one.",
)
@click.option(
    "--host",
    default=LOOPBACK,
    show_default=True,
    help="The address to listen at; one that others reach needs --exposed as well.",
)
@click.option(
    "--exposed",
    is_flag=True,
    help="Listen where others reach it, who read names of tables and counts without a password.",
)
@pass_invocation
def serve(invocation: Invocation, *, port: int, host: str, exposed: bool) -> None:
    """Offer the newest measurements of all environments as OpenMetrics, until Ctrl-C.

    They come from the operations database: serving them measures nothing anew, and no environment's
    database notices a scrape.
    """
    with servers(invocation, ops=True) as settings:
        page = _Page(settings)
        page.content()  # what cannot work is said now, and not to the first scraper
        try:
            server = _listening(host, port, _handler(page.content), exposed=exposed)
        except OSError as error:
            raise UsageError(
                f"nothing can listen at {host}, port {port}: {error.strerror or error}",
                hint="Choose another --port, which another `monitor serve` may have, or correct "
                "--host: an address of this machine",
            ) from None
        with server:
            _announce(host, server)
            try:
                server.serve_forever()
            except Terminated:  # somebody else's wish
                raise
            except KeyboardInterrupt:
                return


def _listening(
    host: str, port: int, handler: type[BaseHTTPRequestHandler], *, exposed: bool
) -> ThreadingHTTPServer:
    """A server at the first address that the name has.

    Raises:
        OSError: nothing can listen there.
        UsageError: others reach that address, and nobody said that they may.
    """
    family, _, _, _, address = getaddrinfo(host, port, type=SOCK_STREAM)[0]
    if not exposed and not _own(str(address[0])):
        raise UsageError(
            f"others may reach {host}, and nobody who comes is asked for a password",
            hint="Leave --host out and put something in front that asks who is there; or say "
            "--exposed, if everybody in that network may read names of tables and counts",
        )

    class Server(ThreadingHTTPServer):
        address_family = family

    # At the very address that was looked at: a name may have another one the next time.
    return Server((str(address[0]), port), handler)


def _own(address: str) -> bool:
    """Whether only this machine reaches it."""
    return ip_address(address.partition("%")[0]).is_loopback


def _announce(host: str, server: ThreadingHTTPServer) -> None:
    if not _own(server.socket.getsockname()[0]):
        warn(
            f"whoever reaches {host} reads names of tables and counts: nobody is asked for a "
            "password, so something in front of it has to ask"
        )
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"http://{shown}:{server.server_port}/metrics, until Ctrl-C", err=True)


class _Page:
    """The text, made anew when it is older than `KEPT_SECONDS`."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.require_ops_url()
        migrate_ops(self._url)
        self._names = [one.name for one in settings.environments.values() if one.problem is None]
        self._engine = engine(self._url, application_name="bounty-ops serve")
        self._lock = Lock()
        self._made = -KEPT_SECONDS
        self._text = b""

    def content(self) -> bytes:
        """Raises BountyOpsError when the operations database does not answer."""
        with self._lock:
            if time.monotonic() - self._made >= KEPT_SECONDS:
                now = datetime.now(UTC)
                with translated(self._url):
                    self._text = exposition(gather(self._engine, self._names, now), now)
                self._made = time.monotonic()
            return self._text


def _handler(content: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version = "bounty-ops"
        sys_version = ""
        timeout = 10  # a client that says nothing does not hold a thread for ever

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self._answer(_GONE, "text/plain; charset=utf-8", b"see /metrics\n")
                return
            try:
                text = content()
            except BountyOpsError as error:
                told = one_line(f"{error}. {error.hint}") + "\n"
                self._answer(_UNAVAILABLE, "text/plain; charset=utf-8", told.encode())
                return
            self._answer(_OK, CONTENT_TYPE, text)

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - theirs
            """Say nothing: a scrape every few seconds is not news."""

    return Handler
