"""Carrying a migration plan out: under the lock, as planned or not at all, and verified."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.attempt import Attempt, recorded
from bounty_ops.migrating.errors import StalePlanError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import WAIT_SECONDS, migration_lock
from bounty_ops.migrating.permit import Permit
from bounty_ops.migrating.plan import plan_migration
from bounty_ops.migrating.running.observer import Observer
from bounty_ops.postgres.preflight import refuse_pooler_address, refuse_transaction_pooling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.lock import MigrationLock
    from bounty_ops.migrating.plan import MigrationPlan

_NO_PERMIT: Final = Permit()
_NOBODY: Final = Observer()


def apply_migration(
    plan: MigrationPlan,
    environment: Environment,
    *,
    operator: str,
    permit: Permit = _NO_PERMIT,
    record: Callable[[MigrationEvidence], None] | None = None,
    observer: Observer = _NOBODY,
    wait_seconds: float = WAIT_SECONDS,
    lineage: Lineage = BOUNTY,
) -> MigrationEvidence:
    """Do what ``plan`` says and return what happened.

    ``record`` is given the evidence as soon as it exists, that of a failure too, before the
    failure is raised. Finding that another runner has done the work already is no failure, and
    neither is going on where a runner with the same plan was killed.

    Raises UsageError for another environment's plan, StalePlanError when the database or the
    files have changed since it was made, EditedRevisionError, LockHeldError while another runner
    is at work, LockNotAvailable when clients of the database hold what a revision needs, and
    PostgresError or MigrationError when a revision fails. Revisions that were applied before stay
    applied.
    """
    if plan.environment != environment.name:
        raise UsageError(
            f"the plan is for {plan.environment}, not for {environment.name}",
            hint=f"Plan again: bounty-ops db migrate -e {environment.name}",
        )
    attempt = Attempt(
        environment,
        lineage,
        operator=operator,
        permit=permit,
        digest=plan.digest,
        target=plan.target,
        observer=observer,
    )
    url = environment.require_url()
    with recorded(attempt, record), locked(url, wait_seconds) as lock:
        remaining = _remaining(plan, attempt)
        if remaining:
            attempt.look_at_schema()
        for revision in remaining:
            attempt.run(lock, revision)
    return attempt.evidence


@contextmanager
def locked(url: DatabaseUrl, wait_seconds: float = WAIT_SECONDS) -> Iterator[MigrationLock]:
    """Hold the migration lock, over a connection that can hold one.

    Raises MigrationError behind a pooler in transaction mode, and LockHeldError.
    """
    refuse_pooler_address(url, MigrationError)
    with migration_lock(url, wait_seconds=wait_seconds) as lock:
        refuse_transaction_pooling(lock.connection, url, MigrationError)
        yield lock


def _remaining(plan: MigrationPlan, attempt: Attempt) -> tuple[str, ...]:
    """Return what is left to do of the plan, if it is still what was planned."""
    fresh = plan_migration(attempt.environment, attempt.lineage)
    attempt.found = fresh.current
    if not fresh.pending:
        return ()
    pending = tuple(step.revision for step in fresh.pending)
    if fresh.digest == plan.digest:
        return pending
    facts = read_facts(attempt.environment.require_url(), attempt.lineage)
    done = len(plan.pending) - len(fresh.pending)
    # A runner with this very plan was killed in the middle of it: it has left its digest.
    left = {one.revision for one in (*facts.applied, *facts.begun) if one.digest == plan.digest}
    begun = {step.revision for step in plan.pending[: done + 1]} & left
    if done >= 0 and begun and fresh.pending == plan.pending[done:]:
        attempt.detail["went_on_from"] = fresh.current
        return pending
    raise StalePlanError(
        f"{plan.target} is no longer what the plan was made for (planned from "
        f"{plan.current or 'an empty database'}, found "
        f"{fresh.current or 'an empty database'})",
        hint="Look at a new plan, then apply that one.",
    )
