"""Reading database URLs as people write them, and saying what is wrong with them.

Drizzle, Prisma and node-postgres accept parameters that libpq refuses; providers hand out URLs
with them. They are translated or dropped here, once. Values that libpq would refuse are named
before a connection is tried, because libpq's own message may repeat the URL with its password.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from bounty_ops.errors import ConfigurationError

_SCHEMES: Final = ("postgresql", "postgres")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_SHAPE: Final = "postgresql://ROLE:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full"
_DEFAULT_PORT: Final = 5432
_MAX_PORT: Final = 65535
_SSL_MODES: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
#: node-postgres: encrypt, but verify nothing. libpq calls that `require`.
_NODE_SSL: Final = {"no-verify": "require", "true": "require", "1": "require", "false": "disable"}
#: Meaningful to node-postgres, Prisma or a pooler only; libpq refuses them.
_FOREIGN: Final = frozenset(
    {
        "uselibpqcompat",
        "pgbouncer",
        "connection_limit",
        "pool_timeout",
        "pool_size",
        "schema",
        "socket_timeout",
        "statement_cache_size",
        "supa",
        "workaround",
        "application_name",  # every operation sets its own, so that an operator can tell them apart
    }
)
#: PostgreSQL 18 documentation, "Parameter Key Words", less what is part of the URL itself.
_LIBPQ: Final = frozenset(
    {
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "gsslib",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "max_protocol_version",
        "min_protocol_version",
        "options",
        "passfile",
        "require_auth",
        "requirepeer",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcertmode",
        "sslcompression",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
    }
)


class UrlParts(NamedTuple):
    """What a database URL says, decoded."""

    host: str
    port: int
    database: str
    user: str
    password: str | None
    parameters: tuple[tuple[str, str], ...]
    unencoded: tuple[str, ...] = ()


def split_database_url(text: str) -> UrlParts:
    """Take a database URL apart; see `DatabaseUrl.parse`.

    Raises:
        ConfigurationError: it cannot be read; the message never repeats the URL.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme.split("+", 1)[0].lower() not in _SCHEMES:
        raise ConfigurationError(
            "the database URL does not begin with postgresql://",
            hint=f"Write it as {_SHAPE}",
        )
    login, host_and_path = _split_login(rest)
    user, password = _decode_login(login)
    authority, path, query = _split_path(host_and_path)
    given = dict(_parse_query(query))
    host, port = _host_and_port(authority, given)
    user = given.pop("user", user)
    password = given.pop("password", password)
    database = given.pop("dbname", _decoded(path, "database name")) or user
    if not user:
        raise ConfigurationError("the database URL names no role", hint=f"Write it as {_SHAPE}")
    parameters = _libpq_parameters(given)
    return UrlParts(host, port, database, user, password, parameters, _unencoded_in(login))


def _unencoded_in(login: str) -> tuple[str, ...]:
    """What of the password should have been encoded, each character once, in its order.

    A `%` counts where it stands for a character that nobody encodes, such as %41 for `A`: the
    password itself probably holds the `%`.
    """
    password = login.partition(":")[2]
    found = re.findall(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~%-]", password)
    needless = [mark for mark in found if len(mark) == 1 or _UNRESERVED.fullmatch(unquote(mark))]
    return tuple(dict.fromkeys(mark[0] for mark in needless))


def _split_login(rest: str) -> tuple[str, str]:
    """Divide at the `@` before the host, and name a login with unencoded characters."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    ats = authority.count("@")
    path = rest[len(authority) :].partition("?")[0]
    # `p@ss/w@host`: else a part of the password would be taken for the host, and told as one.
    if ats > 1 or (ats == 1 and "@" in path):
        raise _unencoded("@")
    if ats == 1:
        login, _, host = rest.partition("@")
        return login, host
    # Without an `@` before the first delimiter, an `@` behind it in front of the query tells
    # that the delimiter was meant to be part of the password.
    stop = rest[len(authority) : len(authority) + 1]
    behind = rest[len(authority) + 1 :]
    before_query = behind if stop == "?" else behind.partition("?")[0]
    if ":" in authority and "@" in before_query and not authority.startswith("["):
        raise _unencoded(stop)
    return "", rest


def _unencoded(character: str) -> ConfigurationError:
    code = f"%{ord(character):02X}"
    return ConfigurationError(
        f"the password holds an unencoded `{character}`",
        hint=f"In a URL write `{character}` in the password as {code} "
        "(every character but letters, digits and -._~ has to be percent-encoded).",
    )


def _decode_login(login: str) -> tuple[str, str | None]:
    user, colon, password = login.partition(":")
    return (
        _decoded(user, "role"),
        _decoded(password, "password") if colon else None,
    )


def _decoded(text: str, what: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ConfigurationError(
            f"the {what} holds an unencoded `%`",
            hint="In a URL write `%` as %25.",
        )
    if re.search(r"\s", text):
        raise ConfigurationError(
            f"the {what} holds an unencoded space",
            hint="In a URL write a space as %20, or remove it.",
        )
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"the {what} holds percent-encoded bytes that are not UTF-8",
            hint="Percent-encode its UTF-8 form.",
        ) from None


def _split_path(rest: str) -> tuple[str, str, str]:
    before_query, _, query = rest.partition("?")
    if "#" in rest:
        raise ConfigurationError(
            "the database URL holds an unencoded `#`", hint="In a URL write `#` as %23."
        )
    authority, _, path = before_query.partition("/")
    return authority, path, query


def _parse_query(query: str) -> list[tuple[str, str]]:
    try:
        # `+` is no space to libpq, so it must survive; parse_qsl would turn it into one.
        return parse_qsl(
            query.replace("+", "%2B"), keep_blank_values=True, strict_parsing=bool(query)
        )
    except ValueError:
        raise ConfigurationError(
            "the part of the database URL behind `?` is not of the form name=value&name=value",
            hint=f"Write the URL as {_SHAPE}",
        ) from None


def _host_and_port(authority: str, given: dict[str, str]) -> tuple[str, int]:
    if "," in authority or "," in given.get("host", ""):
        raise ConfigurationError(
            "the database URL names several hosts",
            hint="Name one: a backup or a migration must know which server it talks to.",
        )
    match = re.fullmatch(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>.*))?", authority)
    if match is None:
        raise ConfigurationError(
            "the host of the database URL cannot be read",
            hint="An IPv6 address stands in brackets; a `:` in the password is written %3A.",
        )
    host = _decoded(match["host"].strip("[]"), "host")
    host = given.pop("host", host) or "localhost"
    port = given.pop("port", match["port"]) or str(_DEFAULT_PORT)
    if not port.isascii() or not port.isdigit() or not 0 < int(port) <= _MAX_PORT:
        raise ConfigurationError(
            "the port of the database URL is not a number from 1 to 65535",
            hint="If the text behind the `:` is part of the password, the `@` before the host "
            f"is missing. Write the URL as {_SHAPE}",
        )
    return host, int(port)


def _libpq_parameters(given: dict[str, str]) -> tuple[tuple[str, str], ...]:
    ssl = given.pop("ssl", None)
    if ssl is not None and "sslmode" not in given:
        given["sslmode"] = ssl
    if "sslmode" in given:
        mode = given["sslmode"].lower()
        given["sslmode"] = mode = _NODE_SSL.get(mode, mode)
        if mode not in _SSL_MODES:
            raise ConfigurationError(
                "the database URL has an sslmode that PostgreSQL does not know",
                hint=f"Use one of {', '.join(sorted(_SSL_MODES))}.",
            )
    if given.get("sslrootcert") == "system" and given.setdefault("sslmode", "verify-full") != (
        "verify-full"
    ):
        # As libpq has it: a public authority signs for anybody, so the name is what is verified.
        raise ConfigurationError(
            f"the database URL has sslrootcert=system with sslmode={given['sslmode']}",
            hint="Use sslmode=verify-full, or take sslrootcert=system out of the URL.",
        )
    kept = {name: value for name, value in given.items() if name not in _FOREIGN}
    unknown = sorted(name for name in kept if name not in _LIBPQ)
    if unknown:
        raise ConfigurationError(
            f"the database URL has a parameter that PostgreSQL does not know: {unknown[0]}",
            hint="Remove it, or, if it is part of the password, percent-encode the password's "
            "`?` as %3F and `&` as %26.",
        )
    return tuple(sorted(kept.items()))
