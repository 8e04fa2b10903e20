"""`bounty-ops monitor collect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.monitor import answer
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.monitoring import Retention, maintain, recall, store_collection
from bounty_ops.monitoring import collect as collect_from

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.environments import Settings
    from bounty_ops.monitoring import CollectionResult


@click.command("collect", cls=Command)
@click.option("--no-store", is_flag=True, help="Only show the numbers; keep no samples.")
@pass_invocation
def collect(invocation: Invocation, *, no_store: bool) -> None:
    """Measure connections, queries, tables and indexes.

    The numbers are kept as samples in the operations database.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        memory: dict[str, bytes] = {}
        # Statements are accounted for since the collection before; where that cannot be asked for,
        # this one cannot be kept either.
        kept = not no_store and note(
            invocation,
            settings,
            "the samples",
            lambda ops: memory.update(recall(ops, environment.name)),
        )
        with waiting(f"Measuring {environment.name}"):
            result = collect_from(environment, memory=memory)
        if kept:
            note(invocation, settings, "the samples", lambda ops: _keep(ops, settings, result))
    present(invocation, result.to_json(), lambda console: answer.draw_collection(console, result))


def _keep(ops: Engine, settings: Settings, result: CollectionResult) -> None:
    store_collection(ops, result)
    maintain(ops, Retention.of(each.policy for each in settings.environments.values()))
