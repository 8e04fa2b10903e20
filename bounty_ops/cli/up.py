"""`bounty-ops up`: the local stack until Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from rich.text import Text

from bounty_ops.cli.console import console as make_console
from bounty_ops.cli.console import present, shown, table
from bounty_ops.cli.dagster_client import DagsterClient
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import start_stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from bounty_ops.embedded import Stack


@click.command("up", cls=Command)
@click.option("--no-ui", is_flag=True, help="Only databases and bucket, without Dagster.")
@pass_invocation
def up(invocation: Invocation, *, no_ui: bool) -> None:
    """Run the local stack with the Dagster UI until Ctrl-C.

    What is set by DATABASE_URL, OPS_DATABASE_URL and BACKUP_BUCKET is used; local servers stand in
    for the rest. They listen on the loopback address only. Other commands use them while it runs.
    """
    settings = read_settings(invocation)
    chosen = settings.environment(invocation.environment).name  # an unknown one is a wrong usage
    began = time.time()
    with start_stack(settings, dagster=not no_ui, say=_teller(invocation)) as stack:
        invocation.redaction.learn(stack.settings)
        if stack.ui_url is not None:
            dagster = DagsterClient(stack.ui_url)
            dagster.jobs()  # before that, the UI would say that the definitions cannot be reached
            dagster.bury_orphans(before=began)
        present(invocation, _document(stack, chosen), lambda console: _draw(console, stack, chosen))
        stack.wait()


def _teller(invocation: Invocation) -> Callable[[str], None]:
    def tell(line: str) -> None:
        if not invocation.json:
            make_console(stderr=True).print(shown(line), style="dim")

    return tell


def _document(stack: Stack, chosen: str) -> dict[str, object]:
    settings = stack.settings
    url = settings.environment(chosen).url
    store = settings.object_store
    return {
        "ui": stack.ui_url,
        "database": url.redacted() if url else None,
        "ops_database": settings.ops_url.redacted() if settings.ops_url else None,
        "bucket": store.location.uri() if store else None,
        "s3_endpoint": store.endpoint_url if store else None,
    }


def _draw(console: Console, stack: Stack, chosen: str) -> None:
    found = _document(stack, chosen)
    bucket = f"{shown(found['bucket'])} at {found['s3_endpoint'] or 'AWS'}"
    lines = table(
        ("", ""),
        [
            ("Dagster UI", found["ui"] or "not started (--no-ui)"),
            ("database", found["database"]),
            (Text(), f"with its password: bounty-ops db url -e {chosen} --show-password"),
            ("operations", found["ops_database"]),
            ("bucket", bucket),
        ],
    )
    lines.show_header = False
    console.print()
    console.print(lines)
    console.print("\nCtrl-C stops everything.")
