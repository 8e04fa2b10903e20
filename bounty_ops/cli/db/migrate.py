"""`bounty-ops db migrate`: show the plan, and carry it out where the gates let it through."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.backup.run import prove_new, take
from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present, warn
from bounty_ops.cli.db import answer, draw
from bounty_ops.cli.db.briefed import Briefed, Said, briefed, bucket_of
from bounty_ops.cli.db.options import acknowledgements, override_reason
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import BountyOpsError, JournalError, MigrationError, UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_migration
from bounty_ops.migrating import apply_migration
from bounty_ops.migrating.gate import Briefing, brief, permit, refused
from bounty_ops.migrating.running.telling import Telling
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.journal.records import MigrationEvidence


@click.command("migrate", cls=Command)
@click.option("--dry-run", is_flag=True, help="Show the plan with its SQL; change nothing.")
@click.option(
    "--apply",
    "digest",
    metavar="DIGEST",
    help="Apply exactly the plan with this digest (a protected environment asks for it).",
)
@click.option(
    "--acknowledge",
    "acknowledged",
    metavar="RULE=REASON",
    multiple=True,
    help="Accept what the linter says by this rule, and say why. May be given several times.",
)
@click.option(
    "--override",
    metavar="REASON",
    help="In an emergency: pass the gates that refuse. Is recorded and raises an alert.",
)
@click.option("--reason", metavar="TEXT", default="", help="Why, such as a ticket; is recorded.")
@click.option("--backup-first", is_flag=True, help="Take a backup and prove it before anything.")
@pass_invocation
def migrate(
    invocation: Invocation,
    *,
    dry_run: bool,
    digest: str | None,
    acknowledged: tuple[str, ...],
    override: str | None,
    reason: str,
    backup_first: bool,
) -> None:
    """Bring the database to the newest revision.

    In a protected environment this only shows the plan, with exit code 1 when something is
    pending; repeat the command with --apply and the digest that it printed. The gates have to let
    it through then; what they ask for is in `db plan`.
    """
    if dry_run and (digest is not None or backup_first):
        raise UsageError(
            "--dry-run excludes --apply and --backup-first",
            hint="Leave out --apply and --backup-first to see the plan, or --dry-run to carry it "
            "out.",
        )
    with ExitStack() as stack:
        settings = stack.enter_context(servers(invocation, database=True))
        hide = invocation.redaction.apply  # it knows the secrets of the settings by now
        said = Said(digest, acknowledgements(acknowledged, hide), override_reason(override, hide))
        found = stack.enter_context(briefed(invocation, settings, said, bucket=not dry_run))
        briefing = found.briefing
        _require_digest(briefing, digest)
        needs_digest = found.environment.policy.protected and digest is None
        if dry_run or needs_digest or not briefing.plan.pending:
            _show(invocation, briefing, needs_digest=needs_digest, dry_run=dry_run)
            return
        briefing = _with_backup(invocation, found, said) if backup_first else briefing
        if refused(briefing.gates):
            _refuse(invocation, briefing)
            return
        evidence = _apply(invocation, found, briefing, reason)
    present(
        invocation,
        answer.migrate_document(briefing, evidence.outcome, evidence),
        lambda console: draw.draw_evidence(console, briefing, evidence),
    )


def _require_digest(briefing: Briefing, digest: str | None) -> None:
    plan = briefing.plan
    if digest is not None and digest != plan.digest:
        raise MigrationError(
            f"the plan for {plan.environment} now has another digest; nothing was changed",
            hint="Something was migrated or deployed since, or the digest is mistyped. Read the "
            f"plan again: bounty-ops db plan -e {plan.environment}",
        )


def _show(invocation: Invocation, briefing: Briefing, *, needs_digest: bool, dry_run: bool) -> None:
    plan = briefing.plan
    outcome = "planned" if plan.pending else "nothing_to_do"

    def render(console: Console) -> None:
        draw.draw_plan(console, briefing)
        if plan.pending and not dry_run:
            console.print(
                f"{plan.environment} is protected, so nothing was changed. To apply this plan"
                + (":" if briefing.ready else ", once its gates are open:")
                + f"\n  bounty-ops db migrate -e {plan.environment} --apply {plan.digest}"
            )

    present(invocation, answer.migrate_document(briefing, outcome), render)
    if plan.pending and needs_digest and not dry_run:
        # A script that goes on with a release must not take "only shown" for "migrated".
        click.get_current_context().exit(FOUND)


def _refuse(invocation: Invocation, briefing: Briefing) -> None:
    environment = briefing.plan.environment

    def render(console: Console) -> None:
        console.print(f"{environment} was not migrated, because gates refuse:")
        draw.draw_gates(console, briefing.gates)

    present(invocation, answer.migrate_document(briefing, "refused"), render)
    click.get_current_context().exit(FOUND)


def _with_backup(invocation: Invocation, found: Briefed, said: Said) -> Briefing:
    """Ask the gates once more with a backup of this moment, unless others refuse anyway."""
    if refused(found.briefing.gates, but={"backup"}):
        return found.briefing
    store = ObjectStore(found.settings.require_object_store())
    manifest = take(invocation, found.settings, store)
    prove_new(invocation, found.settings, Journal(store), manifest)
    with waiting("Asking the gates"):
        return brief(
            found.environment,
            found.settings,
            bucket_of(found.settings),
            operator=operator_name(),
            given_digest=said.digest,
            acknowledged=said.acknowledged,
            override=said.override,
        )


def _apply(
    invocation: Invocation, found: Briefed, briefing: Briefing, reason: str
) -> MigrationEvidence:
    store = ObjectStore(found.settings.require_object_store())
    store.check()  # no record could be written: better to know before than after

    def record(evidence: MigrationEvidence) -> None:
        _record(Journal(store), evidence)
        note(
            invocation, found.settings, "the migration", lambda ops: index_migration(ops, evidence)
        )

    permitted = permit(briefing.facts, invocation.redaction.apply(reason.strip()))
    if permitted.override is not None:
        warn(f"gates are overridden: {', '.join(permitted.override.gates)}")
    with waiting(f"Migrating {found.environment.name}"):
        return apply_migration(
            briefing.plan,
            found.environment,
            operator=operator_name(),
            permit=permitted,
            record=record,
            observer=Telling(lambda line: warn(invocation.redaction.apply(line))),
        )


def _record(journal: Journal, evidence: MigrationEvidence) -> None:
    try:
        journal.write_migration(evidence)
    except BountyOpsError as error:
        raise JournalError(
            f"the migration is {evidence.outcome}, but its record could not be written: {error}",
            hint=f"Look before you apply anything again: bounty-ops db current. {error.hint}",
        ) from error
