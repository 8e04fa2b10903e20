"""`bounty-ops backup restore`: show the plan, and carry it out where that is allowed."""

from __future__ import annotations

import shlex
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.backup import restore_answer as answer
from bounty_ops.cli.backup.restore_progress import restore_progress
from bounty_ops.cli.console import present
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore.plan import Wishes, plan_restore
from bounty_ops.restore.restore import restore_backup
from bounty_ops.restore.target import choose_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.journal.records import Manifest
    from bounty_ops.restore.outcome import Restored
    from bounty_ops.restore.plan import RestorePlan
    from bounty_ops.restore.target import Target


@click.command("restore", cls=Command)
@click.argument("backup_id", metavar="ID")
@click.option(
    "--into",
    "target",
    metavar="TARGET",
    required=True,
    help="An environment, or the URL of a database, which is made if it does not exist.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan; change nothing.")
@click.option(
    "--apply",
    "digest",
    metavar="DIGEST",
    help="Carry out exactly the plan with this digest (asked for by a target that is protected, "
    "in use or not empty). Sessions of the target are ended then.",
)
@click.option(
    "--in-place",
    is_flag=True,
    help="Restore into the empty database itself, where no other one can be created.",
)
@click.option(
    "--tables",
    metavar="A,B",
    default="",
    help="Only these tables, with what they need; into an otherwise empty database.",
)
@click.option(
    "--with-references",
    is_flag=True,
    help="With --tables: also the tables that foreign keys refer to.",
)
@click.option(
    "--no-owner",
    is_flag=True,
    help="Everything belongs to the role that restores, and privileges are left away.",
)
@click.option("--create-roles", is_flag=True, help="Create missing roles, which cannot log in.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="How many sessions restore at a time.",
)
@pass_invocation
def restore(
    invocation: Invocation,
    backup_id: str,
    *,
    target: str,
    dry_run: bool,
    digest: str | None,
    in_place: bool,
    tables: str,
    with_references: bool,
    no_owner: bool,
    create_roles: bool,
    jobs: int,
) -> None:
    """Restore a backup into a database, and compare it with the manifest.

    It is restored into a new database beside the target, compared, and only then takes its name;
    what was there before is kept under another. A target that is protected, in use or not empty
    only gets its plan shown, with exit code 1: repeat the command with --apply and the digest.
    Exit code 1 also when the copy differs: the target was not touched then.
    """
    if dry_run and digest is not None:
        raise UsageError(
            "--dry-run and --apply exclude each other",
            hint="Leave --apply away to see the plan, or --dry-run to carry it out.",
        )
    names = tuple(name.strip() for name in tables.split(",") if name.strip())
    if with_references and not names:
        raise UsageError(
            "--with-references says nothing without --tables",
            hint="Without --tables everything is restored.",
        )
    wishes = Wishes(in_place, names, with_references, no_owner, create_roles, jobs)
    with target_and_bucket(invocation, target) as (settings, place):
        journal = Journal(ObjectStore(settings.require_object_store()))
        manifest = journal.find(backup_id, invocation.environment)
        with waiting("Looking at the target"):
            plan = plan_restore(manifest, place, journal, wishes)
        if dry_run or (plan.needs_digest and digest is None):
            again = f"bounty-ops backup restore {manifest.id} --into {shlex.quote(target)}"
            show_plan(invocation, plan, again=again + _said(wishes), dry_run=dry_run)
            return
        done = carry_out(settings, plan, place, manifest, journal, digest=digest)
    show_done(invocation, plan, done)


def _said(wishes: Wishes) -> str:
    words = []
    if wishes.tables:
        words.append(f"--tables {shlex.quote(','.join(wishes.tables))}")
    words += [
        option
        for option, wished in (
            ("--in-place", wishes.in_place),
            ("--with-references", wishes.with_references),
            ("--no-owner", wishes.no_owner),
            ("--create-roles", wishes.create_roles),
        )
        if wished
    ]
    return "".join(f" {word}" for word in words)


@contextmanager
def target_and_bucket(invocation: Invocation, text: str) -> Iterator[tuple[Settings, Target]]:
    """The target by name or URL, and settings with a bucket, for the length of the block."""
    settings = read_settings(invocation)
    if "://" in text:
        invocation.redaction.add(DatabaseUrl.parse(text).secrets())
        embedded = False
    else:
        embedded = settings.environment(text).can_be_embedded
    with ExitStack() as stack:
        complete = stack.enter_context(
            stand_in(settings, database=embedded, ops=False, bucket=True)
        )
        invocation.redaction.learn(complete)
        yield complete, choose_target(complete, text)


def carry_out(
    settings: Settings,
    plan: RestorePlan,
    target: Target,
    manifest: Manifest,
    journal: Journal,
    *,
    digest: str | None,
) -> Restored:
    """Carry a plan out, with progress."""
    with restore_progress(plan.size_bytes) as watching:
        return restore_backup(
            plan,
            target,
            manifest,
            journal,
            operator=operator_name(),
            digest=digest,
            work_dir=settings.state_dir / "work",
            identities=settings.identities(encrypted=manifest.encryption is not None),
            watching=watching,
        )


def show_plan(invocation: Invocation, plan: RestorePlan, *, again: str, dry_run: bool) -> None:
    """Answer with a plan that is not carried out."""

    def draw(console: Console) -> None:
        answer.draw_plan(console, plan)
        console.print(f"digest {plan.digest}")
        if plan.needs_digest:
            why = "protected" if plan.protected else "in use or not empty"
            console.print(
                f"{plan.target} is {why}, so nothing was changed. To carry this plan out:\n"
                f"  {invocation.redaction.apply(again)} --apply {plan.digest}"
            )

    present(invocation, answer.plan_document(plan, "planned"), draw)
    if plan.needs_digest and not dry_run:
        # A script that goes on must not take "only shown" for "restored".
        click.get_current_context().exit(FOUND)


def show_done(invocation: Invocation, plan: RestorePlan, done: Restored) -> None:
    """Answer with what was done."""
    present(
        invocation,
        answer.done_document(plan, done),
        lambda console: answer.draw_done(console, plan, done),
    )
    if not done.done:
        click.get_current_context().exit(FOUND)
