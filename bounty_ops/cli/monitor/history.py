"""`bounty-ops monitor history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import clock, present, size, table
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring import Retention
from bounty_ops.monitoring.history import history_size
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.monitoring.history import HistorySize


@click.command("history", cls=Command)
@pass_invocation
def history(invocation: Invocation) -> None:
    """Show how much room samples take, and how far they go back.

    Of all environments together: they share the operations database.
    """
    with servers(invocation, ops=True) as settings:
        url = settings.require_ops_url()
        migrate_ops(url)
        with translated(url):
            found = history_size(engine(url, application_name="bounty-ops history"))
        keep = Retention.of(each.policy for each in settings.environments.values())
    document = {**found.to_json(), "keep_days": keep._asdict()}
    present(invocation, document, lambda console: draw_history(console, found, keep))


def draw_history(console: Console, found: HistorySize, keep: Retention) -> None:
    """Sizes by resolution and by environment, and what is wrong."""
    console.print(f"History takes {size(found.total_bytes)} in {found.partitions} partitions")
    rows = [
        ("as taken", size(found.samples_bytes), clock(found.samples_since), f"{keep.samples} days"),
        (
            "five minutes",
            size(found.five_minutes_bytes),
            str(found.five_minutes_since or "-"),
            f"{keep.five_minutes} days",
        ),
        (
            "an hour",
            size(found.hourly_bytes),
            str(found.hourly_since or "-"),
            f"{keep.hourly} days",
        ),
        ("names, texts", size(found.dictionaries_bytes), "", ""),
    ]
    console.print(table(("STEPS", ">SIZE", "SINCE", ">KEPT FOR"), rows))
    if found.by_environment:
        shares = [(name, size(share)) for name, share in found.by_environment.items()]
        console.print(table(("ENVIRONMENT", ">ABOUT"), shares))
    for name, days in found.in_default.items():
        console.print(
            f"warning: {name} holds rows of {', '.join(map(str, days))}, "
            "which no partition was made for; the next collection moves what is not in the future"
        )
