"""Alertmanager's v2 API: `alertmanager://host:port/prefix`, `alertmanagers://` with TLS.

Alertmanager keeps state of its own: an alert is known by its labels, fires until its `endsAt`, and
is forgotten when nobody renews it. So the same alert may be posted any number of times, and what
fires is posted again at every look.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from bounty_ops.alerting.apprise_channel import IDEMPOTENCY_HEADER
from bounty_ops.alerting.own_url import parse
from bounty_ops.alerting.webhook import deliver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.alerting.http_call import Target
    from bounty_ops.alerting.message import Message

#: How long an alert fires that nobody renews. Longer than a restart of Dagster takes: a watcher
#: that stands still must not look like an incident that is over.
HOLD: Final = timedelta(minutes=30)
#: An end is repeated for so long: a renewal that was under way may overtake it.
REPEAT_ENDS: Final = timedelta(minutes=15)
PORT: Final = 9093
_SEVERITIES: Final = ("info", "warning", "critical")
_PATH: Final = "/api/v2/alerts"
_LABEL: Final = "label."
_GENERATOR: Final = "generator"
_LABEL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Alertmanager:
    """One Alertmanager."""

    name: str
    fingerprint: str
    _target: Target = field(repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    generator: str | None = field(default=None, repr=False)

    def send(self, message: Message, *, now: datetime) -> None:
        """Post one alert.

        Raises:
            DeliveryError: it was not taken; says why, without the URL.
        """
        others = [
            replace(message, severity=each) for each in _SEVERITIES if each != message.severity
        ]
        # The severity is a label, so a warning that became critical is another alert: the one
        # before ends now. Alertmanager tells nobody of the end of what it never saw firing.
        posted = [self.alert(message, now), *(self.alert(each, now, end=now) for each in others)]
        deliver(self.name, self._target, posted, {IDEMPOTENCY_HEADER: message.key})

    def renew(self, messages: Sequence[Message], *, now: datetime) -> None:
        """Say once more what fires, and what has just ended.

        Raises:
            DeliveryError: it was not taken; says why, without the URL.
        """
        deliver(self.name, self._target, [self.alert(each, now) for each in messages], {})

    def alert(
        self, message: Message, now: datetime, *, end: datetime | None = None
    ) -> dict[str, Any]:
        """What the API calls a postableAlert; `end` ends it whatever the message says."""
        starts = message.opened_at
        if end is None:
            end = (message.resolved_at or now) if message.over else now + HOLD
        alert: dict[str, Any] = {
            "labels": {
                **self.labels,
                "alertname": message.rule,
                "environment": message.environment,
                "subject": message.subject,
                "severity": message.severity,
                "source": "bounty-ops",
            },
            "annotations": {
                "summary": message.title,
                "description": message.body,
                "incident": str(message.incident),
            },
            "startsAt": _time(starts),
            # It refuses an alert that ends before it starts, and clocks differ.
            "endsAt": _time(max(starts, end)),
        }
        if self.generator is not None:
            alert["generatorURL"] = self.generator
        return alert


def open_alertmanager(url: str, fingerprint: str) -> Alertmanager:
    """The Alertmanager of that URL.

    Raises:
        ValueError: it is not understood; repeats no part of it.
    """
    parsed = parse(url, is_option=lambda n: n == _GENERATOR or n.startswith(_LABEL), port=PORT)
    parts = urlsplit(parsed.target.url)
    path = parts.path.rstrip("/").removesuffix(_PATH)
    target = replace(parsed.target, url=urlunsplit(parts._replace(path=path + _PATH)))
    labels = {
        name.removeprefix(_LABEL): value
        for name, value in parsed.options.items()
        if name.startswith(_LABEL)
    }
    if not all(_LABEL_NAME.fullmatch(name) for name in labels):
        raise ValueError("what follows label. is not the name of a label")
    return Alertmanager(
        f"Alertmanager {fingerprint[:6]}",
        fingerprint,
        target,
        labels,
        parsed.options.get(_GENERATOR),
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
