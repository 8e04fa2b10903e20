"""From findings to incidents: opened once, kept while the rule fires, resolved when it stops.

Every change writes its message into the outbox within the same transaction: an incident without
its message, or a message without its incident, cannot exist. Two watchers at once are kept apart
by the partial unique index on open incidents and by row locks, not by good luck.

Errors are SQLAlchemy's; the caller, who knows the URL, wraps the use of the engine in
`bounty_ops.postgres.connect.translated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from bounty_ops.alerting.situation import Finding, Rule, Severity
from bounty_ops.monitoring.findings import duration
from bounty_ops.schema.ops import Incident, Notification

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_GRAVITY: Final = {Severity.WARNING: 0, Severity.CRITICAL: 1}


@dataclass(frozen=True)
class OpenIncident:
    """An incident that is not resolved."""

    id: int
    rule: str
    subject: str
    severity: Severity
    opened_at: datetime
    message: str


@dataclass(frozen=True)
class Changes:
    """What must be done so that the open incidents are those of the findings."""

    to_open: tuple[Finding, ...]
    to_keep: tuple[tuple[OpenIncident, Finding], ...]
    to_escalate: tuple[tuple[OpenIncident, Finding], ...]
    """Kept, and graver than what was told when it was opened."""
    to_resolve: tuple[OpenIncident, ...]


@dataclass(frozen=True)
class Reconciled:
    """What was done: ids of incidents."""

    opened: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    escalated: tuple[int, ...] = ()
    resolved: tuple[int, ...] = ()


def changes(
    incidents: Iterable[OpenIncident], findings: Iterable[Finding], undecided: Collection[str]
) -> Changes:
    """Compare what is open with what was found.

    Incidents of undecided rules are left alone: not seeing a fire is not putting it out.
    """
    found = {(str(finding.rule), finding.subject): finding for finding in findings}
    known = {(incident.rule, incident.subject): incident for incident in incidents}
    both = [(incident, found[key]) for key, incident in known.items() if key in found]
    return Changes(
        to_open=tuple(found[key] for key in sorted(found.keys() - known.keys())),
        to_keep=tuple(pair for pair in both if not _graver(*pair)),
        to_escalate=tuple(pair for pair in both if _graver(*pair)),
        to_resolve=tuple(
            incident
            for key, incident in known.items()
            if key not in found and incident.rule not in undecided
        ),
    )


def _graver(incident: OpenIncident, finding: Finding) -> bool:
    return _GRAVITY[finding.severity] > _GRAVITY[incident.severity]


def reconcile(
    engine: Engine,
    environment: str,
    findings: Sequence[Finding],
    now: datetime,
    *,
    undecided: Collection[str] = frozenset(),
) -> Reconciled:
    """Open, keep, escalate and resolve the environment's incidents, all in one transaction."""
    with engine.begin() as connection:
        todo = changes(_open_incidents(connection, environment), findings, undecided)
        opened = [_open(connection, environment, finding, now) for finding in todo.to_open]
        for incident, finding in (*todo.to_keep, *todo.to_escalate):
            _see_again(connection, incident, finding, now)
        for incident, finding in todo.to_escalate:
            _announce(connection, environment, incident.id, "firing", finding, now=now)
        for incident in todo.to_resolve:
            _resolve(connection, environment, incident, now)
    return Reconciled(
        opened=tuple(identity for identity in opened if identity is not None),
        kept=tuple(incident.id for incident, _ in todo.to_keep),
        escalated=tuple(incident.id for incident, _ in todo.to_escalate),
        resolved=tuple(incident.id for incident in todo.to_resolve),
    )


def _open_incidents(connection: Connection, environment: str) -> list[OpenIncident]:
    """The open incidents, locked.

    A watcher that comes at the same time waits, and then sees what this one made of them.
    """
    rows = connection.execute(
        select(
            Incident.id,
            Incident.rule,
            Incident.subject,
            Incident.severity,
            Incident.opened_at,
            Incident.message,
        )
        .where(Incident.environment == environment, Incident.state != "resolved")
        .order_by(Incident.id)
        .with_for_update()
    )
    return [
        OpenIncident(identity, rule, subject, Severity(severity), opened_at, message)
        for identity, rule, subject, severity, opened_at, message in rows
    ]


def _open(connection: Connection, environment: str, finding: Finding, now: datetime) -> int | None:
    """The new incident's id; None when another watcher has opened it at this very moment."""
    identity: int | None = connection.execute(
        insert_or_ignore(Incident)
        .values(
            environment=environment,
            rule=str(finding.rule),
            subject=finding.subject,
            severity=str(finding.severity),
            state="firing",
            opened_at=now,
            last_seen_at=now,
            message=finding.title,
            evidence=finding.evidence,
        )
        .on_conflict_do_nothing(
            index_elements=["environment", "rule", "subject"],
            index_where=text("state <> 'resolved'"),
        )
        .returning(Incident.id)
    ).scalar_one_or_none()
    if identity is not None:
        _announce(connection, environment, identity, "firing", finding, now=now)
    return identity


def _see_again(
    connection: Connection, incident: OpenIncident, finding: Finding, now: datetime
) -> None:
    # The gravest severity that was told stays: going back to a warning is no news, and going to
    # critical once more after that is none either.
    told = max(incident.severity, finding.severity, key=_GRAVITY.__getitem__)
    connection.execute(
        update(Incident)
        .where(Incident.id == incident.id)
        .values(
            last_seen_at=now,
            severity=str(told),
            message=finding.title,
            evidence=finding.evidence,
        )
    )


def _resolve(
    connection: Connection, environment: str, incident: OpenIncident, now: datetime
) -> None:
    connection.execute(
        update(Incident).where(Incident.id == incident.id).values(state="resolved", resolved_at=now)
    )
    lasted = duration(max(0.0, (now - incident.opened_at).total_seconds()))
    over = Finding(
        Rule(incident.rule),
        incident.subject,
        incident.severity,
        f"Resolved: {incident.message}",
        f"It lasted {lasted}, from {incident.opened_at:%Y-%m-%d %H:%M} to "
        f"{now:%Y-%m-%d %H:%M} UTC.",
    )
    _announce(connection, environment, incident.id, "resolved", over, now=now)


def _announce(
    connection: Connection,
    environment: str,
    incident_id: int,
    change: str,
    finding: Finding,
    *,
    now: datetime,
) -> None:
    connection.execute(
        insert(Notification).values(
            environment=environment,
            incident_id=incident_id,
            change=change,
            severity=str(finding.severity),
            title=finding.title,
            body=finding.body,
            created_at=now,
            idempotency_key=uuid4().hex,
        )
    )
