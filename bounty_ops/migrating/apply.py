"""Carrying a migration plan out: under the lock, as planned or not at all, and verified."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.errors import BountyOpsError, MigrationError, PostgresError, UsageError
from bounty_ops.journal.ids import new_id
from bounty_ops.journal.records import MigrationEvidence
from bounty_ops.migrating.errors import StalePlanError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import WAIT_SECONDS, migration_lock
from bounty_ops.migrating.permit import Permit
from bounty_ops.migrating.plan import plan_migration
from bounty_ops.migrating.stepping import run_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import Environment
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.lock import MigrationLock
    from bounty_ops.migrating.plan import MigrationPlan

Outcome = Literal["applied", "nothing_to_do", "failed"]
_NO_PERMIT: Final = Permit()


def apply_migration(
    plan: MigrationPlan,
    environment: Environment,
    *,
    operator: str,
    permit: Permit = _NO_PERMIT,
    record: Callable[[MigrationEvidence], None] | None = None,
    wait_seconds: float = WAIT_SECONDS,
    lineage: Lineage = BOUNTY,
) -> MigrationEvidence:
    """Do what ``plan`` says and return what happened.

    ``record`` is given the evidence as soon as it exists, that of a failure too, before the
    failure is raised. Finding that another runner has done the work already is no failure.

    Raises UsageError for another environment's plan, StalePlanError when the database or the
    files have changed since it was made, LockHeldError while another runner is at work,
    LockNotAvailable when clients of the database hold what a revision needs, and PostgresError
    or MigrationError when a revision fails. Revisions that were applied before stay applied.
    """
    if plan.environment != environment.name:
        raise UsageError(
            f"the plan is for {plan.environment}, not for {environment.name}",
            hint=f"Plan again: bounty-ops db migrate -e {environment.name}",
        )
    attempt = _Attempt(plan, environment, operator, permit, lineage)
    try:
        with migration_lock(environment.require_url(), wait_seconds=wait_seconds) as lock:
            attempt.carry_out(lock)
    except BaseException as error:
        if record is not None:
            _record_failure(record, attempt.failed(error), error)
        raise
    evidence = attempt.finished()
    if record is not None:
        record(evidence)
    return evidence


def _record_failure(
    record: Callable[[MigrationEvidence], None], evidence: MigrationEvidence, error: BaseException
) -> None:
    """Record without hiding why the migration failed."""
    try:
        record(evidence)
    except BountyOpsError as second:
        error.add_note(f"The failure could not be recorded either: {second}")


@dataclass
class _Attempt:
    """One try at a plan, and what has come of it so far."""

    plan: MigrationPlan
    environment: Environment
    operator: str
    permit: Permit
    lineage: Lineage
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    applied: list[str] = field(default_factory=list)
    tries: int = 0
    found: str | None = None

    def carry_out(self, lock: MigrationLock) -> None:
        """Apply what is pending, if it is still what was planned."""
        fresh = plan_migration(self.environment, self.lineage)
        self.found = fresh.current
        if not fresh.pending:
            return
        if fresh.digest != self.plan.digest:
            raise StalePlanError(
                f"{self.plan.target} is no longer what the plan was made for (planned from "
                f"{self.plan.current or 'an empty database'}, found "
                f"{fresh.current or 'an empty database'})",
                hint="Look at a new plan, then apply that one.",
            )
        directory = self.lineage.directory()
        policy = self.environment.policy
        for step in self.plan.pending:
            lock.require()
            with _explained(step.revision):
                self.tries += run_revision(
                    self.environment.require_url(),
                    directory,
                    step.revision,
                    lock_timeout_seconds=policy.lock_timeout_seconds,
                    attempts=policy.lock_attempts,
                )
            self._verify(step.revision)
            self.applied.append(step.revision)

    def _verify(self, revision: str) -> None:
        """Look with another connection: success may have been reported for a lost transaction."""
        found = read_facts(self.environment.require_url(), self.lineage).revision
        if found != revision:
            raise MigrationError(
                f"{self.plan.target} is at {found or 'no revision'} although {revision} was "
                "reported as applied",
                hint="Nothing further was done. Look for a proxy or pooler between here and the "
                "server that does not keep transactions together.",
            )

    def finished(self) -> MigrationEvidence:
        """Return the evidence of an attempt that reached its end."""
        return self._evidence("applied" if self.applied else "nothing_to_do", {})

    def failed(self, error: BaseException) -> MigrationEvidence:
        """Return the evidence of an attempt that did not."""
        # Only our own messages are known to hold no secret.
        said = str(error) if isinstance(error, BountyOpsError) else type(error).__name__
        return self._evidence("failed", {"error": said})

    def _evidence(self, outcome: Outcome, detail: dict[str, str | int]) -> MigrationEvidence:
        return MigrationEvidence(
            id=new_id(self.started_at),
            environment=self.plan.environment,
            from_revision=self.found,
            to_revision=self.applied[-1] if self.applied else self.found,
            digest=self.plan.digest,
            operator=self.operator,
            started_at=self.started_at,
            finished_at=datetime.now(UTC),
            outcome=outcome,
            revisions=tuple(self.applied),
            detail={"target": self.plan.target, "attempts": self.tries, **detail},
            **vars(self.permit),
        )


@contextmanager
def _explained(revision: str) -> Iterator[None]:
    """Say which revision failed, unless the error is about the server and not about it."""
    try:
        yield
    except PostgresError as error:
        if type(error) is not PostgresError:
            raise
        raise MigrationError(
            f"revision {revision} failed and left nothing behind: {error}",
            hint=f"{error.hint} Then plan again.",
        ) from error
