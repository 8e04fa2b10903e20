"""What `db rehearse` answers: the certificate, the statement with the longest wait first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.cli.console import shown, size, span, state, table
from bounty_ops.journal.records import Rehearsal
from bounty_ops.migrating.rehearse import strongest, worst_first

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.journal.evidence import RehearsedStatement
    from bounty_ops.migrating import MigrationPlan

Document = dict[str, object]

_LONGEST_SQL: Final = 60
_COLUMNS: Final = (
    "STATEMENT",
    ">TOOK",
    ">READS WAITED",
    ">WRITES WAITED",
    ">PREDICTED",
    ">WAL",
    ">DISK",
    "REWRITTEN",
    "STRONGEST LOCK",
)


_FIELDS: Final = (*(name for name in Rehearsal.model_fields if name != "format_version"), "seconds")


def document(plan: MigrationPlan, rehearsal: Rehearsal | None) -> Document:
    """The certificate; without one nothing was pending."""
    if rehearsal is None:
        known = {"environment": plan.environment, "outcome": "nothing_to_do", "statements": []}
        at = {"from_revision": plan.current, "to_revision": plan.current, "digest": plan.digest}
        return {**dict.fromkeys(_FIELDS), **known, **at}
    content = rehearsal.model_dump(mode="json", exclude={"format_version"})
    seconds = (rehearsal.finished_at - rehearsal.started_at).total_seconds()
    return {**content, "seconds": seconds, "digest": plan.digest}


def draw(console: Console, plan: MigrationPlan, rehearsal: Rehearsal | None) -> None:
    """The certificate for a person."""
    if rehearsal is None:
        console.print(f"{plan.environment} is at {plan.current}: nothing to rehearse")
        return
    console.print(
        f"Rehearsed {rehearsal.environment} from {shown(rehearsal.from_revision)} to "
        f"{rehearsal.to_revision} on backup {shown(rehearsal.backup_id)} "
        f"(PostgreSQL {rehearsal.server_version})"
    )
    console.print(table(("OUTCOME", "WHY"), [(state(rehearsal.outcome), rehearsal.reason)]))
    if rehearsal.statements:
        console.print(table(_COLUMNS, map(_row, worst_first(rehearsal.statements))))
    trip = rehearsal.round_trip.replace("_", " ")
    detail = f": {rehearsal.round_trip_detail}" if rehearsal.round_trip_detail else ""
    console.print(f"downgrade and second upgrade: {trip}{detail}")
    if rehearsal.longest_read_seconds is not None:
        console.print(
            f"longest wait of all: reads {_exact(rehearsal.longest_read_seconds)}, "
            f"writes {_exact(rehearsal.longest_write_seconds)}"
        )
    console.print(f"predicted for {rehearsal.environment}: {span(rehearsal.predicted_seconds)}")
    console.print(f"certificate {rehearsal.id}")


def _row(one: RehearsedStatement) -> tuple[object, ...]:
    sql = " ".join(one.sql.split())
    cut = sql if len(sql) <= _LONGEST_SQL else f"{sql[: _LONGEST_SQL - 3]}..."
    lock = strongest(one.locks)
    return (
        f"{one.revision}/{one.number} {cut}",
        _exact(one.seconds),
        _exact(one.longest_read_seconds),
        _exact(one.longest_write_seconds),
        _exact(one.predicted_seconds),
        size(one.wal_bytes),
        size(one.disk_bytes),
        ", ".join(one.rewritten),
        None if lock is None else f"{lock.mode} on {lock.relation}",
    )


def _exact(seconds: float | None) -> str:
    """Shorter spans than elsewhere count here: a hundredth of a second is a wait."""
    if seconds is None:
        return "-"
    return f"{seconds:.3f} s" if seconds < 1 else span(seconds)
