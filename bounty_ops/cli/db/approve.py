"""`bounty-ops db approve`: somebody else's word that a plan may be carried out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import clock, present, shown
from bounty_ops.cli.db.briefed import briefed
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import MigrationError
from bounty_ops.journal.evidence import Approval
from bounty_ops.journal.ids import new_id
from bounty_ops.journal.permits import write_approval
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.migrating import MigrationPlan


@click.command("approve", cls=Command)
@click.argument("digest", metavar="DIGEST")
@click.option("--reason", metavar="TEXT", default="", help="Why, or what was looked at.")
@pass_invocation
def approve(invocation: Invocation, *, digest: str, reason: str) -> None:
    """Approve the plan with this digest, for somebody else to apply.

    The digest has to be that of the present plan, as `db plan` prints it: what nobody can read
    any more, nobody can approve. Where `migrate_second_person` is set, whoever applies the plan
    has to be somebody else.
    """
    with (
        servers(invocation, database=True) as settings,
        briefed(invocation, settings, bucket=True) as found,
    ):
        plan = found.briefing.plan
        _require_present(plan, digest)
        now = datetime.now(UTC)
        approval = Approval(
            id=new_id(now),
            environment=plan.environment,
            digest=digest,
            approved_by=operator_name(),
            approved_at=now,
            reason=invocation.redaction.apply(reason.strip()),
        )
        write_approval(ObjectStore(found.settings.require_object_store()), approval)

    def render(console: Console) -> None:
        console.print(
            f"{approval.approved_by} approved on {clock(approval.approved_at)} the plan for "
            f"{approval.environment} from {shown(plan.current)} to {plan.head}"
        )
        console.print(f"record {approval.id}\ndigest {approval.digest}")

    document = {
        "id": approval.id,
        "environment": approval.environment,
        "digest": approval.digest,
        "approved_by": approval.approved_by,
        "approved_at": approval.approved_at,
        "reason": approval.reason,
    }
    present(invocation, document, render)


def _require_present(plan: MigrationPlan, digest: str) -> None:
    if not plan.pending:
        raise MigrationError(
            f"nothing is pending for {plan.environment}: there is nothing to approve",
            hint=f"It is at {plan.current}; bounty-ops db history -e {plan.environment} shows how.",
        )
    if digest != plan.digest:
        raise MigrationError(
            f"the plan for {plan.environment} has another digest; nothing was approved",
            hint="Something was migrated or deployed since, or the digest is mistyped. Read the "
            f"plan: bounty-ops db plan -e {plan.environment}",
        )
