"""`bounty-ops alerts ack`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from bounty_ops.alerting.register import acknowledge
from bounty_ops.cli.alerts.register import NUMBER, operations
from bounty_ops.cli.console import present, shown
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.shared import Command


@click.command("ack", cls=Command)
@click.argument("identity", metavar="ID", type=NUMBER)
@click.option("--note", metavar="TEXT", default="", help="What is being done about it.")
@pass_invocation
def ack(invocation: Invocation, identity: int, *, note: str) -> None:
    """Say that you are at an incident: it is not repeated any more.

    Its end is told all the same, and so is that it grows graver.
    """
    with operations(invocation) as engine:
        found = acknowledge(
            engine,
            identity,
            by=operator_name(),
            note=invocation.redaction.apply(note.strip()),
            now=datetime.now(UTC),
        )
    present(
        invocation,
        asdict(found),
        lambda console: console.print(
            f"Acknowledged incident {found.id}, {shown(found.title)}: no more reminders"
        ),
    )
