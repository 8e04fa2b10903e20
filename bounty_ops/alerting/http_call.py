"""One HTTP call to a URL that is a secret: bounded in time, told in our own words.

Nothing of what the other side says is repeated, because it may repeat the URL.
"""

from __future__ import annotations

import base64
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SERVER_ERRORS: Final = 500
#: 4xx that say "not now" and not "never".
_NOT_NOW: Final = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Target:
    """Where a call goes: a URL without its login, and the login as a header."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool = True

    @classmethod
    def parse(cls, url: str, *, verify: bool = True) -> Self:
        """Take a URL apart.

        Raises:
            ValueError: it is no URL that can be called.
        """
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("not an HTTP URL")
        parts.port  # noqa: B018 - raises for what is no number
        plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        urllib.request.Request(plain)  # noqa: S310 - looked at above; refuses what it cannot call
        headers = {}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        return cls(plain, headers, verify)


@dataclass(frozen=True)
class Answer:
    """What came back; no `problem`: it was taken."""

    problem: str | None = None
    status: int | None = None
    retry_after: float | None = None

    @property
    def again(self) -> bool:
        """Whether the same call could succeed another time."""
        if self.problem is None:
            return False
        return self.status is None or self.status >= _SERVER_ERRORS or self.status in _NOT_NOW


def get(target: Target, *, seconds: float) -> Answer:
    """GET it, following redirects; `seconds` bound each wait, not the whole."""
    return _attempt(target, _request(target, "GET", None, {}), seconds, redirects=True)


def ask(target: Target, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """GET it, within `seconds` whatever happens; a redirect is no answer."""
    request = _request(target, "GET", None, headers)
    return within(
        lambda: _attempt(target, request, seconds, redirects=False),
        seconds,
        otherwise=Answer(f"no answer within {seconds:g} s"),
    )


def post(target: Target, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """POST to it, within `seconds` whatever happens; a redirect is a refusal.

    A redirected POST would become a GET, or send the message somewhere nobody named.
    """
    request = _request(target, "POST", body, headers)
    return within(
        lambda: _attempt(target, request, seconds, redirects=False),
        seconds,
        otherwise=Answer(f"no answer within {seconds:g} s"),
    )


def within(call: Callable[[], Answer], seconds: float, *, otherwise: Answer) -> Answer:
    """The call's answer, or `otherwise` when there is none in time.

    A thread, because nothing else bounds how long a name server or a dripping answer may take.
    """
    answers: list[Answer] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:  # noqa: BLE001 - told as an answer; its text may hold the URL
            answers.append(Answer(f"unexpected {type(error).__name__}"))

    thread = threading.Thread(target=run, name="bounty-ops-call", daemon=True)
    thread.start()
    thread.join(seconds)
    return answers[0] if answers else otherwise


def _request(
    target: Target, method: str, body: bytes | None, headers: Mapping[str, str]
) -> urllib.request.Request:
    request = urllib.request.Request(  # noqa: S310 - `Target.parse` looked at the scheme
        target.url, data=body, method=method, headers={"User-Agent": "bounty-ops", **headers}
    )
    for name, value in target.headers.items():
        # Not for wherever a redirect points.
        request.add_unredirected_header(name, value)
    return request


def _attempt(
    target: Target, request: urllib.request.Request, seconds: float, *, redirects: bool
) -> Answer:
    try:
        with _opener(redirects=redirects, verify=target.verify).open(
            request, timeout=seconds
        ) as response:
            return Answer(status=response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return Answer(
            f"it answered {error.code}", error.code, _seconds(error.headers.get("Retry-After"))
        )
    except (urllib.error.URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            return Answer(f"no answer within {seconds:.0f} s")
        if isinstance(reason, ssl.SSLCertVerificationError):
            return Answer(f"its certificate is not trusted: {reason.verify_message}")
        told = reason.strerror if isinstance(reason, OSError) else None
        return Answer(f"it cannot be reached: {told or type(reason).__name__}")


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a `Retry-After`; a date counts from no clock that we know, so it is left."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _opener(*, redirects: bool, verify: bool) -> urllib.request.OpenerDirector:
    """HTTP, HTTPS and proxies; never `file:` or `ftp:`, wherever a redirect points."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=_tls(verify=verify)),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    if redirects:
        opener.add_handler(urllib.request.HTTPRedirectHandler())
    return opener


@cache
def _tls(*, verify: bool) -> ssl.SSLContext:
    """Made once: reading the system's certificates takes longer than a call."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
