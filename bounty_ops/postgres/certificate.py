"""Why a server's certificate is not believed, by OpenSSL's verify code."""

from __future__ import annotations

import os
import ssl
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bounty_ops.postgres import causes
from bounty_ops.postgres.startup import reach

if TYPE_CHECKING:
    import socket

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.causes import Cause

_SSL_REQUEST: Final = struct.pack("!ii", 8, 80877103)
#: OpenSSL documentation, "X509_STORE_CTX_get_error".
_WORDS: Final = {
    2: "nobody who is trusted has signed it",
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed, and not among those that are trusted",
    19: "an authority has signed it that is not among those that are trusted",
    20: "nobody who is trusted has signed it",
    21: "nobody who is trusted has signed it",
    23: "it was revoked",
    62: "it was issued for another host name",
    64: "it was issued for another address",
}


def root_certificate(url: DatabaseUrl) -> str:
    """What libpq takes for trusted: `system`, or the path of a file."""
    given = dict(url.parameters).get("sslrootcert") or os.environ.get("PGSSLROOTCERT")
    return given or str(Path("~/.postgresql/root.crt").expanduser())


def ssl_mode(url: DatabaseUrl) -> str:
    """The sslmode in force, with libpq's variable and default."""
    return dict(url.parameters).get("sslmode") or os.environ.get("PGSSLMODE") or "prefer"


def verifies(url: DatabaseUrl) -> bool:
    """Whether libpq verifies the server's certificate (with `require`: where it has a root)."""
    mode = ssl_mode(url)
    root = root_certificate(url)
    return mode.startswith("verify-") or (
        mode == "require" and root != "system" and Path(root).is_file()
    )


def why_not_agreed(url: DatabaseUrl) -> tuple[Cause, str]:
    """Why no encryption came about with a server that offers it; with what was found of it."""
    root = root_certificate(url)
    if not verifies(url):
        return causes.TLS_FAILED, ""
    if root != "system" and not Path(root).is_file():
        return causes.ROOT_CERTIFICATE_MISSING, root
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = ssl_mode(url) == "verify-full"
    try:
        if root == "system":
            context.load_default_certs()
        else:
            context.load_verify_locations(root)
        with reach(url) as plain:
            _shake_hands(plain, context, url.host)
    except ssl.SSLCertVerificationError as error:
        code = error.verify_code
        return causes.CERTIFICATE_UNVERIFIED, f"{_WORDS.get(code, 'OpenSSL')} (verify code {code})"
    except OSError:  # ssl.SSLError is one
        return causes.TLS_FAILED, ""
    return causes.TLS_FAILED, ""


def _shake_hands(plain: socket.socket, context: ssl.SSLContext, host: str) -> None:
    plain.sendall(_SSL_REQUEST)
    if plain.recv(1) == b"S":
        context.wrap_socket(plain, server_hostname=host).close()
