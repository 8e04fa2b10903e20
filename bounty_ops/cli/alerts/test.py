"""`bounty-ops alerts test`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.alerting.trying_out import try_channels
from bounty_ops.cli.console import present, shown, state, table
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import ConfigurationError
from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.alerting.trying_out import Tried
    from bounty_ops.environments import Environment


@click.command("test", cls=Command)
@pass_invocation
def test(invocation: Invocation) -> None:
    """Send a test's beginning and its end to every channel of the environment.

    Both go through the outbox, as any alert does. Exit code 1: a channel did not take them.
    """
    with servers(invocation, ops=True) as settings:
        environment = settings.environment(invocation.environment)
        _require_a_channel(environment)
        url = settings.require_ops_url()
        with waiting(f"Telling the channels of {environment.name}"), translated(url):
            migrate_ops(url)
            operations = engine(url, application_name="bounty-ops alerts test")
            tried = try_channels(operations, environment, now=datetime.now(UTC))
    present(
        invocation,
        {
            "environment": environment.name,
            "channels": [asdict(each) | {"works": each.works} for each in tried],
        },
        lambda console: _draw(console, tried),
    )
    if not all(each.works for each in tried):
        click.get_current_context().exit(FOUND)


def _require_a_channel(environment: Environment) -> None:
    if not environment.alert_urls:
        variables = environment.policy.channels
        raise ConfigurationError(
            f"environment {environment.name} has no alert channel",
            hint=f"Write {variables[0] if variables else 'ALERT_URL'}=... into "
            f".env.{environment.name}; docs/reference/delivery.md lists what it may be.",
        )


def _draw(console: Console, tried: Sequence[Tried]) -> None:
    rows = [
        (
            state("ok" if each.works else "failed"),
            each.name,
            "taken" if each.fired else "not taken",
            "taken" if each.resolved else "not taken",
            shown(each.problem),
        )
        for each in tried
    ]
    console.print(table(("STATE", "CHANNEL", "BEGINNING", "END", "ITS ANSWER"), rows))
