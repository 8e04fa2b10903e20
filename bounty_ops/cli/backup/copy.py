"""`bounty-ops backup copy`: into the second bucket."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from bounty_ops.backup.copies import CopyRound, copy_each, missing_copies
from bounty_ops.backup.copying import copy_backup
from bounty_ops.cli.backup import answer_keeping as answer
from bounty_ops.cli.console import present, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import byte_progress, waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore


@click.command("copy", cls=Command)
@click.argument("backup_id", metavar="[ID]", required=False)
@click.option(
    "--reread", is_flag=True, help="Read copies that are complete back as well, and hash them."
)
@pass_invocation
def copy(invocation: Invocation, backup_id: str | None, *, reread: bool) -> None:
    """Copy backups into the second bucket and check what arrived.

    Without ID, every proved backup that the rules keep and the second bucket lacks. ID may be
    shortened to its beginning. BACKUP_COPY_BUCKET names the second bucket. Exit code 1: some could
    not be copied.
    """
    with servers(invocation, bucket=True) as settings:
        environment = settings.environment(invocation.environment)
        source = Journal(ObjectStore(settings.require_object_store()))
        target = Journal(ObjectStore(settings.require_copy_object_store()))
        target.store.check()  # before anything is read in vain
        result = CopyRound()
        name = environment.name
        try:
            if backup_id is not None:
                name, found = source.locate(backup_id, invocation.environment)
                with byte_progress(f"Copying {found}") as advance:
                    result.copied.append(
                        copy_backup(source, target, name, found, reread=reread, progress=advance)
                    )
            else:
                if environment.problem is not None:
                    environment.require_url()  # its policy may be the one that cannot be read
                with waiting("Comparing the buckets"):
                    missing = missing_copies(
                        environment, source, target, now=datetime.now(UTC), present=reread
                    )
                with byte_progress(f"Copying {len(missing)} backups") as advance:
                    copy_each(
                        missing,
                        name,
                        source,
                        target,
                        reread=reread,
                        result=result,
                        progress=advance,
                    )
        except BaseException:
            if result.copied:
                warn(f"{len(result.copied)} backups were copied before that, and stay copied")
            raise
    bucket = target.store.location.uri()
    present(
        invocation,
        answer.copy_document(name, bucket, result),
        lambda console: answer.draw_copies(console, name, bucket, result),
    )
    if result.failed:
        click.get_current_context().exit(FOUND)
