"""Schema migrations: plan, apply under a lock, verify, leave evidence."""

from bounty_ops.migrating.apply import apply_migration
from bounty_ops.migrating.ops import migrate_ops
from bounty_ops.migrating.plan import (
    CurrentRevision,
    MigrationPlan,
    PendingRevision,
    current_revision,
    plan_migration,
)

__all__ = [
    "CurrentRevision",
    "MigrationPlan",
    "PendingRevision",
    "apply_migration",
    "current_revision",
    "migrate_ops",
    "plan_migration",
]
