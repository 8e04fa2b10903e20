"""`bounty-ops backup pin` and `unpin`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.backup import answer_keeping as answer
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.journal.pins import is_pinned, pin_backup, unpin_backup
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Settings


@click.command("pin", cls=Command)
@click.argument("backup_id", metavar="ID")
@click.option("--reason", default="", help="Why it has to stay; other people will read it.")
@pass_invocation
def pin(invocation: Invocation, backup_id: str, *, reason: str) -> None:
    """Keep a backup whatever the rules say, until it is unpinned.

    ID may be shortened to its beginning.
    """
    with servers(invocation, bucket=True) as settings:
        store, environment, found = _find(settings, invocation, backup_id)
        before = is_pinned(store, environment, found)
        pinned = pin_backup(
            store,
            environment,
            found,
            by=operator_name(),
            reason=invocation.redaction.apply(reason.strip()),
            now=datetime.now(UTC),
        )

    def draw(console: Console) -> None:
        if before:
            why = f": {pinned.reason}" if pinned.reason else ""
            console.print(f"{found} was pinned already, by {pinned.pinned_by}{why}")
        else:
            console.print(f"Pinned {found}: no prune deletes it until it is unpinned")

    present(invocation, answer.pin_document(environment, found, pinned, changed=not before), draw)


@click.command("unpin", cls=Command)
@click.argument("backup_id", metavar="ID")
@pass_invocation
def unpin(invocation: Invocation, backup_id: str) -> None:
    """Let the rules decide about a backup again.

    ID may be shortened to its beginning.
    """
    with servers(invocation, bucket=True) as settings:
        store, environment, found = _find(settings, invocation, backup_id)
        was_pinned = unpin_backup(store, environment, found)

    def draw(console: Console) -> None:
        said = "Unpinned" if was_pinned else "There was no pin on"
        console.print(f"{said} {found}: the rules of {environment} decide about it")

    present(invocation, answer.pin_document(environment, found, None, changed=was_pinned), draw)


def _find(
    settings: Settings, invocation: Invocation, backup_id: str
) -> tuple[ObjectStore, str, str]:
    """The store, and the environment and full id of the backup that was meant."""
    store = ObjectStore(settings.require_object_store())
    environment, found = Journal(store).locate(backup_id, invocation.environment)
    return store, environment, found
