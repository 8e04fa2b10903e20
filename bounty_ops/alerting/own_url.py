"""What the URLs of our own channels say: where to, with which headers, and options by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from bounty_ops.alerting.http_call import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_PLUS: Final = re.compile(r"(?:(?<=&)|\A)\+")
_NO: Final = frozenset({"no", "false", "0", "off"})


@dataclass(frozen=True)
class OwnUrl:
    """A channel's URL, taken apart."""

    target: Target = field(repr=False)
    options: Mapping[str, str] = field(repr=False)


def parse(url: str, *, is_option: Callable[[str], bool], port: int | None = None) -> OwnUrl:
    """Take a channel's URL apart; `s` at the end of its scheme stands for TLS.

    `+Name=value` adds a header, `verify=no` leaves the certificate unchecked, what `is_option`
    knows is an option, and the rest of the query stays in the URL.

    Args:
        url: of a channel.
        is_option: whether a parameter by that name is for the channel.
        port: where the URL names none and there is no TLS.

    Raises:
        ValueError: it cannot be called; repeats no part of the URL.
    """
    try:
        parts = urlsplit(url.strip())
        named = parts.port
    except ValueError:
        raise ValueError("its port or host is not one") from None
    secure = parts.scheme.endswith("s")
    headers, options, rest, verify = _query(parts.query, is_option)
    netloc = parts.netloc
    if named is None and port is not None and not secure:
        netloc = f"{netloc.rstrip(':')}:{port}"
    plain = urlunsplit(
        (
            "https" if secure else "http",
            netloc,
            quote(parts.path, safe="/%:@+,;=~!$&'()*"),
            rest,
            "",
        )
    )
    try:
        target = Target.parse(plain, verify=verify)
    except ValueError:
        raise ValueError("it names no host") from None
    return OwnUrl(Target(target.url, {**target.headers, **headers}, verify), options)


def is_yes(value: str) -> bool:
    """Whether an option is on; what is not a no is a yes, as in Apprise."""
    return value.lower() not in _NO


def _query(
    query: str, is_option: Callable[[str], bool]
) -> tuple[dict[str, str], dict[str, str], str, bool]:
    headers: dict[str, str] = {}
    options: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    verify = True
    # A plus in front of a name is a header's, and not a space.
    for name, value in parse_qsl(_PLUS.sub("%2B", query), keep_blank_values=True):
        if name.startswith("+"):
            headers[_header(name[1:])] = _value(value)
        elif name == "verify":
            verify = is_yes(value)
        elif is_option(name):
            options[name] = value
        else:
            rest.append((name, value))
    return headers, options, urlencode(rest), verify


def _header(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError("what follows a + is not the name of a header")
    return name


def _value(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise ValueError("the value of a header holds what headers cannot")
    return value
