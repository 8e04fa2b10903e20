"""Telling that the operations database is away, which no outbox can do: the outbox is in it.

What was told is remembered by the process alone. One that begins anew may tell it again; the key
is the same for hours, so that a receiver that keeps keys hears it once. Whoever must know for
certain has a dead-man's switch: it gets hungry as well.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.channels import open_channels
from bounty_ops.alerting.message import RESOLVED, Message
from bounty_ops.alerting.rules import evaluate
from bounty_ops.alerting.situation import Rule
from bounty_ops.errors import DeliveryError

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.alerting.situation import Finding, Situation
    from bounty_ops.environments import Environment

_OURS: Final = uuid.UUID("6c1c40a4-4f0c-5d3e-9f53-3a4c1a0b7f11")
#: For so long two processes mean the same outage, as far as keys go.
_SAME_OUTAGE_SECONDS: Final = 4 * 3600
_REFUSED: Final = "the operations database is away, and a channel does not take that either"


@dataclass(frozen=True)
class _Outage:
    since: datetime
    told: Message | None = None


class Blindness:
    """What one process knows of operations databases that are away, for each environment."""

    def __init__(self) -> None:
        self._outages: dict[str, _Outage] = {}

    def away(self, environment: Environment, situation: Situation) -> tuple[str, ...]:
        """The database cannot be used, as the situation says; tells so once it lasts.

        Returns:
            What channels answered who did not take it.
        """
        now = situation.now
        outage = self._outages.setdefault(environment.name, _Outage(now))
        finding = _finding(situation)
        if finding is None or outage.told is not None:
            return ()
        settings = situation.settings.rule(Rule.OPERATIONS_UNREACHABLE)
        if now - outage.since < settings.for_:
            return ()
        message = _message(environment, finding, outage)
        problems, taken = _send(environment, message, now)
        if taken:
            self._outages[environment.name] = replace(outage, told=message)
        return problems

    def back(self, environment: Environment, *, now: datetime) -> tuple[str, ...]:
        """It can be used again; tells so if its going was told."""
        outage = self._outages.pop(environment.name, None)
        if outage is None or outage.told is None:
            return ()
        over = replace(
            outage.told,
            key=str(uuid.uuid5(_OURS, outage.told.key)),
            change=RESOLVED,
            resolved_at=now,
            title=f"Resolved: {outage.told.title}",
            body=f"It was away from {outage.since:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC.",
        )
        return _send(environment, over, now)[0]


def _finding(situation: Situation) -> Finding | None:
    """What the rule says, if that is grave enough for the environment's people."""
    wanted = situation.settings.tell
    for finding in evaluate(situation).firing:
        if finding.rule is Rule.OPERATIONS_UNREACHABLE:
            told = wanted == "warning" or (wanted == "critical" and finding.severity == "critical")
            return finding if told else None
    return None


def _message(environment: Environment, finding: Finding, outage: _Outage) -> Message:
    window = int(outage.since.timestamp() // _SAME_OUTAGE_SECONDS)
    return Message(
        key=str(uuid.uuid5(_OURS, f"{environment.name} {finding.rule} {window}")),
        number=0,
        incident=0,
        environment=environment.name,
        rule=str(finding.rule),
        subject=finding.subject,
        severity=str(finding.severity),
        change="firing",
        title=finding.title,
        body=finding.body,
        opened_at=outage.since,
    )


def _send(
    environment: Environment, message: Message, now: datetime
) -> tuple[tuple[str, ...], bool]:
    """Straight to every channel; what they answered who did not take it, and whether one did."""
    channels, refused = open_channels(environment.alert_urls)
    problems = [str(problem) for problem in refused]
    taken = False
    for channel in channels:
        try:
            channel.send(message, now=now)
        except DeliveryError as error:
            problems.append(f"{_REFUSED}: {error}")
        else:
            taken = True
    return tuple(problems), taken
