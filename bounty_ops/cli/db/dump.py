"""`bounty-ops db dump`: a dump for people."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from bounty_ops.backup.people import Contents, dump_for_people
from bounty_ops.cli.console import present, shown, size, span, warn
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.private_file import private_file
from bounty_ops.cli.progress import byte_progress
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from bounty_ops.backup.people import PeopleDump
    from bounty_ops.environments import Settings


@click.command("dump", cls=Command)
@click.option("--schema-only", is_flag=True, help="Definitions without rows.")
@click.option("--data-only", is_flag=True, help="Rows without definitions.")
@click.option("--plain", is_flag=True, help="As SQL to read; else an archive for pg_restore.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to; it must not exist yet. Without it: standard output.",
)
@pass_invocation
def dump(
    invocation: Invocation, *, schema_only: bool, data_only: bool, plain: bool, output: str | None
) -> None:
    """Write a dump of the database into a file, for people.

    It is not a backup: nobody has proved that it restores, and nothing lists it. Take those with
    `bounty-ops backup run`. The file is readable by its owner only, and there is none unless it is
    whole.
    """
    contents = _contents(schema_only=schema_only, data_only=data_only)
    path = None if output in {None, "-"} else Path(str(output))
    _refuse_where_it_cannot_go(invocation, path, plain=plain)
    with servers(invocation, database=True) as settings:
        began = time.monotonic()
        if path is None:
            made = _dump(invocation, settings, sys.stdout.buffer, contents, plain=plain)
            sys.stdout.flush()
        else:
            with private_file(path) as file:
                made = _dump(invocation, settings, file, contents, plain=plain)
        seconds = round(time.monotonic() - began, 3)
        environment = settings.environment(invocation.environment).name
    for line in made.warnings:
        warn(invocation.redaction.apply(line))
    if path is not None:
        document = _document(environment, path, made, contents, plain=plain, seconds=seconds)
        told = f"Dumped {environment} into {path}: {size(made.size_bytes)} in {span(seconds)}"
        present(invocation, document, lambda console: console.print(shown(told)))


def _document(
    environment: str,
    path: Path,
    made: PeopleDump,
    contents: Contents,
    *,
    plain: bool,
    seconds: float,
) -> dict[str, object]:
    return {
        "environment": environment,
        "file": str(path.absolute()),
        "format": "plain" if plain else "custom",
        "contents": contents,
        "size_bytes": made.size_bytes,
        "sha256": made.sha256,
        "client_version": made.client_version,
        "seconds": seconds,
    }


def _contents(*, schema_only: bool, data_only: bool) -> Contents:
    if schema_only and data_only:
        raise UsageError(
            "--schema-only and --data-only exclude each other",
            hint="Leave both out for everything.",
        )
    if schema_only:
        return "schema"
    return "data" if data_only else "everything"


def _refuse_where_it_cannot_go(invocation: Invocation, path: Path | None, *, plain: bool) -> None:
    if path is not None:
        return
    if invocation.json:
        raise UsageError(
            "--json and a dump cannot both go to standard output",
            hint="Give a file for the dump: -o FILE",
        )
    if not plain and sys.stdout.isatty():
        raise UsageError(
            "an archive is binary, and standard output is a terminal",
            hint="Write it into a file with -o FILE, or read it as SQL with --plain.",
        )


def _dump(
    invocation: Invocation, settings: Settings, sink: IO[bytes], contents: Contents, *, plain: bool
) -> PeopleDump:
    environment = settings.environment(invocation.environment)
    with byte_progress(f"Dumping {environment.name}") as advance:
        return dump_for_people(
            environment.require_url(),
            environment.policy,
            sink,
            contents=contents,
            plain=plain,
            progress=advance,
        )
