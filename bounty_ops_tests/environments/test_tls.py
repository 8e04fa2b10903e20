"""How certain a connection has to be of its server: by its URL and its environment's policy."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.environments import DatabaseUrl, Policy, load_settings
from bounty_ops.environments.servers import given_server
from bounty_ops.environments.tls import insisted, stays_here, system_bundle
from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "postgresql://bounty:s3cret@db.example.org:5432/bounty"
MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


def production(tmp_path: Path, query: str = "", policy: str = "", **variables: str) -> DatabaseUrl:
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={PLAIN}{query}\n")
    (tmp_path / "bounty_ops.toml").write_text(f"[environments.production]\n{policy}\n")
    return load_settings(tmp_path, variables).environment("production").require_url()


@pytest.mark.parametrize(
    "query", ["", *(f"?sslmode={mode}" for mode in MODES if mode != "disable"), "?ssl=no-verify"]
)
def test_production_verifies_its_server_whatever_mode_was_pasted(
    tmp_path: Path, query: str
) -> None:
    url = production(tmp_path, query)
    assert url.sslmode == "verify-full"
    assert url.raised_from == (
        None
        if "full" in query
        else query.partition("=")[2].replace("no-verify", "require") or "none"
    )
    assert url.conninfo()["sslmode"] == url.sqlalchemy().query["sslmode"] == "verify-full"
    assert "sslmode=verify-full" in url.text()


def test_production_that_forbids_tls_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sslmode=disable") as caught:
        production(tmp_path, "?sslmode=disable")
    assert 'tls = "as_written"' in caught.value.hint
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"
    assert production(tmp_path, "?sslmode=disable", 'tls = "as_written"').sslmode == "disable"


def test_a_variable_that_forbids_tls_is_what_the_remedy_names(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PGSSLMODE=disable") as caught:
        production(tmp_path, "", PGSSLMODE="disable")
    assert "Take PGSSLMODE=disable out of the variables" in caught.value.hint


@pytest.mark.parametrize(
    ("tls", "written", "in_force"),
    [
        ("require", "", "require"),
        ("require", "?sslmode=require", "require"),
        ("require", "?sslmode=verify-ca", "verify-ca"),
        ("verify-ca", "?sslmode=require", "verify-ca"),
        ("verify-ca", "?sslmode=verify-full", "verify-full"),
        ("as_written", "?sslmode=require", "require"),
        ("as_written", "", "prefer"),
    ],
)
def test_an_owner_may_say_what_is_enough(
    tmp_path: Path, tls: str, written: str, in_force: str
) -> None:
    assert production(tmp_path, written, f'tls = "{tls}"').sslmode == in_force


def test_where_no_network_is_between_the_url_stays_as_it_is(tmp_path: Path) -> None:
    for place in ("localhost", "127.0.0.1:1", "[::1]:1"):
        (tmp_path / ".env.production").write_text(f"DATABASE_URL=postgresql://a@{place}/b\n")
        url = load_settings(tmp_path, {}).environment("production").require_url()
        assert (url.parameters, url.raised_from) == ((), None), place


def test_an_address_of_its_own_tells_where_a_connection_really_goes() -> None:
    assert not stays_here(DatabaseUrl.parse("postgresql://a@localhost/b?hostaddr=192.0.2.1"))
    assert stays_here(DatabaseUrl.parse("postgresql://a@db.example.org/b?hostaddr=127.0.0.1"))
    assert stays_here(DatabaseUrl.parse("postgresql://a@/b?host=/run/postgresql"))


def test_other_environments_take_their_url_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / ".env.staging").write_text(f"DATABASE_URL={PLAIN}\n")
    assert load_settings(tmp_path, {}).environment("staging").require_url().parameters == ()


def test_the_former_name_of_the_setting_means_what_it_meant() -> None:
    assert Policy.of("production").tls == "verify-full"
    assert Policy.of("production", {"require_tls": False}).tls == "as_written"
    assert Policy.of("production", {"require_tls": True}).tls == "verify-full"
    assert Policy.of("staging", {"require_tls": True}).tls == "require"
    assert Policy.of("staging", {"require_tls": True, "tls": "verify-ca"}).tls == "verify-ca"
    with pytest.raises(ValueError, match="require_tls is true or false"):
        Policy.of("staging", {"require_tls": "yes"})


def test_libpqs_own_variable_may_ask_for_more_and_never_for_less(tmp_path: Path) -> None:
    stronger = production(tmp_path, "", 'tls = "require"', PGSSLMODE="verify-full")
    assert stronger.sslmode == "verify-full"
    assert production(tmp_path, "", PGSSLMODE="require").sslmode == "verify-full"


@pytest.mark.parametrize("variable", ["OPS_DATABASE_URL", "VERIFY_SERVER_URL"])
def test_what_holds_productions_data_is_as_certain_unless_its_url_says(
    tmp_path: Path, variable: str
) -> None:
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={PLAIN}\n")
    other = "postgresql://ops:pw@ops.example.org/ops"

    def mode(text: str) -> str:
        settings = load_settings(tmp_path, {variable: text})
        url = settings.ops_url if variable.startswith("OPS") else settings.verify_server
        assert url is not None
        return url.sslmode

    assert mode(other) == "verify-full"
    assert mode(f"{other}?sslmode=disable") == "disable"
    (tmp_path / ".env.production").unlink()
    (tmp_path / ".env.staging").write_text(f"DATABASE_URL={PLAIN}\n")
    assert mode(other) == "prefer"


def test_a_url_that_a_command_is_given_is_as_certain_unless_it_says(tmp_path: Path) -> None:
    (tmp_path / ".env.staging").write_text(f"DATABASE_URL={PLAIN}\n")
    other = "postgresql://me:pw@new.example.org/restored"

    def mode(text: str) -> str:
        environments = load_settings(tmp_path, {}).environments
        return given_server(DatabaseUrl.parse(text), environments).sslmode

    assert mode(other) == "prefer"
    (tmp_path / ".env.production").write_text(f"DATABASE_URL={PLAIN}\n")
    assert mode(other) == "verify-full"
    assert mode(f"{other}?sslmode=require") == "require"
    assert mode(other.replace("new.example.org", "127.0.0.1")) == "prefer"


def test_a_public_authority_and_no_name_is_refused_as_libpq_does() -> None:
    with pytest.raises(ConfigurationError, match="sslrootcert=system with sslmode=verify-ca"):
        DatabaseUrl.parse(f"{PLAIN}?sslmode=verify-ca&sslrootcert=system")
    assert DatabaseUrl.parse(f"{PLAIN}?sslrootcert=system").sslmode == "verify-full"


def test_what_this_machine_trusts_is_a_file_that_every_libpq_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    bundle = system_bundle()
    assert bundle is not None
    assert ssl.create_default_context(cafile=bundle).cert_store_stats()["x509_ca"] > 0
    for query in ("?sslmode=verify-full", "?sslmode=verify-full&sslrootcert=system"):
        url = DatabaseUrl.parse(PLAIN + query)
        assert url.conninfo()["sslrootcert"] == bundle
        assert url.sqlalchemy().query["sslrootcert"] == bundle
        assert bundle not in url.text()
    own = tmp_path / ".postgresql" / "root.crt"
    own.parent.mkdir()
    own.touch()
    # A file that libpq would take by itself comes first; so does one that its variable names.
    assert "sslrootcert" not in DatabaseUrl.parse(f"{PLAIN}?sslmode=verify-full").conninfo()
    monkeypatch.setenv("PGSSLROOTCERT", "/some/root.crt")
    assert "sslrootcert" not in DatabaseUrl.parse(f"{PLAIN}?sslmode=verify-full").conninfo()


@given(st.sampled_from(MODES[1:]), st.sampled_from(["require", "verify-ca", "verify-full"]))
def test_nothing_is_ever_weakened(mode: str, least: str) -> None:
    url = DatabaseUrl.parse(f"{PLAIN}?sslmode={mode}&options=-cx%3Dy")
    raised = insisted(url, least, {})  # type: ignore[arg-type]  # one of the names of `Tls`
    assert MODES.index(raised.sslmode) == max(MODES.index(mode), MODES.index(least))
    assert insisted(raised, least, {}) is raised  # type: ignore[arg-type]  # same
    assert dict(raised.parameters)["options"] == "-cx=y"
