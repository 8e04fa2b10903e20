"""A webhook of our own: `webhook://host:port/path`, `webhooks://` with TLS.

Apprise's `json://` says title, text and type. This one says what it is about, field by field, for
programs that act on it, with the key in a header as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.alerting.apprise_channel import IDEMPOTENCY_HEADER, SEND_TIMEOUT_SECONDS
from bounty_ops.alerting.http_call import Answer, ask, post
from bounty_ops.alerting.own_url import is_yes, parse
from bounty_ops.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bounty_ops.alerting.http_call import Target
    from bounty_ops.alerting.message import Message

#: Of the document; fields may be added without a new one.
VERSION: Final = 1
_ASK: Final = "ask"


@dataclass(frozen=True)
class Webhook:
    """One URL that takes a JSON document for each message."""

    name: str
    fingerprint: str
    _target: Target = field(repr=False)
    asks: bool = False

    def has(self, message: Message) -> bool:
        """Whether the receiver says that it has the message already.

        Only where its URL says `ask=yes`: any other receiver may answer a GET with a page, and the
        message would be lost.
        """
        if not self.asks:
            return False
        headers = {IDEMPOTENCY_HEADER: message.key}
        return ask(self._target, headers, seconds=SEND_TIMEOUT_SECONDS).problem is None

    def send(self, message: Message, *, now: datetime) -> None:
        """Post one message.

        Raises:
            DeliveryError: it was not taken; says why, without the URL.
        """
        deliver(
            self.name,
            self._target,
            document(message, now),
            {IDEMPOTENCY_HEADER: message.key, "Bounty-Ops-Attempt": str(message.attempt)},
        )


def open_webhook(url: str, fingerprint: str) -> Webhook:
    """The webhook of that URL.

    Raises:
        ValueError: it is not understood; repeats no part of it.
    """
    parsed = parse(url, is_option=lambda name: name == _ASK)
    asks = is_yes(parsed.options.get(_ASK, "no"))
    return Webhook(f"webhook {fingerprint[:6]}", fingerprint, parsed.target, asks)


def document(message: Message, now: datetime) -> dict[str, Any]:
    """What is posted."""
    ended = message.resolved_at
    return {
        "version": VERSION,
        "key": message.key,
        "environment": message.environment,
        "rule": message.rule,
        "subject": message.subject,
        "severity": message.severity,
        "change": message.change,
        "title": message.title,
        "body": message.body,
        "incident": message.incident,
        "message": message.number,
        "attempt": message.attempt,
        "opened_at": message.opened_at.isoformat(),
        "resolved_at": ended.isoformat() if message.over and ended is not None else None,
        "sent_at": now.isoformat(),
    }


def deliver(name: str, target: Target, content: object, headers: Mapping[str, str]) -> None:
    """Post JSON.

    Raises:
        DeliveryError: it was not taken; says why, without the URL.
    """
    answer = post(
        target,
        json.dumps(content).encode(),
        {"Content-Type": "application/json", **headers},
        seconds=SEND_TIMEOUT_SECONDS,
    )
    if answer.problem is not None:
        raise _refusal(name, answer)


def _refusal(name: str, answer: Answer) -> DeliveryError:
    again = "it is tried again" if answer.again else "what it refuses three times is given up"
    return DeliveryError(
        f"channel {name} did not take the message: {answer.problem}",
        hint=f"Check the channel's URL and that its service is up; {again}.",
        permanent=not answer.again,
        retry_after=answer.retry_after,
    )
