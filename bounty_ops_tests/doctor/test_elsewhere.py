"""A production whose server is not on the loopback: what `doctor` and whatever connects say of it.

The server listens at an address of this machine that others reach too. That the packets stay here
is the kernel's affair; nobody can tell it from the URL, and tomorrow the address may be another
machine's, or a pooler's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.doctor.database import examine_environment
from bounty_ops.doctor.result import State
from bounty_ops.embedded.privileges import server_user
from bounty_ops.environments import load_settings
from bounty_ops.environments.tls import stays_here
from bounty_ops.postgres.programs import find_programs
from bounty_ops_tests.fix_servers import all_server_majors, running_server
from bounty_ops_tests.fix_tls import own_address
from bounty_ops_tests.postgres.authority import Authority, certified_server
from bounty_ops_tests.postgres.test_certificates import settings_of
from bounty_ops_tests.postgres.test_diagnose import diagnosed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.postgres.authority import CertifiedServer


_USUAL = 17


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(major, marks=[] if major == _USUAL else [pytest.mark.soak])
        for major in all_server_majors()
    ],
)
def programs(request: pytest.FixtureRequest) -> Programs:
    return find_programs(request.param, server=True)


@pytest.fixture(scope="module")
def server(
    programs: Programs, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CertifiedServer]:
    with certified_server(programs, tmp_path_factory.mktemp("elsewhere")) as running:
        yield running


@pytest.fixture
def in_the_clear(programs: Programs, tmp_path: Path) -> Iterator[DatabaseUrl]:
    """A server that offers no TLS."""
    user, place = server_user(), tmp_path / "server"
    place.mkdir()
    rules = user.place(place) / "hba.conf"
    rules.parent.mkdir(parents=True, exist_ok=True)
    rules.write_text("host all all all scram-sha-256\n")
    user.hand_over(rules.parent)
    user.hand_over(rules)
    settings = {"listen_addresses": f"127.0.0.1,{own_address()}", "hba_file": str(rules)}
    with running_server(programs, place, settings) as url:
        yield url


def examined(
    home: Path, url: DatabaseUrl, toml: str = "", query: str = ""
) -> dict[str, CheckResult]:
    settings = settings_of(home, url, toml, query)
    production = settings.environment("production")
    assert not stays_here(production.require_url())
    return {each.name: each for each in examine_environment(production, settings)}


def refused(home: Path, url: DatabaseUrl, query: str = "") -> tuple[str, str]:
    """The diagnosis and what `doctor` says; nothing else of the server was asked."""
    found = examined(home, url, query=query)
    assert found["reachable"].state is State.FAILED
    assert found["encryption"].state is State.UNKNOWN
    production = load_settings(home, {}).environment("production")
    error = diagnosed(production.require_url())
    assert (str(error), error.hint) == (found["reachable"].cause, found["reachable"].remedy)
    return error.diagnosis or "", f"{error}\n{error.hint}"


def test_in_the_clear(in_the_clear: DatabaseUrl, tmp_path: Path) -> None:
    name, told = refused(tmp_path, in_the_clear)
    assert name == "tls_not_offered"
    assert "The URL says no sslmode; the policy made it verify-full" in told
    assert "Switch TLS on at the server" in told
    found = examined(tmp_path, in_the_clear, 'tls = "as_written"')["encryption"]
    assert (found.state, found.cause) == (State.WARNING, "the connection is not encrypted")
    assert "sslmode=verify-full" in (found.remedy or "")


def test_signed_by_nobody_who_is_trusted(
    server: CertifiedServer,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stranger = Authority(tmp_path_factory.mktemp("strange") / "authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.root))
    name, told = refused(tmp_path, server.url, "?sslmode=require")
    assert name == "certificate_unverified"
    assert "sslrootcert=/path/to/root.crt" in told
    assert "The URL says sslmode=require; the policy made it verify-full" in told
    found = examined(tmp_path, server.url, 'tls = "require"')["encryption"]
    assert found.state is State.WARNING
    assert "was not verified (require)" in found.cause


def test_for_another_host(server: CertifiedServer, tmp_path: Path) -> None:
    sound = server.authority.sign("localhost", begins=-2)
    server.show(*server.authority.sign("elsewhere.example"))
    try:
        name, told = refused(tmp_path, server.url, f"?sslrootcert={server.authority.root}")
    finally:
        server.show(*sound)
    assert name == "certificate_unverified"
    assert "it was issued for another host name (verify code 62)" in told
    assert "its host is the one that the certificate names" in told


def test_verified_without_a_word_in_the_url(
    server: CertifiedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.root))
    found = examined(tmp_path, server.url)
    assert found["reachable"].state is State.OK
    assert found["encryption"].cause == "TLS, certificate verified (verify-full)"


def test_an_address_of_this_machine_that_others_reach_is_not_the_loopback(
    server: CertifiedServer, tmp_path: Path
) -> None:
    for host in (own_address(), "host.docker.internal", "::ffff:192.0.2.1", "0.0.0.0"):  # noqa: S104 - judged
        url = server.url.text().replace("localhost", f"[{host}]" if ":" in host else host)
        (tmp_path / ".env.production").write_text(f"DATABASE_URL={url}\n")
        production = load_settings(tmp_path, {}).environment("production")
        assert production.require_url().sslmode == "verify-full", host
