"""Where messages go: one URL a channel, which is a secret as a whole.

`alertmanager://` and `webhook://` are ours, because they need more of a message than its text;
everything else is Apprise's.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, Protocol

from bounty_ops.alerting.alertmanager import open_alertmanager
from bounty_ops.alerting.apprise_channel import is_known, open_apprise
from bounty_ops.alerting.webhook import open_webhook
from bounty_ops.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bounty_ops.alerting.message import Message

_SCHEME: Final = re.compile(r"([a-z][a-z0-9]{1,20})://", re.IGNORECASE)


class Channel(Protocol):
    """One place to send messages to."""

    @property
    def name(self) -> str:
        """Its kind and fingerprint, fit to be shown."""

    @property
    def fingerprint(self) -> str:
        """Tells channels apart in the outbox without keeping their URL."""

    def send(self, message: Message, *, now: datetime) -> None:
        """Send one message, within a bounded time.

        Raises:
            DeliveryError: the channel did not take it; says why, without the URL.
        """


_OURS: Final[Mapping[str, Callable[[str, str], Channel]]] = {
    "alertmanager": open_alertmanager,
    "alertmanagers": open_alertmanager,
    "webhook": open_webhook,
    "webhooks": open_webhook,
}


def open_channels(urls: Sequence[str]) -> tuple[list[Channel], list[DeliveryError]]:
    """The channels of URLs that are understood, and what is wrong with the others."""
    channels: dict[str, Channel] = {}
    problems: list[DeliveryError] = []
    for number, url in enumerate(urls, start=1):
        fingerprint = hashlib.sha256(url.encode()).hexdigest()[:16]
        try:
            channels[fingerprint] = _open(url, fingerprint)
        except ValueError as error:
            problems.append(_not_understood(f"{number} of {len(urls)}", url, str(error)))
    return list(channels.values()), problems


def _open(url: str, fingerprint: str) -> Channel:
    """The channel of one URL.

    Raises:
        ValueError: it is not understood; says why without repeating any part of it.
    """
    scheme = _scheme(url)
    if scheme is not None and scheme in _OURS:
        return _OURS[scheme](url, fingerprint)
    channel = open_apprise(url, fingerprint)
    if channel is None:
        known = scheme is not None and is_known(scheme)
        reason = "part of it is missing or wrong"
        raise ValueError(reason if known else "it names no service that Apprise has")
    return channel


def _scheme(url: str) -> str | None:
    match = _SCHEME.match(url)
    return None if match is None else match[1].lower()


def _not_understood(which: str, url: str, reason: str) -> DeliveryError:
    # Only a scheme that is known is repeated: what stands before `://` in a mistyped URL may be
    # anything.
    scheme = _scheme(url)
    known = scheme is not None and (scheme in _OURS or is_known(scheme))
    shown = f" ({scheme}://)" if known else ""
    whose = "channel" if scheme in _OURS else "Apprise"
    return DeliveryError(
        f"alert channel {which}{shown} is not a valid {whose} URL: {reason}",
        hint="Compare it with docs/reference/delivery.md and with Apprise's list of services; a "
        "webhook is json://host:port/path (jsons:// with TLS).",
    )
