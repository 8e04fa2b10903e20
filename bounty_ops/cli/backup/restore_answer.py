"""What restores and refreshes answer: the plan, or what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.cli.console import clock, shown, size, span, state, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.journal.restores import RestoreRecord
    from bounty_ops.restore.outcome import Restored
    from bounty_ops.restore.plan import RestorePlan

Document = dict[str, object]
_SHOWN_TABLES = 40
_SHOWN_DIFFERENCES = 20


def plan_document(plan: RestorePlan, outcome: str) -> Document:
    """A plan, with nothing done yet."""
    there = plan.state
    return {
        "outcome": outcome,
        "digest": plan.digest,
        "needs_digest": plan.needs_digest,
        "id": plan.backup_id,
        "environment": plan.source,
        "taken_at": plan.taken_at,
        "verdict": plan.verdict,
        "verified_at": plan.verified_at,
        "size_bytes": plan.size_bytes,
        "encrypted": plan.encrypted,
        "target": plan.target,
        "address": plan.address,
        "protected": plan.protected,
        "way": plan.way,
        "expected_seconds": plan.expectation.seconds if plan.expectation else None,
        "lost": {
            "tables": [
                {"name": t.label, "rows": t.rows, "estimated": t.estimated, "bytes": t.size_bytes}
                for t in there.tables
            ],
            "other_objects": there.other_objects,
            "rows": there.rows,
            "size_bytes": there.size_bytes,
        },
        "sessions": [
            {"user": s.user, "application": s.application, "state": s.state, "count": s.count}
            for s in there.sessions
        ],
        "missing_roles": list(plan.missing_roles),
        "verdict_of_copy": None,
        "tables_compared": 0,
        "rows_compared": 0,
        "differences": [],
        "old_database": None,
        "removal": None,
        "seconds": None,
        "fetch_seconds": None,
        "restore_seconds": None,
        "compare_seconds": None,
        "notes": list(plan.notes),
    }


def done_document(plan: RestorePlan, done: Restored) -> Document:
    """The same after it was carried out."""
    return plan_document(plan, "restored" if done.done else "differs") | {
        "verdict_of_copy": done.verdict,
        "tables_compared": done.tables_compared,
        "rows_compared": done.rows_compared,
        "differences": [
            {"kind": d.kind, "object": d.object, "expected": d.expected, "found": d.found}
            for d in done.differences
        ],
        "old_database": done.old_database,
        "removal": done.removal,
        "seconds": done.seconds,
        "fetch_seconds": done.fetch_seconds,
        "restore_seconds": done.restore_seconds,
        "compare_seconds": done.compare_seconds,
        "notes": list(done.notes),
    }


def draw_plan(console: Console, plan: RestorePlan) -> None:
    """A plan as a person reads it before it is carried out."""
    there = plan.state
    console.print(
        f"Backup {plan.backup_id} of {plan.source}, taken {clock(plan.taken_at)}: "
        f"{plan.tables} tables, {plan.rows:,} rows, {size(plan.size_bytes)}"
        + (", encrypted" if plan.encrypted else "")
    )
    verdict = state(plan.verdict)
    verdict.append(f" {clock(plan.verified_at)}" if plan.verified_at else "")
    console.print("  verdict  ", verdict, sep="")
    if plan.expectation:
        console.print(f"  takes    about {span(plan.expectation.seconds)}, as when it was proved")
    console.print(
        f"Target {plan.target} ({plan.address}, PostgreSQL {there.version})"
        + (", protected" if plan.protected else "")
    )
    console.print(f"  way      {_way(plan)}")
    _draw_what_is_there(console, plan)
    for note in plan.notes:
        console.print(f"  note     {shown(note)}")
    if plan.missing_roles:
        console.print(f"  missing  roles: {shown(', '.join(plan.missing_roles))}")


def _way(plan: RestorePlan) -> str:
    if plan.unfinished is not None:
        return (
            f"bring to its end what was broken off: {plan.unfinished.name} holds the whole of "
            f"backup {plan.unfinished.backup_id} and takes the name {plan.database}"
        )
    if plan.way == "in place":
        return "into the empty database itself"
    if not plan.state.exists:
        return "into a new database"
    return "into a new database beside it, compared, then the names are swapped; the old one stays"


def _draw_what_is_there(console: Console, plan: RestorePlan) -> None:
    there = plan.state
    if not there.exists:
        console.print("  there    nothing: the database does not exist")
        return
    if not there.reachable:
        console.print("  there    unknown: the database admits no connections")
        return
    if there.empty:
        console.print("  there    an empty database")
    else:
        estimated = " (estimated)" if any(t.estimated for t in there.tables) else ""
        console.print(
            f"  there    {len(there.tables)} tables with {there.rows:,} rows{estimated}, "
            f"{there.other_objects} other objects, {size(there.size_bytes)}"
        )
    for one in there.sessions:
        console.print(
            f"  in use   {one.count} x {shown(one.user)}, {shown(one.application)}, {one.state}"
        )
    if there.tables:
        largest = sorted(there.tables, key=lambda t: -t.size_bytes)[:_SHOWN_TABLES]
        rows = [
            (t.label, "not readable" if t.rows is None else f"{t.rows:,}", size(t.size_bytes))
            for t in largest
        ]
        console.print()
        console.print(table(("WHAT IS THERE NOW", ">ROWS", ">SIZE"), rows))
        if len(there.tables) > len(largest):
            console.print(f"... and {len(there.tables) - len(largest)} more: --json shows all")
        console.print()


def draw_done(console: Console, plan: RestorePlan, done: Restored) -> None:
    """What was done."""
    if done.done and done.verdict is not None:
        console.print(
            f"Restored {plan.backup_id} into {done.address} in {span(done.seconds)} "
            f"(fetch {span(done.fetch_seconds)}, restore {span(done.restore_seconds)}, "
            f"compare {span(done.compare_seconds)})"
        )
    if done.verdict is not None:
        console.print(
            f"Compared with the manifest: {done.tables_compared} tables, "
            f"{done.rows_compared:,} rows, {len(done.differences)} differences"
        )
    if done.differences:
        rows = [(d.kind, d.object, d.expected, d.found) for d in done.differences]
        columns = ("KIND", "OBJECT", "EXPECTED", "FOUND")
        console.print(table(columns, rows[:_SHOWN_DIFFERENCES]))
    for note in done.notes:
        console.print(f"  note     {shown(note)}")
    if done.old_database is not None:
        console.print(f"What was there before is kept as {done.old_database}. To remove it:")
        console.print(f"  {done.removal}")


def record_document(record: RestoreRecord) -> Document:
    """The record of a restore, as short as it is of use in a list."""
    replaced = record.replaced
    return {
        "id": record.id,
        "operation": record.operation,
        "outcome": record.outcome,
        "reason": record.reason,
        "operator": record.operator,
        "started_at": record.started_at,
        "seconds": record.seconds,
        "target": record.target,
        "address": record.address,
        "tables": list(record.tables),
        "verdict": record.verdict,
        "differences": len(record.differences),
        "old_database": replaced.old_database if replaced else None,
    }


def draw_records(console: Console, records: Sequence[RestoreRecord]) -> None:
    """Where a backup was restored to, newest first; nothing where it never was."""
    if not records:
        return
    rows = [
        (clock(one.started_at), one.operation, one.outcome, one.target, one.operator,
         span(one.seconds))
        for one in records
    ]  # fmt: skip
    console.print()
    console.print(table(("RESTORED", "BY", "OUTCOME", "INTO", "WHO", ">SECONDS"), rows))
