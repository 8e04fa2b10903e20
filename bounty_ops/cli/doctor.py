"""`bounty-ops doctor`: named checks with remedies."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.console import console, present, shown, state, table
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.doctor import State, examine
from bounty_ops.doctor.names import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import Settings

_TITLES: Final = ("STATE", "CHECK", "OF", "WHAT WAS FOUND")


@click.command("doctor", cls=Command)
@pass_invocation
def doctor(invocation: Invocation) -> None:
    """Check settings, databases, programs, bucket and disk, and say how to mend.

    With -e, that environment only. Exit code 1: at least one check failed.
    """
    settings = read_settings(invocation)
    if invocation.environment is not None:
        settings.environment(invocation.environment)  # an unknown one is a wrong usage
    coming = examine(
        settings,
        only=invocation.environment,
        learn=invocation.redaction.learn,
        variables=os.environ,
    )
    if invocation.json:
        with waiting("Examining"):
            results = list(coming)
        present(invocation, [asdict(each) for each in results], lambda _: None)
    else:
        results = _tell(coming, settings)
    if any(result.state is State.FAILED for result in results):
        click.get_current_context().exit(FOUND)


def _tell(coming: Iterable[CheckResult], settings: Settings) -> list[CheckResult]:
    """Print each answer as it comes, and the remedies of all in the end."""
    screen = console()
    widths = _widths(settings)
    screen.print(_lines(_TITLES, widths))
    results = []
    for each in coming:
        row = (state(each.state), each.name, each.subject, shown(each.cause))
        screen.print(_lines(_TITLES, widths, row))
        screen.file.flush()  # a pipe would be told all at once, in the end
        results.append(each)
    _draw_remedies(results)
    return results


def _widths(settings: Settings) -> tuple[int, ...]:
    """Of all columns but the last: nobody knows yet what will stand there."""
    names = [name for checks in CHECKS.values() for name in checks]
    subjects = [*CHECKS, *settings.environments]
    return tuple(max(map(len, words)) for words in (list(State), names, subjects))


def _lines(
    titles: Sequence[str], widths: Sequence[int], row: Sequence[object] | None = None
) -> Table:
    drawn = table(titles, () if row is None else (row,))
    drawn.show_header = row is None
    for column, width in zip(drawn.columns, widths, strict=False):
        column.width = width
    return drawn


def _draw_remedies(results: Sequence[CheckResult]) -> None:
    screen = console()
    wrong = [result for result in results if result.remedy]
    if wrong:
        screen.print()
    said: set[tuple[str, str | None]] = set()
    for result in wrong:
        # What one failure leaves unknown has one remedy, which need not be read ten times.
        if (result.subject, result.remedy) not in said:
            screen.print(f"{result.name} of {result.subject}: {shown(result.remedy)}")
        said.add((result.subject, result.remedy))
