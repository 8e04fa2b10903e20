"""`bounty-ops backup import`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bounty_ops.cli.backup import answer
from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import clock, present, shown, size, span, warn
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import byte_progress
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_backup
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore.import_archive import import_archive, plan_import
from bounty_ops.restore.import_directory import import_directory, read_directory

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.journal.records import Manifest


@dataclass(frozen=True)
class _Outcome:
    manifest: Manifest
    kind: Literal["backup", "archive"]
    outcome: Literal["imported", "there_already"] = "imported"


@click.command("import", cls=Command)
@click.argument("path", metavar="DIR|FILE")
@click.option(
    "--taken-at",
    metavar="TIME",
    help="When somebody else's archive was taken, such as 2026-11-22T02:00:00+01:00. Without it: "
    "what the archive says, which has no time zone and is taken for UTC.",
)
@pass_invocation
def import_backup(invocation: Invocation, path: str, *, taken_at: str | None) -> None:
    """Bring a downloaded backup, or somebody else's archive, into the bucket.

    DIR is what `backup download` made. It keeps its id and its environment. Its proofs are not
    taken along: verify it here.

    FILE is an archive in pg_dump's custom format that somebody else made. It joins the backups of
    the environment (-e) once it has restored into a throw-away server. Nobody recorded what its
    source held, so no verification can ever call it `proved`, and it counts for no schedule.
    """
    place = Path(path)
    moment = _moment(taken_at)
    if not place.exists():
        raise UsageError(f"there is no {path}", hint="Give a directory or a file that exists.")
    if place.is_dir() and moment is not None:
        raise UsageError(
            "--taken-at is for somebody else's archive", hint="A backup says when it was taken."
        )
    settings = read_settings(invocation)
    began = time.monotonic()
    with stand_in(settings, database=False, ops=False, bucket=True) as complete:
        invocation.redaction.learn(complete)
        store = ObjectStore(complete.require_object_store())
        journal = Journal(store)
        if place.is_dir():
            found = _directory(invocation, place, journal)
        else:
            found = _archive(invocation, complete, place, journal, moment)
        note(
            invocation,
            complete,
            "the backup",
            lambda ops: index_backup(ops, found.manifest, store.location),
        )
    document = {
        **answer.place_document(found.manifest, store.location),
        "id": found.manifest.id,
        "kind": found.kind,
        "outcome": found.outcome,
        "compare": found.manifest.compare,
        "client_version": found.manifest.client_version,
        "seconds": round(time.monotonic() - began, 3),
    }
    present(invocation, document, lambda console: _draw(console, found, time.monotonic() - began))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"--taken-at {text!r} is no time with a time zone",
            hint="Write it as 2026-11-22T02:00:00+01:00, or with Z for UTC.",
        )
    if moment > datetime.now(UTC):
        raise UsageError("--taken-at is in the future", hint="When was the archive taken?")
    return moment.astimezone(UTC)


def _directory(invocation: Invocation, place: Path, journal: Journal) -> _Outcome:
    plan = read_directory(place)
    manifest = plan.manifest
    if invocation.environment not in {None, manifest.environment}:
        raise UsageError(
            f"the backup in {place} is one of {manifest.environment}, not of "
            f"{invocation.environment}",
            hint="Leave -e out: a backup keeps its environment, which its manifest names.",
        )
    with byte_progress(f"Importing {manifest.id}", total=manifest.size_bytes) as advance:
        done = import_directory(plan, journal, progress=advance)
    if done.problem is not None:
        warn(done.problem)
    return _Outcome(manifest, "backup", "imported" if done.stored else "there_already")


def _archive(
    invocation: Invocation,
    settings: Settings,
    place: Path,
    journal: Journal,
    moment: datetime | None,
) -> _Outcome:
    environment = settings.environment(invocation.environment)
    if environment.problem is not None:
        environment.require_url()  # its policy cannot be trusted: should this be encrypted?
    plan = plan_import(
        place, environment.name, environment.policy, now=datetime.now(UTC), taken_at=moment
    )
    what = f"Restoring and importing {place.name}"
    with byte_progress(what, total=place.stat().st_size) as advance:
        manifest = import_archive(
            plan,
            journal,
            work_dir=settings.state_dir / "work",
            imported_by=operator_name(),
            progress=advance,
        )
    return _Outcome(manifest, "archive")


def _draw(console: Console, found: _Outcome, seconds: float) -> None:
    manifest = found.manifest
    if found.outcome == "there_already":
        console.print(f"The bucket has {manifest.id} already; nothing was done.")
        return
    console.print(
        f"Imported {manifest.id} into {manifest.environment}: {len(manifest.tables)} tables, "
        f"{manifest.rows:,} rows, {size(manifest.size_bytes)} in {span(seconds)}"
    )
    console.print(f"  taken   {clock(manifest.taken_at)}")
    console.print(f"  sha256  {manifest.archive.sha256}")
    if found.kind == "backup":
        console.print(f"It is unverified here. Verify it: bounty-ops backup verify {manifest.id}")
        return
    console.print(shown(f"pg_dump {manifest.client_version} wrote it. It restored here just now."))
    console.print(
        "Nobody recorded what its source held, so no verification can ever call it proved."
    )
