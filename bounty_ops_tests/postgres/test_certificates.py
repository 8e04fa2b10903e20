"""Certificates of servers and of clients, on real servers: each is told apart by its code."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.errors import ProgramFailed
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.run import run_program
from bounty_ops_tests.fix_servers import all_server_majors
from bounty_ops_tests.fix_tls import own_address
from bounty_ops_tests.postgres.authority import Authority, certified_server
from bounty_ops_tests.postgres.test_diagnose import NAME, diagnosed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import Settings
    from bounty_ops_tests.postgres.authority import CertifiedServer

_USUAL = 17


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(major, marks=[] if major == _USUAL else [pytest.mark.soak])
        for major in all_server_majors()
    ],
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CertifiedServer]:
    programs = find_programs(request.param, server=True)
    with certified_server(programs, tmp_path_factory.mktemp("certified")) as running:
        yield running


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody whom the server does not know."""
    return Authority(tmp_path_factory.mktemp("strange") / "authority")


def as_certified(url: DatabaseUrl) -> DatabaseUrl:
    return dataclasses.replace(url, user="certified", password=None)


def settings_of(home: Path, url: DatabaseUrl, toml: str = "", query: str = "") -> Settings:
    """Of a deployment whose production is that server, at an address that is not the loopback."""
    plain = dataclasses.replace(url, parameters=()).text()
    query += f"{'&' if query else '?'}hostaddr={own_address()}"
    (home / ".env.production").write_text(f"DATABASE_URL={plain}{query}\n")
    (home / "bounty_ops.toml").write_text(f"[environments.production]\n{toml}\n")
    return load_settings(home, {})


def test_a_certificate_that_expired_or_is_not_yet_valid_is_told_so(server: CertifiedServer) -> None:
    sound = server.authority.sign("localhost", begins=-2)
    try:
        server.show(*server.authority.sign("localhost", begins=-3, ends=-1))
        error = diagnosed(server.verifying())
        assert error.diagnosis == "certificate_expired"
        assert "verify code 10" in str(error)
        assert "Renew it at the server" in error.hint
        server.show(*server.authority.sign("localhost", begins=1))
        error = diagnosed(server.verifying())
        assert error.diagnosis == "certificate_not_yet_valid"
        assert "clock" in error.hint
        # Who verifies nothing is not kept from it.
        with connect(server.at("require"), application_name=NAME):
            pass
    finally:
        server.show(*sound)
    with connect(server.verifying(), application_name=NAME):
        pass


def test_a_role_that_is_known_by_a_certificate_and_shows_none(server: CertifiedServer) -> None:
    error = diagnosed(as_certified(server.verifying()))
    assert error.diagnosis == "client_certificate_missing"
    assert "sslcert=" in error.hint
    certificate, key = server.authority.sign("certified")
    with connect(
        as_certified(server.verifying(sslcert=certificate, sslkey=key)), application_name=NAME
    ) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("certified",)


def test_where_only_tls_1_3_is_taken_nobody_sees_that_a_certificate_is_asked_for(
    server: CertifiedServer,
) -> None:
    server.take("TLSv1.3")
    try:
        error = diagnosed(as_certified(server.verifying()))
    finally:
        server.take("TLSv1.2")
    assert error.diagnosis == "access_rejected"
    assert "certificate of this client" in error.hint


def test_a_certificate_of_another_role_is_no_missing_one(server: CertifiedServer) -> None:
    certificate, key = server.authority.sign("somebody")
    error = diagnosed(as_certified(server.verifying(sslcert=certificate, sslkey=key)))
    assert error.diagnosis == "access_rejected"
    assert "common name (CN)" in error.hint


@pytest.mark.parametrize("newest", ["TLSv1.2", "TLSv1.3"])
def test_a_certificate_of_an_authority_that_the_server_does_not_trust(
    server: CertifiedServer, stranger: Authority, newest: str
) -> None:
    certificate, key = stranger.sign("certified")
    url = server.verifying(sslcert=certificate, sslkey=key, ssl_max_protocol_version=newest)
    error = diagnosed(as_certified(url))
    assert error.diagnosis == "client_certificate_refused"
    assert "TLS alert 48" in str(error)


def test_a_certificate_of_this_client_that_expired(server: CertifiedServer) -> None:
    certificate, key = server.authority.sign("certified", begins=-4, ends=-1)
    error = diagnosed(as_certified(server.verifying(sslcert=certificate, sslkey=key)))
    assert error.diagnosis == "client_certificate_refused"
    assert "TLS alert 45" in str(error)


def test_a_key_that_cannot_be_used_is_named(server: CertifiedServer, tmp_path: Path) -> None:
    certificate, key = server.authority.sign("certified", begins=-5)
    missing = as_certified(server.verifying(sslcert=certificate, sslkey=tmp_path / "none.key"))
    error = diagnosed(missing)
    assert error.diagnosis == "client_key_unusable"
    assert "none.key is not there" in str(error)
    open_to_all = tmp_path / "open.key"
    open_to_all.write_bytes(key.read_bytes())
    open_to_all.chmod(0o644)
    error = diagnosed(as_certified(server.verifying(sslcert=certificate, sslkey=open_to_all)))
    assert "others may read" in str(error)
    _, anothers = server.authority.sign("another")
    error = diagnosed(as_certified(server.verifying(sslcert=certificate, sslkey=anothers)))
    assert error.diagnosis == "client_key_unusable"
    assert "OpenSSL cannot use" in str(error)


def test_production_verifies_by_default_in_all_that_connects(
    server: CertifiedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What this machine trusts is told to OpenSSL by this variable; here it is one authority.
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority.root))
    for query in ("", "?sslmode=require", "?sslmode=verify-full&sslrootcert=system"):
        url = settings_of(tmp_path, server.url, query=query).environment("production").require_url()
        with connect(url, application_name=NAME) as connection:
            assert connection.pgconn.ssl_in_use
        for programs in {find_programs(), find_programs(all_server_majors()[0])}:
            # The oldest does not know `system`.
            run_program(programs, "pg_isready", [], url=url)
            run_program(programs, "psql", ["-XAtc", "SELECT 1"], url=url)


def test_a_server_that_nobody_trusts_is_refused_by_all_that_connects(
    server: CertifiedServer, stranger: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.root))
    settings = settings_of(tmp_path, server.url, query="?sslmode=require")
    url = settings.environment("production").require_url()
    error = diagnosed(url)  # by psycopg and by SQLAlchemy
    assert error.diagnosis == "certificate_unverified"
    assert "The URL says sslmode=require; the policy made it verify-full" in error.hint
    assert 'tls = "require"' in error.hint
    with pytest.raises(ProgramFailed) as caught:
        run_program(find_programs(), "psql", ["-XAtc", "SELECT 1"], url=url)
    assert caught.value.diagnosis == "certificate_unverified"
    # Who wrote down that it does not matter gets in.
    settings = settings_of(tmp_path, server.url, 'tls = "require"')
    with connect(settings.environment("production").require_url(), application_name=NAME):
        pass


def test_the_name_in_the_certificate_counts_unless_the_owner_says_otherwise(
    server: CertifiedServer, tmp_path: Path
) -> None:
    numbered = dataclasses.replace(server.url, host=own_address())
    root = f"?sslmode=verify-ca&sslrootcert={server.authority.root}"
    production = settings_of(tmp_path, numbered, query=root).environment("production")
    error = diagnosed(production.require_url())
    assert error.diagnosis == "certificate_unverified"
    assert "verify code 64" in str(error)
    production = settings_of(tmp_path, numbered, 'tls = "verify-ca"', root).environment(
        "production"
    )
    with connect(production.require_url(), application_name=NAME):
        pass
