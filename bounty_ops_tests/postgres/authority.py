"""A certificate authority, and a PostgreSQL that shows its certificates and asks for them."""

from __future__ import annotations

import dataclasses
import socket
import ssl
import struct
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bounty_ops.embedded.privileges import server_user
from bounty_ops.errors import PostgresError
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.fix_servers import running_server
from bounty_ops_tests.fix_tls import own_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs

_CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {directory}/index.txt
serial = {directory}/serial
new_certs_dir = {directory}
certificate = {directory}/ca.crt
private_key = {directory}/ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""
#: Only a connection over TLS, by certificate alone for one role; the superuser by password.
_RULES = "hostssl all certified all cert\nhostssl all all all scram-sha-256\n"
#: The same, and the superuser in the clear.
PLAIN_TOO = f"{_RULES}host all all all scram-sha-256\n"


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)  # noqa: S607 - whatever openssl there is


def _request(key: Path, *rest: object) -> None:
    _openssl(
        "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", key, *rest,
    )  # fmt: skip
    key.chmod(0o600)


class Authority:
    """Signs certificates for any time, past and future."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory = directory
        self.root = directory / "ca.crt"
        _request(directory / "ca.key", "-x509", "-out", self.root, "-days", 9, "-subj", "/CN=own")
        (directory / "index.txt").touch()
        (directory / "serial").write_text("1000\n")
        (directory / "ca.cnf").write_text(_CONFIGURATION.format(directory=directory))

    def sign(self, name: str, begins: int = -1, ends: int = 2) -> tuple[Path, Path]:
        """Certificate and key for a host or a role, valid between so many days from now."""
        stem = self.directory / f"{name}{begins}"
        certificate, key = stem.with_suffix(".crt"), stem.with_suffix(".key")
        request = stem.with_suffix(".csr")
        kind = "IP" if name[0].isdigit() else "DNS"
        alternative = f"subjectAltName={kind}:{name}"
        _request(key, "-out", request, "-subj", f"/CN={name}", "-addext", alternative)
        now = datetime.now(UTC)
        bounds = [f"{now + timedelta(days=days):%y%m%d%H%M%SZ}" for days in (begins, ends)]
        _openssl(
            "ca", "-batch", "-config", self.directory / "ca.cnf", "-in", request, "-out",
            certificate, "-startdate", bounds[0], "-enddate", bounds[1], "-notext",
        )  # fmt: skip
        return certificate, key


@dataclasses.dataclass(frozen=True)
class CertifiedServer:
    """A server that asks for certificates of an authority, and shows one that can be changed."""

    url: DatabaseUrl
    """The superuser's, at `localhost`, without a sslmode."""
    authority: Authority
    files: Path

    def at(self, sslmode: str, **parameters: object) -> DatabaseUrl:
        """The superuser's URL."""
        given = {"sslmode": sslmode, **{name: str(value) for name, value in parameters.items()}}
        return dataclasses.replace(self.url, parameters=tuple(sorted(given.items())))

    def verifying(self, **parameters: object) -> DatabaseUrl:
        """The superuser's URL, with everything verified."""
        return self.at("verify-full", sslrootcert=self.authority.root, **parameters)

    def show(self, certificate: Path, key: Path) -> None:
        """Have the server show another certificate from now on."""
        for source, name in ((certificate, "server.crt"), (key, "server.key")):
            (self.files / name).write_bytes(source.read_bytes())
        with connect(self.at("require"), application_name="tests") as connection:
            connection.execute("SELECT pg_reload_conf()")
        wanted = ssl.PEM_cert_to_DER_cert(certificate.read_text())
        while self._shown() != wanted:
            time.sleep(0.02)

    def take(self, oldest: str) -> None:
        """Have the server take no older version of TLS than this one from now on."""
        with connect(self.at("require"), application_name="tests") as connection:
            connection.execute(f"ALTER SYSTEM SET ssl_min_protocol_version = '{oldest}'".encode())
            connection.execute("SELECT pg_reload_conf()")
        while self._takes_the_older() is not (oldest == "TLSv1.2"):
            time.sleep(0.02)

    def _takes_the_older(self) -> bool:
        older = self.at("require", ssl_max_protocol_version="TLSv1.2")
        try:
            with connect(older, application_name="tests"):
                return True
        except PostgresError:
            return False

    def _shown(self) -> bytes | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((self.url.host, self.url.port)) as plain:
            plain.sendall(struct.pack("!ii", 8, 80877103))
            assert plain.recv(1) == b"S"
            with context.wrap_socket(plain) as encrypted:
                return encrypted.getpeercert(binary_form=True)


@contextmanager
def certified_server(
    programs: Programs, directory: Path, rules: str = _RULES
) -> Iterator[CertifiedServer]:
    """Run it for the length of the block, on the loopback and at this machine's own address."""
    authority = Authority(directory / "authority")
    certificate, key = authority.sign("localhost")
    user, place = server_user(), directory / "server"
    place.mkdir()
    files = user.place(place) / "tls"
    files.mkdir(parents=True)
    user.hand_over(files)
    for source, name in (
        (certificate, "server.crt"),
        (key, "server.key"),
        (authority.root, "ca.crt"),
    ):
        (files / name).write_bytes(source.read_bytes())
    (files / "hba.conf").write_text(rules)
    for path in files.iterdir():
        path.chmod(0o600)
        user.hand_over(path)
    settings = {
        "listen_addresses": f"127.0.0.1,{own_address()}",
        "hba_file": str(files / "hba.conf"),
        "ssl": "on",
        "ssl_cert_file": str(files / "server.crt"),
        "ssl_key_file": str(files / "server.key"),
        "ssl_ca_file": str(files / "ca.crt"),
    }
    with running_server(programs, place, settings) as url:
        server = CertifiedServer(dataclasses.replace(url, host="localhost"), authority, files)
        with connect(server.at("require"), application_name="tests") as connection:
            connection.execute("CREATE ROLE certified LOGIN")
        yield server
