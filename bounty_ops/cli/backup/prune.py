"""`bounty-ops backup prune`: show what the rules let go, and delete it when told to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.backup.prune import Pruned, carry_out_prune, plan_prune, require_digest
from bounty_ops.backup.retention import has_rules
from bounty_ops.cli.backup import answer_keeping as answer
from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import count_progress, waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import forget_backups
from bounty_ops.journal.pins import is_pinned
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from bounty_ops.backup.prune import PrunePlan
    from bounty_ops.environments import Environment, Settings


@click.command("prune", cls=Command)
@click.option("--apply", "digest", metavar="DIGEST", help="Carry out the plan with this digest.")
@click.option("--copies", is_flag=True, help="Prune the second bucket, by the same rules.")
@click.option(
    "--most-share",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="The share of all backups that may go, instead of the policy's prune_most_share.",
)
@pass_invocation
def prune(
    invocation: Invocation, *, digest: str | None, copies: bool, most_share: float | None
) -> None:
    """Show which backups the keep_* rules let go.

    Nothing is deleted without --apply and the digest that the plan printed. Exit code 1: the plan
    is refused, or something of it stayed.
    """
    with servers(invocation, bucket=True) as settings:
        environment = settings.environment(invocation.environment)
        if environment.problem is not None:
            environment.require_url()  # its policy may be the one that could not be read
        journal, pinned_elsewhere = _bucket(settings, environment, copies=copies)
        now = datetime.now(UTC)
        with waiting("Planning"):
            plan = plan_prune(
                environment,
                journal,
                now=now,
                most_share=most_share,
                pinned_elsewhere=pinned_elsewhere,
            )
        if digest is None:
            _answer_plan(invocation, environment, plan, copies=copies, most_share=most_share)
            return
        require_digest(plan, digest)
        pruned = Pruned()
        try:
            with count_progress("Deleting", len(plan.retention.delete)) as advance:
                carry_out_prune(
                    plan,
                    journal,
                    by=operator_name(),
                    now=now,
                    pinned_elsewhere=pinned_elsewhere,
                    result=pruned,
                    progress=advance,
                )
        except BaseException:
            if pruned.deleted:
                count = len(plan.retention.delete)
                warn(f"{len(pruned.deleted)} of {count} backups were deleted before that")
            raise
        finally:
            if pruned.deleted and not copies:
                what = "that backups were deleted"
                note(invocation, settings, what, lambda ops: forget_backups(ops, pruned.deleted))
    present(
        invocation,
        answer.plan_document(plan, "pruned" if pruned.deleted else "nothing_to_do", pruned),
        lambda console: answer.draw_pruned(console, plan, pruned),
    )
    if pruned.spared or pruned.problems:
        click.get_current_context().exit(FOUND)


def _bucket(
    settings: Settings, environment: Environment, *, copies: bool
) -> tuple[Journal, Callable[[str], bool]]:
    """The bucket to prune, and whether a backup is pinned in the other one."""
    first = ObjectStore(settings.require_object_store())
    if not copies:
        return Journal(first), lambda _id: False
    second = ObjectStore(settings.require_copy_object_store())
    # Its pins hold for copies too. And with the originals away, the copies are all there is.
    first.check()
    return Journal(second), lambda backup_id: is_pinned(first, environment.name, backup_id)


def _answer_plan(
    invocation: Invocation,
    environment: Environment,
    plan: PrunePlan,
    *,
    copies: bool,
    most_share: float | None,
) -> None:
    refused = plan.retention.refused is not None
    outcome = "refused" if refused else "planned" if plan.retention.delete else "nothing_to_do"

    def draw(console: Console) -> None:
        answer.draw_plan(console, plan)
        if not has_rules(environment.policy):
            console.print(
                "No rule says how many to keep, so all stay: set keep_daily and others in "
                "bounty_ops.toml (docs/reference/retention.md)."
            )
        elif refused:
            console.print(f"Nothing can be deleted like this. {plan.remedy}")
        elif plan.retention.delete:
            more = " --copies" if copies else ""
            more += "" if most_share is None else f" --most-share {most_share:g}"
            console.print(
                "Nothing was deleted. To carry this plan out:\n"
                f"  bounty-ops backup prune -e {plan.environment}{more} --apply {plan.digest}"
            )

    present(invocation, answer.plan_document(plan, outcome), draw)
    if refused:
        click.get_current_context().exit(FOUND)
