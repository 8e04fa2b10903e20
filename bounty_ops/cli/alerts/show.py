"""`bounty-ops alerts show`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bounty_ops.alerting.register import incident, messages
from bounty_ops.cli.alerts.register import NUMBER, operations
from bounty_ops.cli.console import clock, present, shown, state, table
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.shared import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.alerting.register import IncidentShown, SentMessage


@click.command("show", cls=Command)
@click.argument("identity", metavar="ID", type=NUMBER)
@pass_invocation
def show(invocation: Invocation, identity: int) -> None:
    """Show one incident: what is wrong, what to do, and who was told."""
    with operations(invocation) as engine:
        found = incident(engine, identity)
        sent = messages(engine, identity)
    document = {**asdict(found), "messages": [asdict(each) for each in sent]}
    present(invocation, document, lambda console: _draw(console, found, sent))


def _draw(console: Console, found: IncidentShown, sent: Sequence[SentMessage]) -> None:
    line = state(found.severity)
    line.append(f": {shown(found.title)}", style="default")
    console.print(line)
    for paragraph in found.body.splitlines():
        console.print(f"    {shown(paragraph)}")
    console.print()
    facts = [
        ("incident", f"{found.id}, {found.state}"),
        ("rule", f"{found.rule} of {found.subject}, in {found.environment}"),
        ("seen", f"from {clock(found.opened_at)} to {clock(found.last_seen_at)}"),
        ("fired", clock(found.fired_at)),
        ("resolved", clock(found.resolved_at)),
    ]
    if found.flapping_since:
        facts.append(("flapping", f"since {clock(found.flapping_since)}"))
    if found.withheld:
        facts.append(("kept quiet", found.withheld))
    if found.acknowledged_by:
        note = f": {found.acknowledgement}" if found.acknowledgement else ""
        facts.append(
            ("acknowledged", f"{clock(found.acknowledged_at)} by {found.acknowledged_by}{note}")
        )
    drawn = table(("", ""), facts)
    drawn.show_header = False
    console.print(drawn)
    _draw_messages(console, sent)


def _draw_messages(console: Console, sent: Sequence[SentMessage]) -> None:
    if not sent:
        return
    console.print()
    console.print("MESSAGES", style="bold")
    rows = [
        (
            str(each.id),
            each.change,
            clock(each.created_at),
            ", ".join(f"{one.channel} {one.state}" for one in each.deliveries) or "no channel yet",
            "; ".join(one.last_error for one in each.deliveries if one.last_error) or "-",
        )
        for each in sent
    ]
    console.print(table((">ID", "CHANGE", "WHEN", "CHANNELS", "LAST ERROR"), rows))
