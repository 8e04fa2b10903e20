"""`bounty-ops db rehearse`: apply what is pending to a restored backup, and measure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.db import rehearse_answer
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.rehearse import rehearse as carry_out
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import Rehearsal
    from bounty_ops.migrating import MigrationPlan


@click.command("rehearse", cls=Command)
@click.option(
    "--backup",
    "backup_id",
    metavar="ID",
    help="The backup to restore, which has to be proved (default: the last one that is).",
)
@pass_invocation
def rehearse(invocation: Invocation, *, backup_id: str | None) -> None:
    """Apply what is pending to a restored backup, and measure what it does.

    The last proved backup is restored into a throw-away server. There the pending revisions are
    applied while a reader and a writer probe the tables, then taken back, and applied once more.
    The certificate goes into the bucket. Exit code 0 when the rehearsal has passed, 1 when the
    migration has failed or nothing could be found out. The database itself is only looked at.
    """
    with servers(invocation, database=True, bucket=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting("Planning"):
            plan = plan_migration(environment)
        rehearsal = _rehearse(settings, environment, plan, backup_id) if plan.pending else None
    present(
        invocation,
        rehearse_answer.document(plan, rehearsal),
        lambda console: rehearse_answer.draw(console, plan, rehearsal),
    )
    if rehearsal is not None and rehearsal.outcome != "passed":
        click.get_current_context().exit(FOUND)


def _rehearse(
    settings: Settings, environment: Environment, plan: MigrationPlan, backup_id: str | None
) -> Rehearsal:
    with waiting(f"Rehearsing {len(plan.pending)} revisions of {environment.name}"):
        return carry_out(
            environment,
            Journal(ObjectStore(settings.require_object_store())),
            plan,
            operator=operator_name(),
            work_dir=settings.state_dir / "work",
            identities=settings.identities,
            server=settings.drill_server(),
            backup_id=backup_id,
        )
