"""A PostgreSQL that takes encrypted connections only, with a certificate of its own.

============================ ========= =========================================================
``tls_server``               session   `TlsServer`: superuser's URL without sslmode, certificates
============================ ========= =========================================================

It has few connections, so that a test can use them up.
"""

from __future__ import annotations

import dataclasses
import fcntl
import shutil
import socket
import struct
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.embedded.privileges import server_user
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

#: Of them three are reserved for superusers.
CONNECTIONS = 8
#: To give an interface an address (linux/sockios.h).
_SIOCSIFADDR: Final = 0x8916


@dataclass(frozen=True)
class TlsServer:
    """A server that runs."""

    url: DatabaseUrl
    """At `localhost`, which its certificate names; without any sslmode."""
    certificate: Path
    """Its own, self-signed: who trusts it can verify the server."""
    other: Path
    """One that has signed nothing."""

    def with_mode(self, sslmode: str, **parameters: str) -> DatabaseUrl:
        return dataclasses.replace(
            self.url, parameters=(("sslmode", sslmode), *sorted(parameters.items()))
        )


def own_address() -> str:
    """An address of this machine that is not the loopback: a server there is somewhere else.

    As it would be chosen for a way to any network; nothing is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # RFC 5737: documentation
            address = str(probe.getsockname()[0])
        except OSError:  # a machine without a network
            address = _given_one(probe)
    assert not ip_address(address).is_loopback
    return address


def _given_one(probe: socket.socket) -> str:
    """Give the loopback interface an address besides its own, which takes root."""
    address = "192.0.2.7"  # RFC 5737, too
    # struct ifreq: a name, and a struct sockaddr_in
    request = struct.pack("16sHH4s8x", b"lo:7", socket.AF_INET, 0, socket.inet_aton(address))
    try:
        fcntl.ioctl(probe, _SIOCSIFADDR, request)
    except OSError as error:
        message = (
            "these tests need an address that is not the loopback; on a machine without a network: "
            f"ip address add {address}/32 dev lo && ip route add default dev lo src {address}"
        )
        raise AssertionError(message) from error
    return address


def self_signed(directory: Path, name: str, host: str) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    openssl = shutil.which("openssl")
    assert openssl is not None, "these tests make certificates with the program openssl"
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={host}",
            "-addext", f"subjectAltName=DNS:{host}",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture(scope="session")
def tls_server(
    tmp_path_factory: pytest.TempPathFactory, pg_programs: Programs
) -> Iterator[TlsServer]:
    """Run it for the session; started when first asked for."""
    own, place = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("pg-tls")
    certificate, key = self_signed(own, "server", "localhost")
    other, _ = self_signed(own, "other", "elsewhere.example")
    user = server_user()
    files = user.place(place) / "tls"
    files.mkdir(parents=True)
    user.hand_over(files)
    rules = files / "hba.conf"
    rules.write_text("hostssl all all all scram-sha-256\n")
    for path in (certificate, key):
        (files / path.name).write_bytes(path.read_bytes())
    for path in files.iterdir():
        path.chmod(0o600)
        user.hand_over(path)
    settings = {
        "hba_file": str(rules),
        "ssl": "on",
        "ssl_cert_file": str(files / certificate.name),
        "ssl_key_file": str(files / key.name),
        "max_connections": str(CONNECTIONS),
    }
    with running_server(pg_programs, place, settings) as url:
        yield TlsServer(dataclasses.replace(url, host="localhost"), certificate, other)
