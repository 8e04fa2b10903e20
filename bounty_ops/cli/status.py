"""`bounty-ops status`: where every environment stands, from the databases and the bucket."""

from __future__ import annotations

from dataclasses import asdict

import click

from bounty_ops.cli.answer_status import draw_status
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.standing import standings


@click.command("status", cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show where every environment stands: revision, drift, last backup and proof, incidents.

    With -e, that environment only. All are asked at the same time; what does not answer within 30
    seconds is unknown.
    """
    settings, only = read_settings(invocation), invocation.environment
    # Not for the default environment: a deployment may see others alone.
    embedded = only is None or settings.environment(only).can_be_embedded
    with stand_in(settings, database=embedded) as complete, waiting("Looking"):
        invocation.redaction.learn(complete)
        found = standings(complete, only)
    present(
        invocation,
        [asdict(standing) for standing in found],
        lambda console: draw_status(console, found),
    )
