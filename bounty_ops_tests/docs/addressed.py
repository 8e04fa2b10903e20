"""A server that stands at an address which a page shows: its host, its port, its certificate."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded.privileges import server_user
from bounty_ops.environments import DatabaseUrl
from bounty_ops.environments.providers import Provider, advise
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.docs.machine import PUBLIC, machine
from bounty_ops_tests.docs.walking import execute
from bounty_ops_tests.fix_servers import running_server
from bounty_ops_tests.monitoring.conftest import eventually
from bounty_ops_tests.postgres.authority import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops_tests.docs.machine import Machine
    from bounty_ops_tests.docs.pages import Block
    from bounty_ops_tests.docs.walking import Walker

_MAJOR: Final = 17
#: As Supabase and Neon hand out roles: nobody's superuser.
_ROLE: Final = "CREATE ROLE {user} LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD '{password}'"
#: As Supabase's session pooler is: the project stands in the role's name, and not behind it.
_POOLER: Final = """\
[databases]
{url.database} = host={behind} port={direct.port} user={direct.user} password={direct.password}
[pgbouncer]
listen_addr = {at}
listen_port = {url.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {files}/users.txt
pool_mode = session
client_tls_sslmode = require
client_tls_cert_file = {files}/server.crt
client_tls_key_file = {files}/server.key
server_tls_sslmode = require
"""


def a_server_at_this_address(walker: Walker, block: Block) -> None:
    """Start one at the URL of the block, which only speaks TLS, and let the walk know its host.

    Its certificate is signed by an authority that lies where the URL says, or that everybody
    trusts. Where the URL asks for no more than `verify-ca`, the certificate names another host.
    """
    url = DatabaseUrl.parse(block.text.partition("=")[2].strip())
    parameters = dict(url.parameters)
    place = walker.line.home.parent / f"server-{url.port}"
    place.mkdir()
    walker.machine = walker.machine or walker.closing.enter_context(machine(place / "machine"))
    authority = Authority(place / "authority")
    named = url.host if parameters["sslmode"] == "verify-full" else "localhost"
    address = loopback()
    (place / "server").mkdir()
    settings = {"listen_addresses": address, **_tls(authority, named, place / "server")}
    programs = find_programs(_MAJOR, server=True)
    server = walker.closing.enter_context(
        running_server(programs, place / "server", settings, port=url.port)
    )
    superuser = dataclasses.replace(server, host=address, parameters=(("sslmode", "require"),))
    _settle(superuser, url)
    _introduce(walker.machine, url, address, authority)
    (walker.line.home / "bounty_ops.toml").write_text("", encoding="utf-8")


def a_session_pooler_at_this_address(walker: Walker, block: Block) -> None:
    """PgBouncer before the server of `.env.production`, and a role for which that is another's."""
    url = DatabaseUrl.parse(block.text.partition("=")[2].strip())
    behind = (walker.line.home / ".env.production").read_text(encoding="utf-8")
    direct = DatabaseUrl.parse(behind.partition("=")[2].strip())
    assert walker.machine is not None
    user, place = server_user(), walker.line.home.parent / "pooler"
    place.mkdir()
    authority = Authority(place / "authority")
    address, files = loopback(), user.place(place / "own")
    certificate, key = authority.sign(url.host)
    settings = _POOLER.format(
        behind=walker.machine.hosts[direct.host], direct=direct, at=address, url=url, files=files
    )
    contents = {
        "server.crt": certificate.read_text(),
        "server.key": key.read_text(),
        "users.txt": f'"{url.user}" "{url.password}"\n',
        "pgbouncer.ini": settings,
    }
    for each, content in contents.items():
        (files / each).write_text(content)
        user.hand_over(files / each)
    program = shutil.which("pgbouncer")
    assert program is not None
    pooler = subprocess.Popen(user.command([program, "-q", str(files / "pgbouncer.ini")]))
    walker.closing.callback(pooler.wait, timeout=60)
    walker.closing.callback(pooler.terminate)
    _introduce(walker.machine, url, address, authority)
    eventually(lambda: _listens(address, url.port))


def _listens(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port)).close()
    except ConnectionRefusedError:
        return False
    return True


def _introduce(here: Machine, url: DatabaseUrl, address: str, authority: Authority) -> None:
    """Let a machine know the host of a URL, and trust its authority where the URL says."""
    here.name(url.host, address)
    named = dict(url.parameters).get("sslrootcert", PUBLIC)
    here.place(named, authority.root.read_bytes())


def loopback() -> str:
    """An address of this machine that nobody else uses, where every port is free."""
    return "127." + ".".join(str(2 + secrets.randbelow(250)) for _ in range(3))


def _tls(authority: Authority, name: str, place: Path) -> dict[str, str]:
    """The settings of a server that takes nothing but TLS."""
    certificate, key = authority.sign(name)
    user = server_user()
    files = user.place(place) / "tls"
    files.mkdir(parents=True)
    user.hand_over(files)
    contents = {
        "server.crt": certificate.read_bytes(),
        "server.key": key.read_bytes(),
        "hba.conf": b"hostssl all all all scram-sha-256\n",
    }
    for each, content in contents.items():
        path = files / each
        path.write_bytes(content)
        path.chmod(0o600)
        user.hand_over(path)
    return {
        "ssl": "on",
        "ssl_cert_file": str(files / "server.crt"),
        "ssl_key_file": str(files / "server.key"),
        "hba_file": str(files / "hba.conf"),
    }


def _settle(superuser: DatabaseUrl, url: DatabaseUrl) -> None:
    """Make the role and the database of the URL, as its provider does."""
    assert url.password is not None
    if advise(url).provider is Provider.RAILWAY:  # its role is the superuser
        execute(superuser, f"ALTER ROLE {url.user} PASSWORD '{url.password}'")
        superuser = dataclasses.replace(superuser, password=url.password)
    elif url.user == superuser.user:
        execute(superuser, "CREATE ROLE its_admin SUPERUSER LOGIN PASSWORD 'its_admin'")
        superuser = dataclasses.replace(superuser, user="its_admin", password="its_admin")
        execute(superuser, f"ALTER ROLE {url.user} RENAME TO its_first")
    if url.user != superuser.user:
        execute(superuser, _ROLE.format(user=url.user, password=url.password))
    if url.database == superuser.database:
        execute(superuser, f"ALTER DATABASE {url.database} OWNER TO {url.user}")
    else:
        execute(superuser, f"CREATE DATABASE {url.database} OWNER {url.user}")
