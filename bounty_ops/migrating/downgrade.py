"""Taking migrations back. For tests and for writing migrations: it destroys data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import UsageError
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.migrating.runner import downgrade_to
from bounty_ops.postgres.connect import translated

if TYPE_CHECKING:
    from bounty_ops.environments import Environment
    from bounty_ops.migrating.lineage import Lineage


def downgrade(environment: Environment, revision: str | None, lineage: Lineage = BOUNTY) -> None:
    """Take back what came after ``revision``, or everything.

    Raises UsageError for a protected environment, LockHeldError and PostgresError.
    """
    if environment.policy.protected:
        raise UsageError(
            f"environment {environment.name} is protected: a downgrade would destroy its data",
            hint="Restore a backup, or write a migration that goes forward.",
        )
    url = environment.require_url()
    with translated(url), migration_lock(url):
        downgrade_to(
            url,
            lineage.directory(),
            revision,
            lock_timeout_seconds=environment.policy.lock_timeout_seconds,
        )
