"""Database URLs: what is understood, what is refused, and that no secret gets out."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import ConfigurationError

#: What a password may hold; libpq cannot carry a NUL in any way.
SECRETS = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), min_size=1
)


@given(password=SECRETS, database=SECRETS, user=SECRETS)
@example(password="@:/?#%&= +", database="d/b?x", user="a@b:c")
def test_any_password_survives_a_round_trip(password: str, database: str, user: str) -> None:
    url = DatabaseUrl("db.example", 6543, database, user, password, (("sslmode", "require"),))
    assert DatabaseUrl.parse(url.text()) == url


@given(password=SECRETS)
def test_libpq_reads_the_same_password_from_the_text_as_we_do(password: str) -> None:
    url = DatabaseUrl("db.example", 5432, "bounty", "app", password)
    assert conninfo_to_dict(url.text())["password"] == password


@given(password=SECRETS.map(lambda text: f"pw-{text}-end"))
def test_no_rendering_for_show_holds_the_password(password: str) -> None:
    url = DatabaseUrl("h", 5432, "d", "u", password, (("sslpassword", password),))
    shown = f"{url!r} {url} {url.redacted()} {url.address()} {url.sqlalchemy()!s}"
    # SQLAlchemy masks the password, but it cannot know that sslpassword is one.
    assert password not in shown.replace(f"{url.sqlalchemy()!s}", "")
    assert all(secret not in url.redacted() for secret in url.secrets())


@pytest.mark.parametrize("character", ["@", "/", "?", "#", "%"])
def test_an_unencoded_character_in_the_password_is_named(character: str) -> None:
    with pytest.raises(ConfigurationError, match="unencoded") as caught:
        DatabaseUrl.parse(f"postgresql://app:hun{character}zter2@db.example/bounty")
    assert f"`{character}`" in str(caught.value)
    assert f"%{ord(character):02X}" in caught.value.hint
    assert "zter2" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("password", ["p@zter2/w", "zter2@/w", "p@/zter2", "p@zter2/a/w"])
def test_what_stands_between_two_such_characters_is_no_host(password: str) -> None:
    with pytest.raises(ConfigurationError, match="the password holds an unencoded `@`") as caught:
        DatabaseUrl.parse(f"postgresql://app:{password}@db.example/bounty?sslmode=require")
    assert "zter2" not in f"{caught.value} {caught.value.hint}"
    encoded = password.replace("@", "%40").replace("/", "%2F")
    url = DatabaseUrl.parse(f"postgresql://app:{encoded}@db.example/a%40b")
    assert (url.password, url.database) == (password, "a@b")


def _parsed(text: str) -> DatabaseUrl | None:
    try:
        return DatabaseUrl.parse(text)
    except ConfigurationError:
        return None


@given(text=st.text())
@example(text="u@h")
def test_whatever_is_written_gives_a_url_or_a_clear_error(text: str) -> None:
    url = _parsed("postgresql://" + text)
    assert url is None or (url.user and url.host and DatabaseUrl.parse(url.text()) == url)


@pytest.mark.parametrize(
    "text", ["", "bounty", "mysql://u:p@h/d", "https://u:p@h/d", "postgresql:/u:p@h/d"]
)
def test_other_schemes_are_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DatabaseUrl.parse(text)
    assert "postgresql://ROLE:PASSWORD@HOST" in caught.value.hint


@pytest.mark.parametrize(
    ("query", "sslmode"),
    [
        ("sslmode=no-verify", "require"),
        ("sslmode=require&uselibpqcompat=true", "require"),
        ("ssl=true", "require"),
        ("ssl=false", "disable"),
        ("ssl=true&sslmode=verify-full", "verify-full"),
        ("pgbouncer=true&connection_limit=1&schema=public", "prefer"),
    ],
)
def test_values_meant_for_node_are_translated_or_dropped(query: str, sslmode: str) -> None:
    url = DatabaseUrl.parse(f"postgres://u:p@h/d?{query}")
    assert url.sslmode == sslmode
    assert set(dict(url.parameters)) <= {"sslmode"}


def test_what_libpq_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match="frobnicate"):
        DatabaseUrl.parse("postgres://u:p@h/d?frobnicate=1")
    with pytest.raises(ConfigurationError, match="sslmode"):
        DatabaseUrl.parse("postgres://u:p@h/d?sslmode=verify_full")


def test_plus_in_a_parameter_is_no_space() -> None:
    url = DatabaseUrl.parse("postgres://u:p@h/d?options=-c%20a=b+c")
    assert dict(url.parameters)["options"] == "-c a=b+c"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "POSTGRESQL"])
def test_every_driver_becomes_psycopg(scheme: str) -> None:
    url = DatabaseUrl.parse(f"{scheme}://u:p@h/d")
    assert url.sqlalchemy().drivername == "postgresql+psycopg"


def test_a_socket_directory_is_understood() -> None:
    url = DatabaseUrl.parse("postgresql:///bounty?host=/run/postgresql&user=app")
    assert (url.host, url.port, url.database, url.user) == (
        "/run/postgresql",
        5432,
        "bounty",
        "app",
    )
    assert DatabaseUrl.parse(url.text()) == url
    assert url.sqlalchemy().query["host"] == "/run/postgresql"


def test_ipv6_addresses_stand_in_brackets() -> None:
    url = DatabaseUrl.parse("postgresql://u:p@[2001:db8::1]:5433/d")
    assert (url.host, url.port) == ("2001:db8::1", 5433)
    assert DatabaseUrl.parse(url.text()) == url


@pytest.mark.parametrize("port", ["0", "65536", "x", "-1", "54 32"])
def test_an_impossible_port_is_refused(port: str) -> None:
    with pytest.raises(ConfigurationError):
        DatabaseUrl.parse(f"postgresql://u:p@h:{port}/d")


def test_several_hosts_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="several hosts"):
        DatabaseUrl.parse("postgresql://u:p@a,b/d")
