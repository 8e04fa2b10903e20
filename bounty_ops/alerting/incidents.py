"""From what rules say to incidents and messages, in one transaction for each look.

An incident without its message, or a message without its incident, cannot exist. Watchers of one
environment take turns, and the partial unique index on open incidents holds besides.

Errors are SQLAlchemy's; the caller, who knows the URL, wraps the use of the engine in
`bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.alerting.course import State
from bounty_ops.alerting.incident_rows import (
    load_incidents,
    lock_environment,
    save_evaluation,
    save_incident,
    save_message,
    save_telling,
)
from bounty_ops.alerting.quiet import kept_quiet
from bounty_ops.alerting.steps import Key, Reconciled, Step, caused_by, steps
from bounty_ops.alerting.telling import Change, heard, next_message
from bounty_ops.alerting.wording import body_of, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from bounty_ops.alerting.quiet import Quiet
    from bounty_ops.alerting.situation import Evaluation
    from bounty_ops.environments.alerts import AlertSettings


def reconcile(
    engine: Engine,
    environment: str,
    evaluation: Evaluation,
    settings: AlertSettings,
    now: datetime,
) -> Reconciled:
    """Bring the environment's incidents up to what the rules say, and write down what to tell."""
    with engine.begin() as connection:
        lock_environment(connection, environment)
        incidents = load_incidents(connection, environment, settings, now)
        todo = list(steps(incidents.open, evaluation, settings, now, flips=incidents.flips))
        ids = {step.key: save_incident(connection, environment, step) for step in todo}
        telling = _Telling(
            connection, environment, settings, incidents.silences, ids, caused_by(todo), now
        )
        told = {identity: change for step in todo for identity, change in telling.tell(step)}
        save_evaluation(connection, environment, evaluation, now)
    return Reconciled(
        pending=_came_to(State.PENDING, todo, ids),
        opened=_came_to(State.FIRING, todo, ids),
        resolved=_came_to(State.RESOLVED, todo, ids),
        told=told,
    )


def _came_to(state: State, todo: list[Step], ids: Mapping[Key, int | None]) -> tuple[int, ...]:
    found = (ids[step.key] for step in todo if step.changed_to is state)
    return tuple(identity for identity in found if identity is not None)


@dataclass(frozen=True)
class _Telling:
    """Who is told what, of one look."""

    connection: Connection
    environment: str
    settings: AlertSettings
    silences: tuple[Quiet, ...]
    ids: Mapping[Key, int | None]
    causes: Mapping[Key, Key]
    now: datetime

    def tell(self, step: Step) -> list[tuple[int, Change]]:
        """Write down what is to be told of an incident, and what keeps it quiet."""
        identity, course = self.ids[step.key], step.course
        if identity is None or course is None:
            return []
        cause = self.causes.get(step.key)
        withheld = self._withheld(step.key, cause)
        change = next_message(
            course,
            step.told,
            settings=self.settings,
            rule=self.settings.rule(step.key[0]),
            withheld=withheld is not None,
            acknowledged=step.known is not None and step.known.acknowledged,
            now=self.now,
        )
        told = step.told
        if change is not None:
            told = heard(told, change, course, self.now)
            self._announce(step, identity, change)
        save_telling(
            self.connection,
            identity,
            told=told,
            cause_id=None if cause is None else self.ids[cause],
            withheld=withheld,
        )
        return [] if change is None else [(identity, change)]

    def _withheld(self, key: Key, cause: Key | None) -> str | None:
        rule, subject = key
        quiet = kept_quiet(
            self.environment,
            rule,
            subject,
            silences=self.silences,
            settings=self.settings,
            now=self.now,
        )
        if quiet is None and cause is not None:
            return f"follows from incident {self.ids[cause]} ({cause[0].value})"
        return quiet

    def _announce(self, step: Step, identity: int, change: Change) -> None:
        symptoms = sorted({key[0].value for key, cause in self.causes.items() if cause == step.key})
        save_message(
            self.connection,
            self.environment,
            step,
            identity,
            change=change,
            title=title_of(change, step),
            body=body_of(change, step, identity, symptoms, self.now, runbook=self.settings.runbook),
            now=self.now,
        )
