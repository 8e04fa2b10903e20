"""Why a connection does not come about, read from the protocol instead of from libpq's words.

libpq reports the refusal of a connection as text alone, in the language of the server or of this
machine, and without its SQLSTATE. So the connection is begun once more: first the address by
itself, for its errno, then by libpq, whose trace of the protocol (PQtrace) holds every message
after it was decrypted. The trace stays in memory; of what it says only codes are taken.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import select
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import pq

from bounty_ops.postgres import causes

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.cause import Cause

_PATIENCE_SECONDS: Final = 5.0
_TLS_ANSWER: Final = re.compile(r"^B\t\d+\tSSLResponse\t (.)$", re.MULTILINE)
_REFUSAL: Final = re.compile(
    r'^B\t\d+\tErrorResponse\t S "[^"]*" (?:V "[A-Z]+" )?C "([0-9A-Z]{5})" M ', re.MULTILINE
)
#: The last message before the encryption began is not followed by a startup message: it failed.
_STOPPED_AT_TLS: Final = re.compile(r"(?ms)^B\t\d+\tSSLResponse\t S$(?!.*^F\t\d+\tStartup)")
_BY_ERRNO: Final = {
    errno.ECONNREFUSED: causes.CONNECTION_REFUSED,
    errno.ETIMEDOUT: causes.NO_ANSWER,
    errno.EHOSTUNREACH: causes.HOST_UNREACHABLE,
    errno.ENETUNREACH: causes.HOST_UNREACHABLE,
    errno.EADDRNOTAVAIL: causes.HOST_UNREACHABLE,
    errno.ENOENT: causes.SOCKET_MISSING,
    errno.EACCES: causes.SOCKET_FORBIDDEN,
    errno.EPERM: causes.SOCKET_FORBIDDEN,
}


@dataclass(frozen=True)
class Startup:
    """How the start of one connection went."""

    connected: bool = False
    timed_out: bool = False
    needs_password: bool = False
    tls_answer: str | None = None
    """To SSLRequest: S, N, or something that no PostgreSQL says; None: it was not asked."""
    stopped_at_tls: bool = False
    states: tuple[str, ...] = ()
    """SQLSTATEs of refusals; libpq tries again in the clear, or over TLS, where it may."""

    @property
    def broke_off_behind_tls(self) -> bool:
        """Whether there was an encryption, and then nothing at all."""
        unsaid = not (self.connected or self.timed_out or self.needs_password or self.states)
        return unsaid and self.tls_answer == "S" and not self.stopped_at_tls

    @property
    def state(self) -> str | None:
        """The refusal that says most: a refusal by pg_hba.conf may be of the second try alone."""
        telling = [state for state in self.states if state != "28000"]
        return next(iter(telling or self.states), None)


def begin(url: DatabaseUrl, *, patience_seconds: float = _PATIENCE_SECONDS) -> Startup:
    """Begin a connection as `connect` does, see what is said, and end it at once."""
    keywords = {**url.conninfo(), "application_name": "bounty-ops diagnosis"}
    conninfo = b" ".join(f"{name}='{_quoted(value)}'".encode() for name, value in keywords.items())
    trace = _Trace()
    connection = pq.PGconn.connect_start(conninfo)
    try:
        trace.follow(connection)
        status = _finish(connection, time.monotonic() + patience_seconds)
        said = trace.end(connection)
        answers = _TLS_ANSWER.findall(said)
        return Startup(
            connected=status == pq.PollingStatus.OK,
            timed_out=status is None,
            needs_password=status == pq.PollingStatus.FAILED and connection.needs_password,
            tls_answer=answers[-1] if answers else None,
            stopped_at_tls=_STOPPED_AT_TLS.search(said) is not None,
            states=tuple(_REFUSAL.findall(said)),
        )
    finally:
        connection.finish()
        trace.close()


def cause_of_silence(url: DatabaseUrl) -> Cause | None:
    """Why nothing can be reached at that address; None: something listens there."""
    try:
        reached = reach(url)
    except socket.gaierror:
        return causes.HOST_UNKNOWN
    except TimeoutError:
        return causes.NO_ANSWER
    except OSError as error:
        return _BY_ERRNO.get(error.errno or 0, causes.UNRECOGNISED)
    reached.close()
    return None


def takes_only_tls(url: DatabaseUrl) -> bool:
    """Whether a server that refused in the clear would go on over TLS; no password is sent."""
    left_out = {"sslmode", "sslrootcert", "channel_binding"}
    kept = tuple(pair for pair in url.parameters if pair[0] not in left_out)
    encrypted = dataclasses.replace(url, password=None, parameters=(*kept, ("sslmode", "require")))
    start = begin(encrypted)
    over_tls = start.tls_answer == "S" and not start.stopped_at_tls
    return over_tls and (start.connected or start.needs_password or start.state != "28000")


def reach(url: DatabaseUrl) -> socket.socket:
    """A socket that is connected to the server; raises the OSError that says most."""
    if url.host.startswith("/"):
        reached = socket.socket(socket.AF_UNIX)
        reached.settimeout(_PATIENCE_SECONDS)
        try:
            reached.connect(f"{url.host}/.s.PGSQL.{url.port}")
        except OSError:
            reached.close()
            raise
        return reached
    host = dict(url.parameters).get("hostaddr", url.host)
    failures: list[OSError] = []
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, url.port, type=socket.SOCK_STREAM
    ):
        reached = socket.socket(family, kind, protocol)
        reached.settimeout(_PATIENCE_SECONDS)
        try:
            reached.connect(address)
        except OSError as error:
            reached.close()
            failures.append(error)
        else:
            return reached
    # localhost is two addresses: a refusal says more than the lack of a network of the other kind.
    raise min(failures, key=lambda error: error.errno != errno.ECONNREFUSED)


class _Trace:
    """libpq's own account of a connection, in memory; elsewhere than on Linux there is none."""

    def __init__(self) -> None:
        self._file = os.memfd_create("bounty-ops") if sys.platform == "linux" else None

    def follow(self, connection: pq.abc.PGconn) -> None:
        if self._file is not None and connection.status != pq.ConnStatus.BAD:
            connection.trace(self._file)
            connection.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)

    def end(self, connection: pq.abc.PGconn) -> str:
        if self._file is None:
            return ""
        with suppress(Exception):  # it was never followed
            connection.untrace()
        size = os.fstat(self._file).st_size
        return os.pread(self._file, size, 0).decode(errors="replace")

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


def _finish(connection: pq.abc.PGconn, deadline: float) -> pq.PollingStatus | None:
    """Go on until it is made or refused; None: not in time."""
    if connection.status == pq.ConnStatus.BAD:
        return pq.PollingStatus.FAILED
    status = pq.PollingStatus.WRITING
    while status in {pq.PollingStatus.READING, pq.PollingStatus.WRITING}:
        waiting = [connection.socket]
        reading = status == pq.PollingStatus.READING
        left = deadline - time.monotonic()
        ready = left > 0 and select.select(
            waiting if reading else [], [] if reading else waiting, [], left
        )
        if not ready or not (ready[0] or ready[1]):
            return None
        status = pq.PollingStatus(connection.connect_poll())
    return status


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
