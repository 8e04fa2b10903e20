"""Asking the linter about a plan, with the live catalogue at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.errors import BountyOpsError
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lint import lint_revisions, read_catalogue
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.plan import plan_migration
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.environments import Environment
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.lint.finding import Finding
    from bounty_ops.migrating.plan import MigrationPlan


Findings = dict[str, "tuple[Finding, ...]"]
"""By revision."""


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


def lint_pending(environment: Environment, lineage: Lineage = BOUNTY) -> Findings:
    """Return what the linter says of what is pending for an environment's database.

    Raises PostgresError, and MigrationError where the pending revisions cannot be told or read.
    """
    plan = plan_migration(environment, lineage)
    if not plan.pending:
        return {}
    with connect(
        environment.require_url(), application_name=APPLICATION_NAME, read_only=True
    ) as connection:
        found = lint_plan(plan, lineage, connection, server_facts(connection).major)
    if isinstance(found, BountyOpsError):
        raise found
    return found
