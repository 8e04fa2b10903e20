"""`bounty-ops db adopt`: take over a database that Drizzle, or somebody's hand, has made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, shown
from bounty_ops.cli.db.drift import draw_differences
from bounty_ops.cli.db.target import DATABASE_URL_HELP, database_of
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.shared import Command
from bounty_ops.environments import Environment, Policy
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.migrating.adopt import Adoption
from bounty_ops.migrating.adopt import adopt as carry_out
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.journal.evidence import MigrationEvidence

_UNNAMED = "adopted"


@click.command("adopt", cls=Command)
@click.option("--database-url", metavar="URL", help=DATABASE_URL_HELP)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write a reconcile revision (default: among the migration files).",
)
@click.option(
    "--fill",
    "fills",
    metavar="TABLE.COLUMN=EXPRESSION",
    multiple=True,
    help="What rows get in a column that the database lacks and that is required; repeatable.",
)
@pass_invocation
def adopt(
    invocation: Invocation,
    *,
    database_url: str | None,
    output: Path | None,
    fills: tuple[str, ...],
) -> None:
    """Take over a database that Drizzle manages, or that was changed by hand.

    If it is what a revision leads to, that is recorded in our own schema of it, and nothing else is
    touched. If not, a reconcile revision is written and nothing is recorded (exit code 1): read it,
    put it among the migration files, adopt again, and apply it like every other revision.
    """
    values = dict(_fill(each) for each in fills)
    with database_of(invocation, database_url) as (settings, url, name):
        chosen = (
            Environment(_UNNAMED, url, Policy())
            if database_url
            else settings.environment(invocation.environment)
        )
        with waiting("Comparing"):
            adoption = carry_out(
                chosen,
                operator=operator_name(),
                output=output,
                fills=values,
                record=None if database_url else _recorder(settings),
                state_dir=settings.state_dir,
                server=settings.verify_server,
            )
    present(invocation, adoption.document(), lambda console: _draw(console, adoption, name))
    if adoption.outcome == "reconcile":
        click.get_current_context().exit(FOUND)


def _fill(given: str) -> tuple[str, str]:
    place, _, expression = given.partition("=")
    if "." not in place or not expression:
        raise UsageError(
            f"--fill {given} does not name a column and a value",
            hint="Give it as table.column=EXPRESSION, such as --fill bounty.title=\"''\".",
        )
    return place, expression


def _recorder(settings: Settings) -> Callable[[MigrationEvidence], None] | None:
    """Where there is a bucket the stamp leaves a record in it."""
    if settings.object_store is None:
        return None
    journal = Journal(ObjectStore(settings.object_store))

    def record(evidence: MigrationEvidence) -> None:
        journal.write_migration(evidence)

    return record


def _draw(console: Console, adoption: Adoption, name: str) -> None:
    if adoption.drizzle is not None:
        count = len(adoption.drizzle.hashes)
        console.print(f"Drizzle has applied {count} of its own migrations here; they stay as is.")
    if adoption.outcome == "stamped":
        console.print(f"{shown(name)} is at {adoption.revision}.")
        if adoption.pending:
            console.print(f"pending: {', '.join(adoption.pending)}; see `bounty-ops db plan`.")
        return
    console.print(f"{shown(name)} is not what the migrations lead to:")
    draw_differences(console, adoption.differences)
    console.print("\nNothing was recorded. Written, to be read:")
    for path in adoption.files:
        console.print(f"  {path}")
    for note in adoption.notes:
        console.print(f"note: {shown(note)}")
    console.print(
        "\nPut them among the migration files, adopt again, then plan and apply as always."
    )
