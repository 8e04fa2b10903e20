"""`bounty-ops db downgrade`: show what would be taken back, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present, shown, span, table, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.errors import BountyOpsError, JournalError, MigrationError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_migration
from bounty_ops.migrating.downgrade import DowngradePlan, apply_downgrade, plan_downgrade
from bounty_ops.migrating.permit import Permit
from bounty_ops.migrating.running.telling import Telling
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Environment, Settings
    from bounty_ops.journal.records import MigrationEvidence


@click.command("downgrade", cls=Command)
@click.option(
    "--to",
    required=True,
    metavar="REVISION|-N|base",
    help="The revision to go back to, how many to take back, or everything.",
)
@click.option(
    "--apply", "digest", metavar="DIGEST", help="Take back exactly what this digest stands for."
)
@click.option("--reason", metavar="TEXT", default="", help="Why, such as a ticket; is recorded.")
@pass_invocation
def downgrade(invocation: Invocation, *, to: str, digest: str | None, reason: str) -> None:
    """Take migrations back, with the data that they made room for.

    Without --apply this only shows what would be taken back, with exit code 1 if there is
    anything; repeat the command with the digest that it printed. A protected environment is
    refused: restore a backup there, or write a migration that goes forward.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting("Planning"):
            plan = plan_downgrade(environment, to)
        if digest is not None and digest != plan.digest:
            raise MigrationError(
                f"the plan for {plan.environment} now has another digest; nothing was changed",
                hint="Something was migrated or deployed since, or the digest is mistyped. Read "
                "the plan again, without --apply.",
            )
        if digest is None or not plan.undone:
            _show(invocation, plan, to)
            return
        evidence = _apply(invocation, settings, environment, plan, reason)
    present(
        invocation,
        _document(plan, evidence.outcome, evidence),
        lambda console: _draw_evidence(console, evidence),
    )


def _show(invocation: Invocation, plan: DowngradePlan, to: str) -> None:
    def draw(console: Console) -> None:
        if not plan.undone:
            console.print(f"{plan.environment} is at {shown(plan.current)}: nothing to take back")
            return
        console.print(f"{plan.environment}: from {plan.current} back to {plan.to or 'nothing'}")
        for step in plan.undone:
            console.print(f"\n-- {step.revision}: {shown(step.message)}")
            console.print(step.sql)
        console.print(
            f"\ndigest {plan.digest}\nNothing was changed. To take this back:\n"
            f"  bounty-ops db downgrade -e {plan.environment} --to {to} --apply {plan.digest}"
        )

    present(invocation, _document(plan, "planned" if plan.undone else "nothing_to_do"), draw)
    if plan.undone:
        click.get_current_context().exit(FOUND)


def _apply(
    invocation: Invocation,
    settings: Settings,
    environment: Environment,
    plan: DowngradePlan,
    reason: str,
) -> MigrationEvidence:
    with stand_in(settings, database=False, ops=False, bucket=True) as complete:
        invocation.redaction.learn(complete)
        store = ObjectStore(complete.require_object_store())
        store.check()  # no record could be written: better to know before than after

        def record(evidence: MigrationEvidence) -> None:
            _record(Journal(store), evidence)
            note(invocation, complete, "the downgrade", lambda ops: index_migration(ops, evidence))

        with waiting(f"Taking back {len(plan.undone)} migrations of {environment.name}"):
            return apply_downgrade(
                plan,
                environment,
                operator=operator_name(),
                permit=Permit(reason=invocation.redaction.apply(reason.strip())),
                record=record,
                observer=Telling(lambda line: warn(invocation.redaction.apply(line))),
            )


def _record(journal: Journal, evidence: MigrationEvidence) -> None:
    try:
        journal.write_migration(evidence)
    except BountyOpsError as error:
        raise JournalError(
            f"the downgrade is {evidence.outcome}, but its record could not be written: {error}",
            hint=f"Look before you change anything again: bounty-ops db current. {error.hint}",
        ) from error


def _document(
    plan: DowngradePlan, outcome: str, evidence: MigrationEvidence | None = None
) -> dict[str, object]:
    return {
        "environment": plan.environment,
        "from_revision": plan.current,
        "to_revision": plan.current if evidence is None else evidence.to_revision,
        "undone": [
            {"revision": step.revision, "message": step.message, "sql": step.sql}
            for step in plan.undone
        ],
        "digest": plan.digest,
        "outcome": outcome,
        "id": None if evidence is None else evidence.id,
        "seconds": None if evidence is None else _seconds(evidence),
    }


def _draw_evidence(console: Console, evidence: MigrationEvidence) -> None:
    console.print(
        f"Took {evidence.environment} back from {shown(evidence.from_revision)} to "
        f"{evidence.to_revision or 'nothing'} in {span(_seconds(evidence))}"
    )
    console.print(table(("TAKEN BACK",), [(revision,) for revision in evidence.revisions]))
    console.print(f"record {evidence.id}")


def _seconds(evidence: MigrationEvidence) -> float:
    return (evidence.finished_at - evidence.started_at).total_seconds()
