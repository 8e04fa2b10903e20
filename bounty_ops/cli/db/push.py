"""`bounty-ops db push`: a development database made equal to the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.migrating.push import PushPlan, plan_push
from bounty_ops.migrating.push import push as carry_out

if TYPE_CHECKING:
    from rich.console import Console


@click.command("push", cls=Command)
@click.option(
    "--apply", "--yes", "apply", is_flag=True, help="Carry it out; without it only shown."
)
@click.option("--accept-data-loss", is_flag=True, help="Carry out what drops or cuts data as well.")
@pass_invocation
def push(invocation: Invocation, *, apply: bool, accept_data_loss: bool) -> None:
    """Make a development database equal to the models, without a migration.

    Only for a database on this machine that no migration manages. Without --apply the SQL is
    shown, with exit code 1 when there is any.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting("Comparing"):
            plan = plan_push(
                environment, state_dir=settings.state_dir, server=settings.verify_server
            )
        if apply and plan.differences:
            with waiting(f"Changing {environment.name}"):
                carry_out(
                    plan,
                    environment,
                    accept_data_loss=accept_data_loss,
                    state_dir=settings.state_dir,
                    server=settings.verify_server,
                )
    document = {
        "environment": plan.environment,
        "target": plan.target,
        "outcome": "nothing_to_do" if not plan.differences else "pushed" if apply else "planned",
        "differences": [each.document() for each in plan.differences],
        "statements": list(plan.statements),
        "losses": list(plan.losses),
    }
    present(invocation, document, lambda console: _draw(console, plan, applied=apply))
    if plan.differences and not apply:
        # A script must not take "only shown" for "done".
        click.get_current_context().exit(FOUND)


def _draw(console: Console, plan: PushPlan, *, applied: bool) -> None:
    if not plan.differences:
        console.print(f"{plan.environment} is what the models say: nothing to do")
        return
    for each in plan.differences:
        console.print(f"-- {each.sentence()}")
        for sql in each.sql:
            console.print(f"{sql};")
    console.print()
    for loss in plan.losses:
        console.print(f"DATA LOSS: {loss}")
    if applied:
        console.print(f"{plan.environment} ({plan.target}) is now what the models say.")
        return
    more = " --accept-data-loss" if plan.losses else ""
    console.print(
        f"Nothing was changed. To do this to {plan.target}:\n"
        f"  bounty-ops db push -e {plan.environment} --apply{more}"
    )
