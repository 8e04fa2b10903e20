"""`bounty-ops db drift`: where a database is not what it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from bounty_ops.cli.console import present, shown
from bounty_ops.cli.db.target import DATABASE_URL_HELP, database_of
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.shared import Command
from bounty_ops.migrating.drift import Against, DriftReport, drift_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.migrating.drift import Difference


@click.command("drift", cls=Command)
@click.option(
    "--against",
    type=click.Choice(["models", "migrations", "both"]),
    default="both",
    show_default=True,
    help="What the database should be like: the models, or what its own revision made it. With "
    "`both` it is the latter, and models and migrations are compared with each other too.",
)
@click.option("--database-url", metavar="URL", help=DATABASE_URL_HELP)
@click.option("--sql", is_flag=True, help="Print the statements that settle the differences.")
@click.option("--grants", is_flag=True, help="Compare owners and grants too.")
@pass_invocation
def drift(
    invocation: Invocation, *, against: str, database_url: str | None, sql: bool, grants: bool
) -> None:
    """Compare a database with its models and migrations, object by object.

    Exit code 1 when there is a difference. Nothing is changed: the SQL that settles each
    difference is shown, to become a revision.
    """
    with (
        database_of(invocation, database_url) as (settings, url, name),
        waiting("Comparing"),
    ):
        report = drift_at(
            url,
            against=cast("Against", against),
            grants=grants,
            state_dir=settings.state_dir,
            server=settings.verify_server,
        )

    def draw(console: Console) -> None:
        draw_report(console, report, name, sql=sql)

    document = {"environment": None if database_url else name, **report.document()}
    present(invocation, document, draw)
    if report.drifted:
        click.get_current_context().exit(FOUND)


def draw_report(console: Console, report: DriftReport, name: str, *, sql: bool) -> None:
    """The report for people."""
    if sql:
        for each in report.differences:
            console.print(f"-- {each.sentence()}")
            for statement in each.sql:
                console.print(f"{statement};")
        return
    should = "its models" if report.against == "models" else report.revision or report.head
    if report.drifted:
        console.print(f"{shown(name)} is not what {should} says:")
        draw_differences(console, report.differences)
        console.print("\nThe SQL that settles it: add --sql.")
    else:
        console.print(f"{shown(name)} is what {should} says.")
    if report.pending:
        console.print(f"pending: {', '.join(report.pending)}")
    if report.models_and_migrations:
        console.print(
            "\nThe models declare something else than the migrations lead to; "
            "`bounty-ops db generate` writes the revision:"
        )
        draw_differences(console, report.models_and_migrations)


def draw_differences(console: Console, differences: Sequence[Difference]) -> None:
    """One line each."""
    for each in differences:
        console.print(f"  {each.sentence()}")
