"""`bounty-ops db seed`."""

from __future__ import annotations

import click

from bounty_ops.cli.console import present, span
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import count_progress
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.seeding import DEFAULT_SEED, MINIMUM_ROWS
from bounty_ops.seeding import seed as seed_database

_DEFAULT_ROWS = 20_000


@click.command("seed", cls=Command)
@click.option(
    "--rows",
    type=click.IntRange(min=MINIMUM_ROWS),
    default=_DEFAULT_ROWS,
    show_default=True,
    help="How many rows to write, over all tables together.",
)
@click.option(
    "--seed",
    "number",
    type=click.IntRange(min=0),
    default=DEFAULT_SEED,
    show_default=True,
    help="The same number gives the same rows.",
)
@pass_invocation
def seed(invocation: Invocation, *, rows: int, number: int) -> None:
    """Fill an empty, unprotected database with sample data.

    The data is made up, refers to itself validly, and covers all tables.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with count_progress(f"Seeding {environment.name}", rows) as advance:
            result = seed_database(environment, rows=rows, seed=number, progress=advance)
    document = {
        "environment": environment.name,
        "rows": dict(result.rows),
        "total": result.total,
        "seconds": result.seconds,
        "seed": result.seed,
    }
    present(
        invocation,
        document,
        lambda console: console.print(
            f"Wrote {result.total:,} rows into {len(result.rows)} tables of {environment.name} "
            f"in {span(result.seconds)}"
        ),
    )
