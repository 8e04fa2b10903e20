"""`bounty-ops db seed`."""

from __future__ import annotations

import click

from bounty_ops.cli.console import present, span
from bounty_ops.cli.db.amount import amount_options
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import count_progress
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.seeding import choose_rows
from bounty_ops.seeding import seed as seed_database


@click.command("seed", cls=Command)
@amount_options
@pass_invocation
def seed(
    invocation: Invocation,
    *,
    profile: str | None,
    scale: float | None,
    rows: int | None,
    number: int,
) -> None:
    """Fill an empty, unprotected database with sample data.

    The data is made up, refers to itself validly, and covers all tables. It is there as a whole
    or not at all.
    """
    total = choose_rows(profile, rows=rows, scale=scale)
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with count_progress(f"Seeding {environment.name}", total) as advance:
            result = seed_database(environment, rows=total, seed=number, progress=advance)
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
