"""Bringing the operations database to its newest revision, without ceremony.

It is ours alone and can be rebuilt from the bucket, so whoever needs it migrates it: every
command that opens it may call `migrate_ops`, at any time and many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.migrating.plan import plan_for
from bounty_ops.migrating.stepping import run_revision

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def migrate_ops(url: DatabaseUrl) -> None:
    """Bring the operations database at ``url`` to the newest revision.

    Raises PostgresError, UnknownRevisionError when a newer version has migrated it,
    UnmanagedDatabaseError and LockHeldError.
    """
    if not plan_for(OPS, "ops", url).pending:
        return
    with migration_lock(url) as lock:
        for step in plan_for(OPS, "ops", url).pending:
            lock.require()
            run_revision(
                url,
                OPS.directory(),
                step.revision,
                lock=lock,
            )
