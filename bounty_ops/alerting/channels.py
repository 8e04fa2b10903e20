"""Where messages go: one Apprise URL a channel, which is a secret as a whole.

Apprise is slow to import and talkative in its logs, where its URLs may show up; both stay in
here.
"""

from __future__ import annotations

import hashlib
import logging
import re
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from bounty_ops.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

#: For one message to one channel, whatever happens; a sensor must not hang on a dead webhook.
SEND_TIMEOUT_SECONDS: Final = 15
_MASK: Final = "***"
_SCHEME: Final = re.compile(r"([a-z][a-z0-9]{1,20})://", re.IGNORECASE)
#: Shorter pieces of a URL are words such as `v1` or `no`; masking them would hide the message.
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True)
class Channel:
    """One place to send messages to."""

    name: str
    """Its kind and fingerprint, fit to be shown."""
    fingerprint: str
    """Tells channels apart in the outbox without keeping their URL."""
    _url: str = field(repr=False)
    _service: Any = field(repr=False, compare=False)

    def send(self, *, title: str, body: str, kind: str) -> None:
        """Send one message; `kind` is `failure`, `warning` or `success`.

        Raises:
            DeliveryError: the channel did not take it; says why, without the URL.
        """
        apprise = _apprise()
        sender = apprise.Apprise(asset=_asset())
        sender.add(self._service)
        with _quietly():
            result = sender.notify(
                title=title,
                body=body,
                notify_type=apprise.NotifyType(kind),
                body_format=apprise.NotifyFormat.TEXT,
                timeout=SEND_TIMEOUT_SECONDS,
            )
        if not result:
            said = "; ".join(entry.message for entry in result.logs()) or result.status.name
            raise DeliveryError(
                f"channel {self.name} did not take the message: {scrub(said, self._url)}",
                hint="Check the channel's URL and that its service is up; it is tried again.",
            )


def open_channels(urls: Sequence[str]) -> tuple[list[Channel], list[DeliveryError]]:
    """The channels that Apprise understands, and what is wrong with the others."""
    channels: dict[str, Channel] = {}
    problems: list[DeliveryError] = []
    for number, url in enumerate(urls, start=1):
        service = _apprise().Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
        if service is None:
            problems.append(_not_understood(number, len(urls), url))
            continue
        fingerprint = hashlib.sha256(url.encode()).hexdigest()[:16]
        name = f"{service.service_name} {fingerprint[:6]}"
        channels[fingerprint] = Channel(name, fingerprint, url, service)
    return list(channels.values()), problems


def _not_understood(number: int, count: int, url: str) -> DeliveryError:
    match = _SCHEME.match(url)
    # Only a scheme that Apprise knows is repeated: what stands before `://` in a mistyped URL may
    # be anything.
    scheme = match[1].lower() if match is not None and _is_known(match[1]) else None
    which = f" ({scheme}://)" if scheme else ""
    reason = "part of it is missing or wrong" if scheme else "it names no service that Apprise has"
    return DeliveryError(
        f"alert channel {number} of {count}{which} is not a valid Apprise URL: {reason}",
        hint="Compare it with Apprise's list of services; a webhook is json://host:port/path "
        "(jsons:// with TLS).",
    )


def scrub(message: str, url: str) -> str:
    """The message without any part of the URL that could be a secret."""
    pieces = {url, *re.split(r"[/:@?&=#,;\s]+", url)}
    pieces |= {unquote(piece) for piece in pieces}
    scheme = url.partition("://")[0]
    for piece in sorted(pieces - {scheme}, key=len, reverse=True):
        if len(piece) >= _SHORTEST_SECRET:
            message = message.replace(piece, _MASK)
    return message


def _is_known(scheme: str) -> bool:
    schemas = _apprise().Apprise().details()["schemas"]
    return any(
        scheme.lower() in (*(s["protocols"] or ()), *(s["secure_protocols"] or ())) for s in schemas
    )


@cache
def _apprise() -> ModuleType:
    """Apprise with all its services loaded and its log lines kept to itself."""
    # What it logs may hold URLs; what went wrong is taken from the result of each send.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").addFilter(_not_while_sending)
    with warnings.catch_warnings():
        # It imports modules that newer Pythons deprecate, for services that are not used here.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415 - takes a third of a second; most commands never send

        apprise.Apprise.instantiate("json://localhost")  # loads the services, once
    return apprise


#: Apprise sends in a thread of its own, with a copy of the caller's context.
_sending: Final = ContextVar("_sending", default=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the HTTP library from logging the path that is posted to: it is a token."""
    token = _sending.set(True)
    try:
        yield
    finally:
        _sending.reset(token)


def _not_while_sending(_: logging.LogRecord) -> bool:
    return not _sending.get()


def _asset() -> Any:  # noqa: ANN401 - Apprise is imported on first use
    """In this thread, nothing kept on disk."""
    return _apprise().AppriseAsset(async_mode=False, storage_mode="memory")
