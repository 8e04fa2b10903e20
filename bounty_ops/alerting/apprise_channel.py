"""Channels that Apprise serves: chats, mail, pagers, more than a hundred services.

Apprise is slow to import and talkative in its logs, where its URLs may show up; both stay in
here.
"""

from __future__ import annotations

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
    from collections.abc import Iterator
    from datetime import datetime
    from types import ModuleType

    from bounty_ops.alerting.message import Message

#: For one message to one channel, whatever happens; a sensor must not hang on a dead webhook.
SEND_TIMEOUT_SECONDS: Final = 15
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
_MASK: Final = "***"
#: Shorter pieces of a URL are words such as `v1` or `no`; masking them would hide the message.
_SHORTEST_SECRET: Final = 4
#: How Apprise's services tell of an HTTP status, in their log lines.
_STATUS: Final = re.compile(r"\berror=(\d{3})\b")
_REFUSALS: Final = range(400, 500)
_NOT_NOW: Final = frozenset({"408", "425", "429"})


@dataclass(frozen=True)
class AppriseChannel:
    """One place that Apprise can send to."""

    name: str
    fingerprint: str
    _url: str = field(repr=False)
    _service: Any = field(repr=False, compare=False)

    def send(self, message: Message, *, now: datetime) -> None:
        """Send one message.

        Raises:
            DeliveryError: the channel did not take it; says why, without the URL.
        """
        del now
        apprise = _apprise()
        sender = apprise.Apprise(asset=_asset())
        self._carry(message.key)
        sender.add(self._service)
        with _quietly():
            result = sender.notify(
                title=message.title,
                body=message.text,
                notify_type=apprise.NotifyType(message.kind),
                body_format=apprise.NotifyFormat.TEXT,
                timeout=SEND_TIMEOUT_SECONDS,
            )
        if not result:
            said = "; ".join(entry.message for entry in result.logs()) or result.status.name
            raise DeliveryError(
                f"channel {self.name} did not take the message: {scrub(said, self._url)}",
                hint="Check the channel's URL and that its service is up; it is tried again.",
                permanent=_refused(said),
            )

    def _carry(self, key: str) -> None:
        """Put the key into a header where the service lets its user add some (json, form, xml)."""
        headers = getattr(self._service, "headers", None)
        if "headers" in self._service.template_kwargs and isinstance(headers, dict):
            headers[IDEMPOTENCY_HEADER] = key


def open_apprise(url: str, fingerprint: str) -> AppriseChannel | None:
    """The channel of that URL, or None when Apprise does not understand it."""
    service = _apprise().Apprise.instantiate(url, asset=_asset(), suppress_exceptions=True)
    if service is None:
        return None
    return AppriseChannel(f"{service.service_name} {fingerprint[:6]}", fingerprint, url, service)


def is_known(scheme: str) -> bool:
    """Whether Apprise has a service of that scheme."""
    schemas = _apprise().Apprise().details()["schemas"]
    return any(
        scheme.lower() in (*(s["protocols"] or ()), *(s["secure_protocols"] or ())) for s in schemas
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


def _refused(said: str) -> bool:
    """Whether every status that was told means "never"; a service may post to several places."""
    statuses = _STATUS.findall(said)
    return bool(statuses) and all(
        int(status) in _REFUSALS and status not in _NOT_NOW for status in statuses
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
