"""Incidents as rows: loading what is open, and writing down what a look made of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from bounty_ops.alerting.course import Course, State
from bounty_ops.alerting.quiet import Quiet
from bounty_ops.alerting.situation import Rule, Severity
from bounty_ops.alerting.steps import Key, Known, Step
from bounty_ops.alerting.telling import Change, Told
from bounty_ops.schema.ops import Evaluation as EvaluationRow
from bounty_ops.schema.ops import Incident, Notification, Silence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Row

    from bounty_ops.alerting.situation import Evaluation
    from bounty_ops.environments.alerts import AlertSettings

#: Makes keys of ours differ from everybody else's; never change it, or what waits is sent twice.
_OURS: Final = uuid.UUID("0b3fd0a2-7d56-5c3c-9c5e-2f6f2c8d3c11")


@dataclass(frozen=True)
class Incidents:
    """What is known of an environment before a look."""

    open: Mapping[Key, Known]
    flips: Mapping[Key, tuple[datetime, ...]]
    silences: tuple[Quiet, ...]


def lock_environment(connection: Connection, environment: str) -> None:
    """Wait until no other watcher is at this environment's incidents; until the commit."""
    name = f"bounty_ops alerts {environment}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def load_incidents(
    connection: Connection, environment: str, settings: AlertSettings, now: datetime
) -> Incidents:
    """The open incidents, what was resolved lately, and the silences in force."""
    here = Incident.environment == environment
    # A rule that a newer version of this program has no more says nothing any more.
    connection.execute(
        update(Incident)
        .where(here, Incident.state != State.RESOLVED, Incident.rule.not_in([*Rule]))
        .values(state=State.RESOLVED, resolved_at=now)
    )
    rows = connection.execute(
        select(Incident.__table__).where(here, Incident.state != State.RESOLVED).with_for_update()
    )
    resolved = connection.execute(
        select(Incident.rule, Incident.subject, Incident.flips)
        .where(
            here,
            Incident.state == State.RESOLVED,
            Incident.resolved_at > now - settings.flapping.within,
            Incident.rule.in_([*Rule]),
        )
        .order_by(Incident.resolved_at)
    )
    return Incidents(
        open={(Rule(row.rule), row.subject): _known(row) for row in rows},
        # The last one has those of its predecessors, too.
        flips={(Rule(rule), subject): _moments(flips) for rule, subject, flips in resolved},
        silences=load_silences(connection, now),
    )


def load_silences(connection: Connection, now: datetime) -> tuple[Quiet, ...]:
    """Silences in force, of all environments."""
    rows = connection.execute(
        select(Silence.__table__)
        .where(
            Silence.ends_at > now,
            Silence.starts_at <= now,
            or_(Silence.ended_at.is_(None), Silence.ended_at > now),
        )
        .order_by(Silence.id)
    )
    return tuple(
        Quiet(
            id=row.id,
            environment=row.environment,
            rule=row.rule,
            subject=row.subject,
            reason=row.reason,
            created_by=row.created_by,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in rows
    )


def _known(row: Row[Any]) -> Known:
    course = Course(
        state=State(row.state),
        severity=Severity(row.severity),
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        critical_since=row.critical_since,
        fired_at=row.fired_at,
        healthy_since=row.healthy_since,
        resolved_at=row.resolved_at,
        flapping_since=row.flapping_since,
        flips=_moments(row.flips),
    )
    told = Told(
        change=None if row.told is None else Change(row.told),
        at=row.told_at,
        severity=None if row.told_severity is None else Severity(row.told_severity),
        count=row.told_count,
    )
    return Known(
        row.id, course, told, row.message, row.body, acknowledged=row.acknowledged_at is not None
    )


def _moments(texts: list[str]) -> tuple[datetime, ...]:
    return tuple(datetime.fromisoformat(text) for text in texts)


def save_incident(connection: Connection, environment: str, step: Step) -> int | None:
    """Write down what became of an incident; its id, None where nothing is left of it."""
    if step.course is None:
        if step.known is not None:
            connection.execute(delete(Incident).where(Incident.id == step.known.id))
        return None
    course = step.course
    values: dict[str, Any] = {
        "state": course.state,
        "severity": course.severity,
        "opened_at": course.opened_at,
        "last_seen_at": course.last_seen_at,
        "critical_since": course.critical_since,
        "fired_at": course.fired_at,
        "healthy_since": course.healthy_since,
        "resolved_at": course.resolved_at,
        "flapping_since": course.flapping_since,
        "flips": [flip.isoformat() for flip in course.flips],
    }
    if step.finding is not None:
        values |= {
            "message": step.finding.title,
            "body": step.finding.body,
            "evidence": step.finding.evidence,
        }
    if step.known is not None:
        identity = step.known.id
        connection.execute(update(Incident).where(Incident.id == identity).values(values))
        return identity
    rule, subject = step.key
    values |= {"environment": environment, "rule": rule, "subject": subject}
    return connection.execute(insert(Incident).values(values).returning(Incident.id)).scalar_one()


def save_telling(
    connection: Connection,
    identity: int,
    *,
    told: Told,
    cause_id: int | None,
    withheld: str | None,
) -> None:
    """Write down what people know of an incident, and why they are not told more."""
    connection.execute(
        update(Incident)
        .where(Incident.id == identity)
        .values(
            cause_id=cause_id,
            withheld=withheld,
            told=told.change,
            told_at=told.at,
            told_severity=told.severity,
            told_count=told.count,
        )
    )


def save_message(
    connection: Connection,
    environment: str,
    step: Step,
    identity: int,
    *,
    change: Change,
    title: str,
    body: str,
    now: datetime,
) -> None:
    """Put a message into the outbox."""
    rule, subject = step.key
    course = step.course
    # The incident's beginning is part of it: ids begin at 1 again in a database made anew, and a
    # receiver that remembers would swallow the new ones.
    origin = (
        environment,
        rule.value,
        subject,
        identity,
        None if course is None else course.opened_at.timestamp(),
        step.told.count,
        change.value,
    )
    connection.execute(
        insert(Notification).values(
            environment=environment,
            incident_id=identity,
            change=change,
            severity=Severity.INFO if course is None else course.severity,
            title=title,
            body=body,
            created_at=now,
            idempotency_key=str(uuid.uuid5(_OURS, repr(origin))),
        )
    )


def save_evaluation(
    connection: Connection, environment: str, evaluation: Evaluation, now: datetime
) -> None:
    """Write down that somebody looked, and what could not be decided."""
    unknown = [
        {
            "rule": rule.value,
            "reason": undecided.reason,
            "subjects": None if undecided.subjects is None else sorted(undecided.subjects),
        }
        for rule, undecided in evaluation.unknown.items()
        if not undecided.waits
    ]
    values = {"evaluated_at": now, "unknown": unknown}
    connection.execute(
        upsert(EvaluationRow)
        .values(environment=environment, **values)
        .on_conflict_do_update(index_elements=["environment"], set_=values)
    )
