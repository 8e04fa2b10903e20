"""`bounty-ops db plan`: what a migration would do, and what stands in its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.db import answer, draw
from bounty_ops.cli.db.briefed import briefed
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command

if TYPE_CHECKING:
    from rich.console import Console


@click.command("plan", cls=Command)
@pass_invocation
def plan(invocation: Invocation) -> None:
    """Show what a migration would do, and what stands in its way.

    Per pending revision: its SQL, what the linter says, the tables it touches with their present
    size, the lock and the duration to expect; then every gate with its state and what to do; then
    the digest that stands for all of it. Nothing is changed.
    """
    with (
        servers(invocation, database=True) as settings,
        briefed(invocation, settings) as found,
    ):
        briefing = found.briefing

    def render(console: Console) -> None:
        draw.draw_plan(console, briefing)
        if briefing.ready and briefing.facts.policy.protected:
            environment, digest = briefing.plan.environment, briefing.plan.digest
            console.print(
                f"To apply it:\n  bounty-ops db migrate -e {environment} --apply {digest}"
            )

    present(invocation, answer.plan_document(briefing), render)
