"""`bounty-ops doctor`: named checks with remedies."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, shown, state, table
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.doctor import State, examine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.doctor import CheckResult


@click.command("doctor", cls=Command)
@pass_invocation
def doctor(invocation: Invocation) -> None:
    """Check settings, databases, programs, bucket and disk, and say how to mend.

    With -e, that environment only. Exit code 1: at least one check failed.
    """
    settings = read_settings(invocation)
    if invocation.environment is not None:
        settings.environment(invocation.environment)  # an unknown one is a wrong usage
    with waiting("Examining"):
        results = examine(
            settings,
            only=invocation.environment,
            learn=invocation.redaction.learn,
            variables=os.environ,
        )
    present(
        invocation,
        [asdict(result) for result in results],
        lambda console: _draw(console, results),
    )
    if any(result.state is State.FAILED for result in results):
        click.get_current_context().exit(FOUND)


def _draw(console: Console, results: Sequence[CheckResult]) -> None:
    rows = [
        (state(result.state), result.name, result.subject, shown(result.cause))
        for result in results
    ]
    console.print(table(("STATE", "CHECK", "OF", "WHAT WAS FOUND"), rows))
    wrong = [result for result in results if result.remedy]
    if wrong:
        console.print()
    said: set[tuple[str, str | None]] = set()
    for result in wrong:
        # What one failure leaves unknown has one remedy, which need not be read ten times.
        if (result.subject, result.remedy) not in said:
            console.print(f"{result.name} of {result.subject}: {shown(result.remedy)}")
        said.add((result.subject, result.remedy))
