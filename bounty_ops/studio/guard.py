"""Who may speak to the studio: one browser, on this machine, that was shown the token.

A page of any other site can send requests to a loopback address, and a name that it owns can be
made to resolve to one (DNS rebinding). So nothing is answered unless the ``Host`` is exactly ours,
nothing but the exchange of the token without the session's cookie, and nothing is changed unless
the ``Origin`` is exactly ours too. Cookies are shared by all ports of a host: the cookie's path is
a name that nobody else knows, so that another local server is not sent it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: How long the address with the token can be used, in seconds; nobody needs longer to click it.
TOKEN_SECONDS: Final = 600.0
_SAFE: Final = frozenset({"GET", "HEAD"})
_FORBIDDEN: Final = 403
_WRONG_HOST: Final = 421
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would make browsers send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NO_STORE: Final = "no-store"


@dataclass
class Session:
    """The secrets of one run of the studio; none of them is ever written down."""

    origin: str
    """``http://127.0.0.1:PORT``."""
    path: str = field(default_factory=lambda: f"/studio-{secrets.token_hex(8)}")
    token: str | None = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    """None: it was exchanged."""
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    began: float = field(default_factory=time.monotonic)

    @property
    def host(self) -> str:
        """What ``Host`` has to say."""
        return self.origin.partition("://")[2]

    @property
    def cookie(self) -> str:
        """The cookie's name; two studios do not overwrite each other's."""
        return f"bounty_ops_studio_{self.host.rpartition(':')[2]}"

    @property
    def entrance(self) -> str:
        """The address to open first; its token works once."""
        return f"{self.origin}/enter?token={self.token}"

    def exchange(self, offered: str) -> bool:
        """Whether `offered` is the token; it is none any more afterwards."""
        known = self.token
        if known is None or time.monotonic() - self.began > TOKEN_SECONDS:
            return False
        if not hmac.compare_digest(offered.encode(), known.encode()):
            return False
        self.token = None
        return True

    def knows(self, headers: Headers) -> bool:
        """Whether the request carries the session's cookie."""
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return False
        found = jar.get(self.cookie)
        return found is not None and hmac.compare_digest(found.value.encode(), self.key.encode())


class Guard:
    """ASGI middleware around everything, static files included."""

    def __init__(self, app: ASGIApp, session: Session) -> None:
        self._app = app
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused, and pass the rest on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no page of ours opens a web socket
            return
        answer = self._refusal(scope) or self._entry(scope)
        await (answer or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers, path = Headers(scope=scope), scope["path"]
        if headers.getlist("host") != [self._session.host]:
            return _plain(_WRONG_HOST, f"This is not {headers.get('host', 'a host')}.")
        if path == "/enter":
            return None
        if not path.startswith(f"{self._session.path}/") or not self._session.knows(headers):
            return _plain(
                _FORBIDDEN,
                "Open the address that `bounty-ops studio` printed; it works once. "
                "For another browser, start the studio anew.",
            )
        if scope["method"] not in _SAFE and not self._is_own(headers):
            return _plain(_FORBIDDEN, "Changes are taken from the studio's own pages only.")
        return None

    def _is_own(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site", "same-origin")
        return headers.getlist("origin") == [self._session.origin] and site == "same-origin"

    def _entry(self, scope: Scope) -> ASGIApp | None:
        if scope["path"] != "/enter":
            return None
        offered = QueryParams(scope["query_string"]).get("token", "")
        # A preview that asks with HEAD must not use the token up.
        if scope["method"] != "GET" or not self._session.exchange(offered):
            return _plain(
                _FORBIDDEN, "That token was used, is too old, or never was one. Start anew."
            )
        # Not a redirect: a browser that came from another site's link would follow one without
        # a cookie that is SameSite=Strict. This page's own step is same-site.
        goal = f"{self._session.path}/"
        response = HTMLResponse(
            f'<!doctype html><meta http-equiv="refresh" content="0;url={goal}">'
            '<link rel="icon" href="data:,">'
            f'<title>bounty-ops studio</title><a href="{goal}">bounty-ops studio</a>'
        )
        response.set_cookie(
            self._session.cookie,
            self._session.key,
            path=self._session.path,
            httponly=True,
            samesite="strict",
        )
        return response


def _plain(status: int, text: str) -> PlainTextResponse:
    return PlainTextResponse(f"{text}\n", status)


def _with_headers(send: Send) -> Send:
    async def decorated(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            # Rows do not belong on the browser's disk; style sheets and fonts may stay there.
            if "text/css" not in (kind := headers.get("content-type", "")) and "font" not in kind:
                headers["Cache-Control"] = _NO_STORE
        await send(message)

    return decorated
