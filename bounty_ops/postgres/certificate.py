"""Why no encryption is agreed on: by OpenSSL's verify code, or by the alert of the server."""

from __future__ import annotations

import os
import ssl
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.environments.tls import SYSTEM, system_bundle
from bounty_ops.environments.tls import root_certificate as roots
from bounty_ops.postgres import causes
from bounty_ops.postgres.startup import reach

if TYPE_CHECKING:
    import socket

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.cause import Cause

_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
#: OpenSSL documentation, "X509_STORE_CTX_get_error".
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_WORDS: Final = {
    2: "nobody who is trusted has signed it",
    18: "it is self-signed, and not among those that are trusted",
    19: "an authority has signed it that is not among those that are trusted",
    20: "nobody who is trusted has signed it",
    21: "nobody who is trusted has signed it",
    23: "it was revoked",
    62: "it was issued for another host name",
    64: "it was issued for another address",
}
#: What a server says of our certificate (RFC 8446, section 6.2), by OpenSSL's names of the alerts.
_ALERTS: Final = {
    "SSLV3_ALERT_BAD_CERTIFICATE": (42, "it is damaged"),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": (43, "it is of a kind that the server does not take"),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (44, "it was revoked"),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (45, "it has expired, or is not valid yet"),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": (46, "the server does not say why"),
    "TLSV1_ALERT_UNKNOWN_CA": (48, "nobody whom the server trusts has signed it"),
}
_REQUIRED_ALERT: Final = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
#: An alert about our certificate comes at once, behind the end of a handshake of TLS 1.3.
_ALERT_SECONDS: Final = 2.0
#: Records and messages of TLS 1.2, whose handshake goes in the clear (RFC 5246, 6.2.1 and 7.4).
_HANDSHAKE: Final = 22
_CERTIFICATE_REQUEST: Final = 13
_SERVER_HELLO_DONE: Final = 14
_RECORD_HEAD: Final = 5
_MESSAGE_HEAD: Final = 4
#: libpq's rule for a key of one's own; one of root's may be read by its group.
_OTHERS: Final = 0o077


def root_certificate(url: DatabaseUrl) -> str:
    """What is taken for trusted: `system`, or the path of a file."""
    return roots(dict(url.parameters))


def ssl_mode(url: DatabaseUrl) -> str:
    """The sslmode in force, with libpq's variable and default."""
    return dict(url.parameters).get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"


def verifies(url: DatabaseUrl) -> bool:
    """Whether libpq verifies the server's certificate (with `require`: where it has a root)."""
    mode = ssl_mode(url)
    root = root_certificate(url)
    return mode.startswith("verify-") or (
        mode == "require" and root != SYSTEM and Path(root).is_file()
    )


def client_certificate(url: DatabaseUrl) -> tuple[Path, Path]:
    """Where libpq looks for the certificate that this client shows, and for its key."""
    given, home = dict(url.parameters), Path("~/.postgresql").expanduser()
    return (
        Path(given.get("sslcert") or os.environ.get("PGSSLCERT") or home / "postgresql.crt"),
        Path(given.get("sslkey") or os.environ.get("PGSSLKEY") or home / "postgresql.key"),
    )


def why_not_agreed(url: DatabaseUrl) -> tuple[Cause, str]:
    """Why no encryption came about with a server that offers it; with what was found of it."""
    root = root_certificate(url)
    if verifies(url) and root != SYSTEM and not Path(root).is_file():
        return causes.ROOT_CERTIFICATE_MISSING, root
    unusable = _unusable_key(url)
    if unusable:
        return causes.CLIENT_KEY_UNUSABLE, unusable
    try:
        context = _context(url, root)
    except OSError:  # ssl.SSLError is one: a file without a certificate, a key of another one
        certificate, key = client_certificate(url)
        if certificate.is_file():
            return causes.CLIENT_KEY_UNUSABLE, f"OpenSSL cannot use {certificate} with {key}"
        return causes.TLS_FAILED, f"OpenSSL cannot use {root}"
    return _tried(url, context)


def _tried(url: DatabaseUrl, context: ssl.SSLContext) -> tuple[Cause, str]:
    try:
        with reach(url) as plain:
            _shake_hands(plain, context, url.host)
    except ssl.SSLCertVerificationError as error:
        return _unverified(error.verify_code)
    except ssl.SSLError as error:
        return _told_by_the_server(error.reason or "")
    except OSError:
        return causes.TLS_FAILED, ""
    return causes.TLS_FAILED, ""


def wants_a_certificate(url: DatabaseUrl) -> bool:
    """Whether the server asks this client for a certificate, and there is none to show.

    Seen in a handshake of TLS 1.2, which is in the clear up to there and goes no further. A server
    that takes TLS 1.3 only is not seen through: false.
    """
    if client_certificate(url)[0].is_file():
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    hello = ssl.MemoryBIO()
    half = context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname=url.host)
    with suppress(ssl.SSLWantReadError):
        half.do_handshake()
    try:
        with reach(url) as plain:
            plain.sendall(_SSL_REQUEST)
            return plain.recv(1) == b"S" and _CERTIFICATE_REQUEST in _answered(plain, hello.read())
    except OSError:
        return False


def _context(url: DatabaseUrl, root: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = ssl_mode(url) == "verify-full"
    if not verifies(url):
        context.verify_mode = ssl.CERT_NONE
    elif root != SYSTEM:
        context.load_verify_locations(root)
    elif (bundle := system_bundle()) is not None:
        context.load_verify_locations(bundle)
    else:
        context.load_default_certs()
    certificate, key = client_certificate(url)
    if certificate.is_file():
        # A word in any case: without one OpenSSL would ask for it at the terminal.
        word = dict(url.parameters).get("sslpassword", "")
        context.load_cert_chain(certificate, key, password=lambda: word)
    return context


def _unusable_key(url: DatabaseUrl) -> str:
    certificate, key = client_certificate(url)
    if not certificate.is_file():
        return ""
    if not key.is_file():
        return f"{key} is not there"
    facts = key.stat()
    allowed = 0o037 if facts.st_uid == 0 and os.geteuid() != 0 else _OTHERS
    return f"others may read {key}" if facts.st_mode & allowed else ""


def _unverified(code: int) -> tuple[Cause, str]:
    told = f"verify code {code}"
    if code == _EXPIRED:
        return causes.CERTIFICATE_EXPIRED, told
    if code == _NOT_YET_VALID:
        return causes.CERTIFICATE_NOT_YET_VALID, told
    return causes.CERTIFICATE_UNVERIFIED, f"{_WORDS.get(code, 'OpenSSL')} ({told})"


def _told_by_the_server(reason: str) -> tuple[Cause, str]:
    if reason == _REQUIRED_ALERT:
        return causes.CLIENT_CERTIFICATE_MISSING, "TLS alert 116"
    if reason in _ALERTS:
        number, words = _ALERTS[reason]
        return causes.CLIENT_CERTIFICATE_REFUSED, f"{words} (TLS alert {number})"
    return causes.TLS_FAILED, ""


def _shake_hands(plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
    """As libpq does it, and then wait a moment for what the server says of our certificate."""
    plain.sendall(_SSL_REQUEST)
    if plain.recv(1) != b"S":
        return
    with context.wrap_socket(plain, server_hostname=host) as encrypted:
        encrypted.settimeout(_ALERT_SECONDS)
        try:
            encrypted.recv(1)
        except TimeoutError:  # it waits for us to begin: nothing is wrong with the certificates
            return


def _answered(plain: socket.socket, hello: bytes) -> set[int]:
    """The kinds of messages with which a server answers the beginning of a handshake."""
    plain.sendall(hello)
    kinds: set[int] = set()
    messages = b""
    while _SERVER_HELLO_DONE not in kinds:
        head = _exactly(plain, _RECORD_HEAD)
        if len(head) < _RECORD_HEAD or head[0] != _HANDSHAKE:
            break
        messages += _exactly(plain, int.from_bytes(head[3:5], "big"))
        while len(messages) >= _MESSAGE_HEAD:
            end = _MESSAGE_HEAD + int.from_bytes(messages[1:4], "big")
            if len(messages) < end:
                break
            kinds.add(messages[0])
            messages = messages[end:]
    return kinds


def _exactly(plain: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count and (more := plain.recv(count - len(found))):
        found += more
    return found
