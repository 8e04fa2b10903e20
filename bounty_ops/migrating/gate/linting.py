"""Asking the linter about a plan, with the live catalogue at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.lint import lint_revisions, read_catalogue
from bounty_ops.migrating.revisions import revisions_of

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.plan import MigrationPlan

    Findings = dict[str, tuple[Finding, ...]]


def lint_plan(
    plan: MigrationPlan, lineage: Lineage, connection: Connection[TupleRow], server_major: int
) -> Findings | BountyOpsError:
    """Return what the linter says of each pending revision, or why it says nothing."""
    try:
        revisions = revisions_of(lineage)
        return lint_revisions(
            revisions,
            revisions.after(plan.current),
            catalogue=read_catalogue(connection),
            pg_major=server_major,
        )
    except BountyOpsError as error:
        return error
