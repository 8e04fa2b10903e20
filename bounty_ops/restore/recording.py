"""A record of every restore that was begun, whatever its end: who, what, where to, and what of it.

The record is written last and stops nothing: a restore that is done stays done when the bucket
does not take its record, and says so. Only a process that is killed leaves none; if it was killed
between the two renames, the run that brings them to their end writes one.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import new_id
from bounty_ops.journal.restores import Replaced, RestoreRecord, write_restore

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.journal import Journal
    from bounty_ops.restore.outcome import Restored
    from bounty_ops.restore.plan import RestorePlan
    from bounty_ops.restore.target import Target

_LONGEST_REASON: Final = 2_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """Who wants what done, for the record."""

    operation: Literal["restore", "refresh"]
    operator: str
    digest_given: bool
    masked_columns: int = 0


@dataclass(frozen=True)
class _Begun:
    """A restore from its beginning on."""

    plan: RestorePlan
    target: Target
    order: Order
    at: datetime
    clock: float


def recorded(
    plan: RestorePlan,
    target: Target,
    journal: Journal,
    order: Order,
    carry_out: Callable[[], Restored],
) -> Restored:
    """Carry a restore out and leave its record in the bucket.

    Returns what `carry_out` does, with a note if the record could not be written; what it raises
    is raised, with such a note.
    """
    begun = _Begun(plan, target, order, datetime.now(UTC), time.monotonic())
    try:
        done = carry_out()
    except BaseException as error:
        problem = _keep(journal, _record(begun, None, _reason(error)))
        if problem is not None:
            error.add_note(problem)
        raise
    problem = _keep(journal, _record(begun, done, None))
    return done if problem is None else replace(done, notes=(*done.notes, problem))


def _keep(journal: Journal, record: RestoreRecord) -> str | None:
    """Write a record; why that could not be done, if it could not."""
    try:
        write_restore(journal.store, record)
    except BountyOpsError as problem:
        told = f"the record of this restore could not be written into the bucket: {problem}"
        logger.warning("%s", told)
        return told
    return None


def _record(begun: _Begun, done: Restored | None, reason: str | None) -> RestoreRecord:
    plan, order = begun.plan, begun.order
    wishes, unfinished = plan.wishes, plan.unfinished
    return RestoreRecord(
        id=new_id(begun.at),
        environment=plan.source,
        backup_id=plan.backup_id,
        operation=order.operation,
        operator=order.operator,
        started_at=begun.at,
        finished_at=datetime.now(UTC),
        outcome="failed" if done is None else _outcome(plan, done),
        reason=reason,
        target=plan.target,
        target_environment=begun.target.environment,
        address=plan.address,
        database=plan.database,
        server_version=plan.state.version,
        protected=plan.protected,
        way=plan.way,
        digest=plan.digest,
        digest_given=order.digest_given,
        tables=wishes.tables,
        with_references=wishes.with_references,
        no_owner=wishes.no_owner,
        created_roles=plan.missing_roles if wishes.create_roles else (),
        masked_columns=order.masked_columns,
        unfinished_backup_id=(unfinished.backup_id or None) if unfinished else None,
        verdict=done.verdict if done else None,
        tables_compared=done.tables_compared if done else 0,
        rows_compared=done.rows_compared if done else 0,
        differences=done.differences if done else (),
        replaced=_replaced(plan, done),
        seconds=round(time.monotonic() - begun.clock, 3),
        fetch_seconds=done.fetch_seconds if done else None,
        restore_seconds=done.restore_seconds if done else None,
        compare_seconds=done.compare_seconds if done else None,
        notes=done.notes if done else plan.notes,
    )


def _outcome(plan: RestorePlan, done: Restored) -> Literal["done", "differs", "finished"]:
    if done.done:
        return "done"
    return "finished" if plan.way == "finish" else "differs"


def _replaced(plan: RestorePlan, done: Restored | None) -> Replaced | None:
    state = plan.state
    if not state.exists:
        return None
    return Replaced(
        tables=len(state.tables),
        rows=state.rows,
        size_bytes=state.size_bytes,
        old_database=done.old_database if done else None,
    )


def _reason(error: BaseException) -> str:
    """Our own messages hold no secret and no row; of all others only the kind is told."""
    if isinstance(error, BountyOpsError):
        return str(error)[:_LONGEST_REASON]
    if isinstance(error, KeyboardInterrupt):
        return "it was interrupted"
    return f"it ended with {type(error).__name__}"
