"""From what was measured of each statement to what the certificate says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.journal.evidence import RehearsedStatement
from bounty_ops.migrating.rehearse.comparing import Mentions
from bounty_ops.migrating.rehearse.predicting import Size, predict
from bounty_ops.migrating.rehearse.waits import longest

if TYPE_CHECKING:
    from bounty_ops.migrating.rehearse.drill import Result
    from bounty_ops.migrating.rehearse.measuring import Measured
    from bounty_ops.migrating.rehearse.tables import Live, Table

#: Where PostgreSQL keeps long values; locked together with the table that they belong to.
_TOAST: Final = "pg_toast."


def described(result: Result, live: Live) -> tuple[RehearsedStatement, ...]:
    """Describe every statement, in the order in which they were carried out."""
    tables = {table.label: table for table in result.tables}
    found: list[RehearsedStatement] = []
    locked: dict[str, set[str]] = {}
    for measured in result.measured:
        before = locked.setdefault(measured.record.revision, set())
        touched = _touched(measured, tables, before)
        before.update(lock.relation for lock in measured.record.locks)
        found.append(_statement(measured, result, live, touched))
    return tuple(found)


def _touched(measured: Measured, tables: dict[str, Table], before: set[str]) -> list[Table]:
    """The tables that were there before and that the statement works on.

    A record has only the locks that its transaction did not hold already: of those, the statement
    has to name the table.
    """
    record = measured.record
    mentions = Mentions([record.sql])
    own = {lock.relation for lock in record.locks}
    return [
        table
        for label, table in tables.items()
        if label in own or (label in before and mentions.together(table.name))
    ]


def _statement(
    measured: Measured, result: Result, live: Live, touched: list[Table]
) -> RehearsedStatement:
    record, waits = measured.record, result.waits or ()
    largest = max(touched, key=lambda table: (table.size_bytes, table.label), default=None)
    size = None
    if largest is not None:
        size = Size(largest.size_bytes, live.sizes.get(largest.label))
    own_seconds = max(0.0, record.seconds - record.waited_seconds)
    return RehearsedStatement(
        revision=record.revision,
        number=record.number,
        sql=record.sql,
        seconds=record.seconds,
        waited_seconds=record.waited_seconds,
        attempts=record.attempts,
        rows=record.rows,
        locks=tuple(lock for lock in record.locks if not lock.relation.startswith(_TOAST)),
        longest_read_seconds=longest(waits, "read", measured.span),
        longest_write_seconds=longest(waits, "write", measured.span),
        wal_bytes=measured.wal_bytes,
        disk_bytes=measured.disk_bytes,
        rewritten=measured.rewritten,
        table_bytes=None if size is None else size.copy_bytes,
        live_bytes=None if size is None else size.live_bytes,
        predicted_seconds=predict(own_seconds, size, constant=measured.constant),
    )
