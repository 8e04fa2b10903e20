"""What one look makes of every incident of an environment. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bounty_ops.alerting.course import Clockwork, Course, Sight, State, proceed
from bounty_ops.alerting.grouping import Open, causes
from bounty_ops.alerting.situation import Rule, Severity
from bounty_ops.alerting.telling import Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from bounty_ops.alerting.situation import Evaluation, Finding
    from bounty_ops.environments.alerts import AlertSettings

#: What an incident is known by within its environment: rule and subject.
Key = tuple[Rule, str]


@dataclass(frozen=True)
class Known:
    """An open incident as it was before a look."""

    id: int
    course: Course
    told: Told
    title: str
    body: str
    acknowledged: bool = False


@dataclass(frozen=True)
class Step:
    """One incident before and after a look."""

    key: Key
    known: Known | None
    course: Course | None
    """None: it was pending, and is over."""
    finding: Finding | None

    @property
    def changed_to(self) -> State | None:
        """The state that it came to by this look; None: it stayed as it was."""
        if self.course is None:
            return None
        former = None if self.known is None else self.known.course.state
        return None if former is self.course.state else self.course.state

    @property
    def told(self) -> Told:
        """What people heard of it so far."""
        return Told() if self.known is None else self.known.told

    @property
    def title(self) -> str:
        """In one line, as it was seen last."""
        if self.finding is not None:
            return self.finding.title
        return "" if self.known is None else self.known.title

    @property
    def body(self) -> str:
        """At length, as it was seen last."""
        if self.finding is not None:
            return self.finding.body
        return "" if self.known is None else self.known.body


@dataclass(frozen=True)
class Reconciled:
    """What a look changed: ids of incidents."""

    pending: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    """They began to fire."""
    resolved: tuple[int, ...] = ()
    told: Mapping[int, str] = field(default_factory=dict)
    """What people are told of which incident."""


def steps(
    known: Mapping[Key, Known],
    evaluation: Evaluation,
    settings: AlertSettings,
    now: datetime,
    *,
    flips: Mapping[Key, tuple[datetime, ...]],
) -> Iterator[Step]:
    """What becomes of every incident that is open, and of every finding.

    Args:
        known: the open ones.
        evaluation: what the rules say.
        settings: of the environment.
        now: the time of the look.
        flips: when incidents that are resolved changed lately.
    """
    findings = {(finding.rule, finding.subject): finding for finding in evaluation.findings}
    for key in sorted(known.keys() | findings.keys()):
        finding, one = findings.get(key), known.get(key)
        after = proceed(
            None if one is None else one.course,
            _sight(key, finding, evaluation, settings),
            Severity.INFO if finding is None else finding.severity,
            Clockwork(settings.rule(key[0]), settings.flapping),
            now,
            earlier=flips.get(key, ()),
        )
        if one is not None or after is not None:
            yield Step(key, one, after, finding)


def _sight(
    key: Key, finding: Finding | None, evaluation: Evaluation, settings: AlertSettings
) -> Sight:
    if finding is not None:
        return Sight.HELD if finding.held else Sight.FIRES
    rule, subject = key
    undecided = evaluation.unknown.get(rule)
    # Of a rule that was switched off nobody waits for the end.
    if settings.rule(rule).enabled and undecided is not None and undecided.covers(subject):
        return Sight.UNKNOWN
    return Sight.HEALTHY


def caused_by(todo: Sequence[Step]) -> dict[Key, Key]:
    """Which of the open incidents are symptoms of which."""
    return causes(
        [
            Open(
                step.key,
                step.course.severity,
                frozenset() if step.finding is None else step.finding.hides,
            )
            for step in todo
            if step.course is not None and step.course.state is not State.RESOLVED
        ]
    )
