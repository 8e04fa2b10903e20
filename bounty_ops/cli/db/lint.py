"""`bounty-ops db lint`: look at migrations before they run, with or without a database."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, shown, state, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.shared import Command
from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops.environments.servers import given_server
from bounty_ops.errors import UsageError
from bounty_ops.migrating.lineage import LINEAGES
from bounty_ops.migrating.lint import (
    DEFAULT_MAJOR,
    RULES,
    lint_revisions,
    lint_sql,
    read_catalogue,
    sarif,
)
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from bounty_ops.migrating.lint import Catalogue, Finding

_OLDEST, _NEWEST = 14, 18
_STDIN = "-"
_HISTORY = "--history"
_WITH_VALUE = {_HISTORY, "--catalogue", "--pg-major", "--ignore", "-e", "--environment"}
_REVISION_ID = re.compile(r"^revision\s*(?::\s*str\s*)?=\s*[\"'](\w+)[\"']", re.MULTILINE)


class _LintCommand(Command):
    """Takes ``FILE.sql --history A.sql B.sql`` as well as an option for each earlier file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give every file that follows ``--history``, after a subject, an option of its own."""
        return super().parse_args(ctx, list(_spelled_out(args)))


def _spelled_out(words: Sequence[str]) -> Iterator[str]:
    subject = earlier = option = False
    for word in words:
        if word.startswith("-") and word != _STDIN:
            earlier, option = word == _HISTORY and subject, word in _WITH_VALUE
        elif earlier and not option:
            yield _HISTORY
        else:
            subject, option = subject or not option, False
        yield word


@click.command("lint", cls=_LintCommand)
@click.argument("subjects", nargs=-1, metavar="[REVISION|FILE.sql]...")
@click.option(
    "--history",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="EARLIER.sql",
    help="A migration that was applied before, oldest first: what it made is known.",
)
@click.option(
    "--catalogue",
    metavar="URL|NAME",
    help="A database to look at: its URL, a variable that holds it, or an environment.",
)
@click.option(
    "--pg-major",
    type=click.IntRange(_OLDEST, _NEWEST),
    help=f"The server's major version (default: the catalogue's, else {DEFAULT_MAJOR}).",
)
@click.option(
    "--managed",
    is_flag=True,
    help="Whatever runs the files sets lock_timeout, as our runner does: say nothing about it.",
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave out what this rule says.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Print SARIF 2.1.0.")
@pass_invocation
def lint(
    invocation: Invocation,
    *,
    subjects: tuple[str, ...],
    history: tuple[Path, ...],
    catalogue: str | None,
    pg_major: int | None,
    managed: bool,
    ignore: tuple[str, ...],
    as_sarif: bool,
) -> None:
    """Say what migrations lock, rewrite, scan or break, and the safe way.

    A file of SQL (- for standard input), or the id or file of one of our revisions; without any,
    all our revisions. Exit code 1 when there is a finding of level error. No database is needed.
    """
    unknown = [each for each in ignore if each not in RULES]
    if unknown:
        raise UsageError(
            f"there is no rule {unknown[0]}",
            hint="docs/reference/lint.md lists them.",
        )
    known, major = _look(invocation, catalogue) if catalogue else (None, DEFAULT_MAJOR)
    earlier = [_read(path) for path in history]
    major = pg_major or major

    def of_text(sql: str) -> tuple[Finding, ...]:
        return lint_sql(
            sql,
            history=earlier,
            catalogue=known,
            pg_major=major,
            managed=managed,
            ignore=ignore,
        )

    found = dict(_findings(subjects, of_text, known, major, ignore))
    if as_sarif:
        invocation = dataclasses.replace(invocation, json=True)
    document = sarif(found) if as_sarif else _document(found)
    present(invocation, document, lambda console: _draw(console, found))
    if any(each.level == "error" for findings in found.values() for each in findings):
        click.get_current_context().exit(FOUND)


def _findings(
    subjects: Sequence[str],
    of_text: Callable[[str], tuple[Finding, ...]],
    known: Catalogue | None,
    major: int,
    ignore: Sequence[str],
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    wanted = [_revision_id(each) for each in subjects if not _is_text(each)]
    for each in subjects:
        if _is_text(each):
            yield each, of_text(sys.stdin.read() if each == _STDIN else _read(Path(each)))
    if wanted or not subjects:
        yield from _of_revisions(wanted, known, major, ignore)


def _is_text(subject: str) -> bool:
    if subject.endswith(".py"):
        return False
    return subject == _STDIN or subject.endswith(".sql") or Path(subject).is_file()


def _revision_id(subject: str) -> str:
    """Of one of our files the revision in it: its SQL is only known once it is rendered."""
    if not subject.endswith(".py"):
        return subject
    path = Path(subject)
    found = _REVISION_ID.search(_read(path))
    if found is None or path.resolve().parent not in {
        (each.directory() / "versions").resolve() for each in LINEAGES
    }:
        raise UsageError(
            f"{subject} is Python, but no file of one of our revisions",
            hint="Name a file of SQL, or a revision such as `bounty-ops db current` shows it.",
        )
    return found[1]


def _of_revisions(
    wanted: Sequence[str], known: Catalogue | None, major: int, ignore: Sequence[str]
) -> Iterator[tuple[str, tuple[Finding, ...]]]:
    missing = set(wanted)
    for lineage in LINEAGES:
        revisions = revisions_of(lineage)
        chosen = [each for each in revisions.order if not wanted or each.id in missing]
        missing -= {each.id for each in chosen}
        if chosen:
            yield from lint_revisions(
                revisions, chosen, catalogue=known, pg_major=major, ignore=ignore
            ).items()
    if missing:
        raise UsageError(
            f"{min(missing)} is neither a file nor one of our revisions",
            hint="Name a file of SQL, or a revision such as `bounty-ops db current` shows it.",
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file of SQL, or - for stdin."
        ) from error


def _look(invocation: Invocation, name: str) -> tuple[Catalogue, int]:
    url = _url(invocation, name)
    invocation.redaction.add(url.secrets())
    with connect(url, application_name="bounty-ops lint", read_only=True) as connection:
        return read_catalogue(connection), connection.info.server_version // 10_000


def _url(invocation: Invocation, name: str) -> DatabaseUrl:
    settings = load_settings()
    invocation.redaction.learn(settings)
    if "://" in name:
        url = DatabaseUrl.parse(name)
        if url.password is not None:
            warn(
                "a password on the command line is visible to everybody on this machine; name a "
                "variable that holds the URL instead"
            )
        return given_server(url, settings.environments)
    if "://" in os.environ.get(name, ""):
        return given_server(DatabaseUrl.parse(os.environ[name]), settings.environments)
    return settings.environment(name).require_url()


def _document(found: dict[str, tuple[Finding, ...]]) -> dict[str, object]:
    return {
        "findings": [
            {
                "rule": each.rule,
                "level": each.level,
                "line": each.line,
                "message": each.message,
                "lock": each.lock,
                "remedy": each.remedy,
                "relation": each.relation,
                "file": file,
            }
            for file, findings in found.items()
            for each in findings
        ]
    }


def _draw(console: Console, found: dict[str, tuple[Finding, ...]]) -> None:
    for file, findings in found.items():
        for each in findings:
            console.print(f"{file}:{each.line}: ", state(each.level), f" {each.rule}", sep="")
            console.print(f"  {shown(each.message)}")
            console.print(f"  {shown(each.remedy)}")
    counts = [
        sum(each.level == level for findings in found.values() for each in findings)
        for level in ("error", "warning", "advice")
    ]
    console.print(f"{counts[0]} errors, {counts[1]} warnings, {counts[2]} pieces of advice")
