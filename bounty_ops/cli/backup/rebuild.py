"""`bounty-ops backup rebuild-catalogue`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, warn
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import rebuild
from bounty_ops.migrating import migrate_ops
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import engine, translated

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.journal.catalogue import Rebuilt


@click.command("rebuild-catalogue", cls=Command)
@pass_invocation
def rebuild_catalogue(invocation: Invocation) -> None:
    """Make the catalogue in the operations database say what the bucket says.

    Of all environments. Nothing but the bucket is read: an operations database that is new or
    empty is filled, rows whose backup is no longer in the bucket go.
    """
    settings = read_settings(invocation)
    # No environment is chosen: after a disaster there may be none that is configured.
    with stand_in(settings, database=False, ops=True, bucket=True) as complete:
        invocation.redaction.learn(complete)
        store = ObjectStore(complete.require_object_store())
        store.check()  # before the operations database is touched
        with waiting("Reading the bucket"):
            rebuilt = _rebuild(complete, store)
        bucket = store.location.uri()
    present(
        invocation,
        {"bucket": bucket, **asdict(rebuilt)},
        lambda console: _draw(console, bucket, rebuilt),
    )
    if rebuilt.damaged:
        warn(
            f"left out: {_count(rebuilt.damaged, 'damaged backup')}; "
            "`bounty-ops backup list --all` says what is wrong with each"
        )


def _rebuild(settings: Settings, store: ObjectStore) -> Rebuilt:
    url = settings.require_ops_url()
    migrate_ops(url)
    with translated(url):
        return rebuild(Journal(store), engine(url, application_name="bounty-ops catalogue"))


def _draw(console: Console, bucket: str, rebuilt: Rebuilt) -> None:
    console.print(
        f"The catalogue says what {bucket} says: {_count(rebuilt.backups, 'backup')}, "
        f"{_count(rebuilt.verifications, 'verification')}, "
        f"{_count(rebuilt.migrations, 'migration')}."
    )
    if not rebuilt.backups and not rebuilt.damaged:
        console.print("There is no backup there. Was another prefix meant in BACKUP_BUCKET?")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
