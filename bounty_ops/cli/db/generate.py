"""`bounty-ops db generate`: revisions from the difference between models and migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, shown, table, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.migrating.generate import (
    Generated,
    draft_revisions,
    pending_differences,
    write_revisions,
)
from bounty_ops.migrating.lineage import BOUNTY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from bounty_ops.migrating.drift import Difference


@click.command("generate", cls=Command)
@click.option("-m", "--message", metavar="TEXT", help="What changes, in a few words.")
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="OLD:NEW",
    help="table.old:new, old_table:new_table or enum.old_label:new_label. Without it a new name "
    "is a new thing, and the old one is dropped. May be repeated.",
)
@click.option(
    "--fill",
    "fills",
    multiple=True,
    metavar="TABLE.COLUMN=SQL",
    help="The value of the rows that are there, for a column that becomes required. May be "
    "repeated.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when the models are ahead.")
@pass_invocation
def generate(
    invocation: Invocation,
    *,
    message: str | None,
    renames: tuple[str, ...],
    fills: tuple[str, ...],
    check: bool,
) -> None:
    """Write the revisions that bring the migrations to the models.

    What would block is written as a sequence that does not. Each revision has its SQL beside it,
    with the lock and the risk of every statement. Before anything is written, all of it has been
    run forward, back and forward again on a throw-away server.
    """
    settings = read_settings(invocation)
    if check:
        with waiting("Comparing"):
            found = pending_differences(BOUNTY, state_dir=settings.state_dir)
        _answer_check(invocation, found)
        return
    if not message:
        raise UsageError(
            "a revision needs a message", hint='Add -m "what changes", or --check to write nothing.'
        )
    with waiting("Comparing, writing and trying out"):
        made = draft_revisions(BOUNTY, message, renames=renames, fills=read_fills(fills))
    paths = write_revisions(made, BOUNTY.directory())
    for note in made.notes:
        warn(note)
    document = {
        "outcome": "written" if made.drafts else "nothing_to_do",
        "revisions": [
            {
                "revision": draft.revision,
                "message": draft.title,
                "risk": draft.risk,
                "files": [str(path) for path in paths if path.name.startswith(draft.revision)],
                "steps": [
                    {"sql": step.sql, "lock": step.lock, "table": step.table, "risk": step.risk}
                    for step in draft.steps
                ],
            }
            for draft in made.drafts
        ],
        "differences": [each.document() for each in made.differences],
        "notes": list(made.notes),
    }
    present(invocation, document, lambda console: _draw(console, made, paths))


def read_fills(wishes: Sequence[str]) -> dict[str, str]:
    """What stands behind --fill; raises UsageError."""
    fills = {}
    for wish in wishes:
        place, sign, value = wish.partition("=")
        if not sign or not value.strip() or place.count(".") != 1:
            raise UsageError(
                f"--fill {wish!r} names no column and value",
                hint="Write table.column=EXPRESSION, such as --fill \"bounty.kind='open'\".",
            )
        fills[place.strip()] = value.strip()
    return fills


def _answer_check(invocation: Invocation, found: Sequence[Difference]) -> None:
    def draw(console: Console) -> None:
        if not found:
            console.print("The migrations lead to what the models say.")
            return
        console.print("The models are ahead of the migrations:")
        for each in found:
            console.print(f"  {each.sentence()}")
        console.print('\nWrite the revision: bounty-ops db generate -m "what changes"')

    document = {
        "outcome": "pending" if found else "nothing_to_do",
        "revisions": [],
        "differences": [each.document() for each in found],
        "notes": [],
    }
    present(invocation, document, draw)
    if found:
        click.get_current_context().exit(FOUND)


def _draw(console: Console, made: Generated, paths: Sequence[Path]) -> None:
    if not made.drafts:
        console.print("The migrations lead to what the models say: nothing to write")
        return
    rows = [(draft.revision, shown(draft.risk), draft.title) for draft in made.drafts]
    console.print(table(("REVISION", "RISK", "WHAT"), rows))
    console.print()
    for path in paths:
        console.print(str(path))
    console.print(
        "\nTried out: forward, back and forward again on an empty database. Read the SQL, lint it "
        "(bounty-ops db lint), commit it."
    )
