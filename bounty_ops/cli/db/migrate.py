"""`bounty-ops db migrate`: show the plan, and carry it out where that is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present
from bounty_ops.cli.db import answer
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError, JournalError, MigrationError, UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_migration
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating import MigrationPlan


@click.command("migrate", cls=Command)
@click.option("--dry-run", is_flag=True, help="Show the plan with its SQL; change nothing.")
@click.option(
    "--apply",
    "digest",
    metavar="DIGEST",
    help="Apply exactly the plan with this digest (a protected environment asks for it).",
)
@pass_invocation
def migrate(invocation: Invocation, *, dry_run: bool, digest: str | None) -> None:
    """Bring the database to the newest revision.

    In a protected environment this only shows the plan, with exit code 1 when something is
    pending; repeat the command with --apply and the digest that it printed.
    """
    if dry_run and digest is not None:
        raise UsageError(
            "--dry-run and --apply exclude each other",
            hint="Leave --apply away to see the plan, or --dry-run to carry it out.",
        )
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting("Planning"):
            plan = plan_migration(environment)
        _require_digest(plan, digest)
        needs_digest = environment.policy.protected and digest is None
        if dry_run or needs_digest or not plan.pending:
            _answer_plan(invocation, plan, needs_digest=needs_digest, dry_run=dry_run)
            return
        evidence = _apply(invocation, settings, environment, plan)
    present(
        invocation,
        answer.evidence_document(plan, evidence),
        lambda console: answer.draw_evidence(console, plan, evidence),
    )


def _require_digest(plan: MigrationPlan, digest: str | None) -> None:
    if digest is not None and digest != plan.digest:
        raise MigrationError(
            f"the plan for {plan.environment} now has another digest; nothing was changed",
            hint="Something was migrated or deployed since, or the digest is mistyped. Read the "
            f"plan again: bounty-ops db migrate -e {plan.environment} --dry-run",
        )


def _answer_plan(
    invocation: Invocation, plan: MigrationPlan, *, needs_digest: bool, dry_run: bool
) -> None:
    outcome = "planned" if plan.pending else "nothing_to_do"

    def draw(console: Console) -> None:
        answer.draw_plan(console, plan)
        if plan.pending and not dry_run:
            console.print(
                f"{plan.environment} is protected, so nothing was changed. To apply this plan:\n"
                f"  bounty-ops db migrate -e {plan.environment} --apply {plan.digest}"
            )

    present(invocation, answer.plan_document(plan, outcome), draw)
    if plan.pending and needs_digest and not dry_run:
        # A script that goes on with a release must not take "only shown" for "migrated".
        click.get_current_context().exit(FOUND)


def _apply(
    invocation: Invocation, settings: Settings, environment: Environment, plan: MigrationPlan
) -> MigrationEvidence:
    with stand_in(settings, database=False, ops=False, bucket=True) as complete:
        invocation.redaction.learn(complete)
        store = ObjectStore(complete.require_object_store())
        store.check()  # no record could be written: better to know before than after

        def record(evidence: MigrationEvidence) -> None:
            _record(Journal(store), evidence)
            note(invocation, settings, "the migration", lambda ops: index_migration(ops, evidence))

        with waiting(f"Migrating {environment.name}"):
            return apply_migration(plan, environment, operator=operator_name(), record=record)


def _record(journal: Journal, evidence: MigrationEvidence) -> None:
    try:
        journal.write_migration(evidence)
    except BountyOpsError as error:
        raise JournalError(
            f"the migration is {evidence.outcome}, but its record could not be written: {error}",
            hint=f"Look before you apply anything again: bounty-ops db current. {error.hint}",
        ) from error
