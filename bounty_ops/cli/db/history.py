"""`bounty-ops db history`: what was done to a database, by whom, and how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import clock, present, shown, span, state, table
from bounty_ops.cli.db.answer import Document, acknowledged, override, seconds
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.permits import read_rehearsals
from bounty_ops.migrating.rehearse import Predicted, compare_prediction
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.journal.records import MigrationEvidence


@click.command("history", cls=Command)
@click.argument("record_id", metavar="[ID]", required=False)
@pass_invocation
def history(invocation: Invocation, *, record_id: str | None) -> None:
    """Show who migrated a database, what, when, and how long it took.

    The records lie in the bucket. With ID (its beginning will do), one of them, statement by
    statement, with what the rehearsal had predicted.
    """
    with servers(invocation, bucket=True) as settings:
        environment = settings.environment(invocation.environment).name
        store = ObjectStore(settings.require_object_store())
        records = Journal(store).migrations(environment)
        if record_id is None:
            documents = [_document(record) for record in records]
            present(invocation, documents, lambda console: _draw(console, environment, records))
            return
        record = _chosen(records, environment, record_id)
        compared = _compared(store, record)
    present(
        invocation,
        _whole_document(record, compared),
        lambda console: _draw_one(console, record, compared),
    )


def _chosen(
    records: list[MigrationEvidence], environment: str, record_id: str
) -> MigrationEvidence:
    found = [one for one in records if one.id.startswith(record_id)]
    if len(found) != 1:
        raise UsageError(
            f"there is no migration {record_id} of {environment}"
            if not found
            else f"{record_id} fits {len(found)} migrations of {environment}",
            hint=f"`bounty-ops db history -e {environment}` shows the ids that there are.",
        )
    return found[0]


def _compared(store: ObjectStore, record: MigrationEvidence) -> tuple[Predicted, ...]:
    if record.rehearsal_id is None:
        return ()
    for rehearsal in read_rehearsals(store, record.environment):
        if rehearsal.id == record.rehearsal_id:
            return compare_prediction(rehearsal, record)
    return ()


def _document(record: MigrationEvidence) -> Document:
    return {
        "id": record.id,
        "environment": record.environment,
        "direction": record.direction,
        "outcome": record.outcome,
        "error": record.detail.get("error"),
        "from_revision": record.from_revision,
        "to_revision": record.to_revision,
        "revisions": list(record.revisions),
        "digest": record.digest,
        "operator": record.operator,
        "reason": record.reason,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "seconds": seconds(record),
        "predicted_seconds": record.predicted_seconds,
        "backup_id": record.backup_id,
        "rehearsal_id": record.rehearsal_id,
        "approvals": list(record.approvals),
        "acknowledged": acknowledged(record.acknowledged),
        "override": override(record.override),
    }


def _whole_document(record: MigrationEvidence, compared: tuple[Predicted, ...]) -> Document:
    predicted = {(one.revision, one.number): one.predicted_seconds for one in compared}
    return {
        **_document(record),
        "files": [{"revision": one.revision, "sha256": one.sha256} for one in record.files],
        "fingerprint_before": record.fingerprint_before,
        "fingerprint_after": record.fingerprint_after,
        "statements": [
            {
                **one.model_dump(mode="json", exclude={"locks"}),
                "locks": [lock.model_dump(mode="json") for lock in one.locks],
                "predicted_seconds": predicted.get((one.revision, one.number)),
            }
            for one in record.statements
        ],
    }


def _draw(console: Console, environment: str, records: list[MigrationEvidence]) -> None:
    if not records:
        console.print(f"there is no record of a migration of {environment}")
        return
    columns = (
        "ID", "WHEN", "WHO", "WHAT", "FROM", "TO", "OUTCOME", ">TOOK", ">PREDICTED", "DIGEST",
    )  # fmt: skip
    console.print(table(columns, [_row(record) for record in records]))


def _row(record: MigrationEvidence) -> tuple[object, ...]:
    return (
        record.id,
        clock(record.started_at),
        record.operator,
        record.direction + (" (gates overridden)" if record.override else ""),
        record.from_revision,
        record.to_revision,
        state(record.outcome.replace("_", " ")),
        span(seconds(record)),
        span(record.predicted_seconds),
        record.digest[:12],
    )


def _draw_one(console: Console, record: MigrationEvidence, compared: tuple[Predicted, ...]) -> None:
    facts = [(name, _said(value)) for name, value in _document(record).items() if value]
    console.print(table(("", ""), facts))
    predicted = {(one.revision, one.number): one for one in compared}
    rows = []
    for one in record.statements:
        before = predicted.get((one.revision, one.number))
        strongest = ", ".join(f"{lock.relation} {lock.mode}" for lock in one.locks)
        rows.append(
            (
                one.revision,
                one.number,
                f"{one.seconds:.3f} s",
                None if before is None or before.predicted_seconds is None
                else f"{before.predicted_seconds:.3f} s",
                f"{one.waited_seconds:.3f} s",
                one.attempts,
                one.sql[:_LONGEST],
                strongest,
            )
        )  # fmt: skip
    if rows:
        console.print()
        columns = (
            "REVISION", ">NO", ">TOOK", ">PREDICTED", ">WAITED", ">TRIES", "SQL", "LOCKS",
        )  # fmt: skip
        console.print(table(columns, rows))


_LONGEST = 80


def _said(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(_said(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_said(one)}" for name, one in value.items())
    return shown(value)
