"""`bounty-ops db refresh`: a masked copy of one environment in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.backup import restore_answer
from bounty_ops.cli.backup.restore import show_done
from bounty_ops.cli.backup.restore_progress import restore_progress
from bounty_ops.cli.console import present, shown
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore.plan import Wishes
from bounty_ops.restore.refresh import RefreshPlan, plan_refresh
from bounty_ops.restore.refresh import refresh as carry_out

if TYPE_CHECKING:
    from rich.console import Console


@click.command("refresh", cls=Command)
@click.argument("target", metavar="TARGET")
@click.option(
    "--from", "source", metavar="SOURCE", required=True, help="The environment to copy from."
)
@click.option("--dry-run", is_flag=True, help="Show the plan; change nothing.")
@click.option(
    "--apply",
    "digest",
    metavar="DIGEST",
    help="Carry out exactly the plan with this digest (asked for by a target that is in use or "
    "not empty, and when columns are reported). Sessions of the target are ended then.",
)
@click.option(
    "--no-owner",
    is_flag=True,
    help="Everything belongs to the role that restores, and privileges are left away.",
)
@click.option("--create-roles", is_flag=True, help="Create missing roles, which cannot log in.")
@pass_invocation
def refresh(
    invocation: Invocation,
    target: str,
    *,
    source: str,
    dry_run: bool,
    digest: str | None,
    no_owner: bool,
    create_roles: bool,
) -> None:
    """Put a masked copy of one environment into another.

    The last proved backup of SOURCE is restored beside TARGET, compared, masked by the rules of
    [masking] in bounty_ops.toml, and only then takes its name. Production, and whatever is
    protected, is never the target.
    """
    if dry_run and digest is not None:
        raise UsageError(
            "--dry-run and --apply exclude each other",
            hint="Leave --apply away to see the plan, or --dry-run to carry it out.",
        )
    settings = read_settings(invocation)
    embedded = settings.environment(target).can_be_embedded if "://" not in target else False
    with stand_in(settings, database=embedded, ops=False, bucket=True) as complete:
        invocation.redaction.learn(complete)
        journal = Journal(ObjectStore(complete.require_object_store()))
        wishes = Wishes(no_owner=no_owner, create_roles=create_roles)
        with waiting("Looking at the target"):
            plan = plan_refresh(complete, target, source, journal, wishes)
        if dry_run or (plan.needs_digest and digest is None):
            _show(invocation, plan, source, wishes, dry_run=dry_run)
            return
        with restore_progress(plan.restore.size_bytes) as watching:
            done = carry_out(
                plan,
                journal,
                operator=operator_name(),
                digest=digest,
                work_dir=complete.state_dir / "work",
                identities=complete.age_identities,
                watching=watching,
            )
    show_done(invocation, plan.restore, done)


def _show(
    invocation: Invocation, plan: RefreshPlan, source: str, wishes: Wishes, *, dry_run: bool
) -> None:
    document = restore_answer.plan_document(plan.restore, "planned") | {
        "needs_digest": plan.needs_digest,
        "masked": [{"column": ".".join(one.key), "rule": one.rule} for one in plan.masking.columns],
        "reported": list(plan.masking.reported),
    }
    options = "".join(
        f" {option}"
        for option, wished in (
            ("--no-owner", wishes.no_owner),
            ("--create-roles", wishes.create_roles),
        )
        if wished
    )
    again = f"bounty-ops db refresh {plan.target.name} --from {source}{options}"

    def draw(console: Console) -> None:
        restore_answer.draw_plan(console, plan.restore)
        masking = plan.masking
        console.print(f"Masked: {len(masking.columns)} columns of {len(masking.tables)} tables")
        for name in masking.reported:
            console.print(
                f"  report   {shown(name)} may hold personal data and has no rule: it stays as it "
                "is, unless [masking] says otherwise"
            )
        console.print(f"digest {plan.digest}")
        if plan.needs_digest:
            console.print(
                f"Nothing was changed. To carry this plan out:\n  {again} --apply {plan.digest}"
            )

    present(invocation, document, draw)
    if plan.needs_digest and not dry_run:
        click.get_current_context().exit(FOUND)
