"""`bounty-ops backup download`."""

from __future__ import annotations

from pathlib import Path

import click

from bounty_ops.cli.console import present, size
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import byte_progress
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore.downloading import download_backup


@click.command("download", cls=Command)
@click.argument("backup_id", metavar="ID")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@pass_invocation
def download(invocation: Invocation, backup_id: str, directory: Path) -> None:
    """Download a backup as it is stored, with a program that restores it.

    DIR is made; if it exists it has to be empty. The manifest is among the files, and every object
    is checked by its SHA-256. What is encrypted stays encrypted. `python3 DIR/recover.py --help`
    says how to restore it without bounty-ops.
    """
    found = read_settings(invocation)
    with stand_in(found, database=False, ops=False, bucket=True) as settings:
        invocation.redaction.learn(settings)
        journal = Journal(ObjectStore(settings.require_object_store()))
        manifest = journal.find(backup_id, invocation.environment)
        with byte_progress(f"Downloading {manifest.id}", total=manifest.size_bytes) as advance:
            files = download_backup(manifest, journal, directory, progress=advance)
    document = {
        "id": manifest.id,
        "environment": manifest.environment,
        "directory": str(directory),
        "files": [str(path) for path in files],
        "size_bytes": manifest.size_bytes,
        "encrypted": manifest.encryption is not None,
    }
    present(
        invocation,
        document,
        lambda console: console.print(
            f"Downloaded {manifest.id}: {len(files)} files, {size(manifest.size_bytes)}, every "
            f"SHA-256 as recorded\nTo restore it without bounty-ops: "
            f"python3 {directory / 'recover.py'} --help"
        ),
    )
