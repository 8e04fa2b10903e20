"""`bounty-ops db reset`: a development database deleted and made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from bounty_ops.cli.console import present, shown, size, span, table
from bounty_ops.cli.db.amount import amount_options
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import count_progress, waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.migrating.reset import ResetPlan, plan_reset
from bounty_ops.migrating.resetting import Reset
from bounty_ops.migrating.resetting import reset as carry_out
from bounty_ops.seeding import choose_rows

if TYPE_CHECKING:
    from rich.console import Console

_SHOWN_TABLES: Final = 10


@click.command("reset", cls=Command)
@amount_options
@click.option("--no-seed", is_flag=True, help="Leave the new tables empty.")
@click.option(
    "--apply", "digest", metavar="DIGEST", help="Delete exactly what this digest stands for."
)
@click.option("--yes", is_flag=True, help="Delete what is there, without having looked at it.")
@pass_invocation
def reset(
    invocation: Invocation,
    *,
    profile: str | None,
    scale: float | None,
    rows: int | None,
    number: int,
    no_seed: bool,
    digest: str | None,
    yes: bool,
) -> None:
    """Delete a development database and make it anew, migrated and filled with sample data.

    Only for an unprotected database on this machine. Where something would be lost or somebody is
    connected, this shows it, with exit code 1; repeat the command with --apply and the digest
    that it printed, or with --yes. Sessions are ended then. The new database is made beside the
    old one and takes its name once it is whole.
    """
    total = _wanted(profile, scale, rows, no_seed=no_seed)
    if yes and digest is not None:
        raise UsageError("--yes and --apply exclude each other", hint="Leave one of them away.")
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting(f"Looking at {environment.name}"):
            plan = plan_reset(environment, rows=total, seed=number)
        if plan.needs_digest and digest is None and not yes:
            _show(invocation, plan)
            return
        with count_progress(f"Resetting {environment.name}", total) as advance:
            done = carry_out(
                plan,
                environment,
                operator=operator_name(),
                digest=plan.digest if yes else digest,
                progress=advance,
            )
    present(invocation, _document(plan, done), lambda console: _draw_done(console, plan, done))


def _wanted(
    profile: str | None, scale: float | None, rows: int | None, *, no_seed: bool
) -> int | None:
    if not no_seed:
        return choose_rows(profile, rows=rows, scale=scale)
    if (profile, scale, rows) != (None, None, None):
        raise UsageError(
            "--no-seed excludes --profile, --scale and --rows",
            hint="Leave --no-seed away for sample data, or the others for none.",
        )
    return None


def _show(invocation: Invocation, plan: ResetPlan) -> None:
    present(invocation, _document(plan), lambda console: _draw_plan(console, plan))
    # A script must not take "only shown" for "done".
    click.get_current_context().exit(FOUND)


def _document(plan: ResetPlan, done: Reset | None = None) -> dict[str, object]:
    there = plan.state
    outcome = "planned" if done is None else "finished" if done.finished else "reset"
    return {
        "environment": plan.environment,
        "target": plan.target,
        "outcome": outcome,
        "digest": plan.digest,
        "existed": there.exists,
        "size_bytes": there.size_bytes,
        "tables": [
            {"name": each.label, "rows": each.rows, "estimated": each.estimated}
            for each in there.tables
        ],
        "other_objects": there.other_objects,
        "sessions": [
            {"user": s.user, "application": s.application, "state": s.state, "count": s.count}
            for s in there.sessions
        ],
        "from_revision": plan.revision,
        "to_revision": plan.head,
        "rows": plan.rows,
        "seed": plan.seed,
        "seconds": None if done is None else done.seconds,
        "notes": [] if done is None else list(done.notes),
    }


def _draw_plan(console: Console, plan: ResetPlan) -> None:
    if plan.unfinished is not None:
        console.print(
            f"A reset of {plan.environment} ({plan.target}) was broken off at its very end: "
            f"{plan.unfinished.name} would take its place."
        )
    else:
        console.print(f"DATA LOSS: {plan.environment} ({plan.target}) would be deleted: ", end="")
        console.print(_content(plan))
        _draw_tables(console, plan)
    for kind in _sessions(plan):
        console.print(f"WOULD BE ENDED: {kind}")
    filled = "no rows" if plan.rows is None else f"{plan.rows:,} rows of sample data"
    console.print(
        f"Instead: an empty database at {plan.head} with {filled}\ndigest {plan.digest}\n"
        "Nothing was changed. To delete this, repeat the command with --apply and the digest, "
        "or with --yes."
    )


def _content(plan: ResetPlan) -> str:
    there = plan.state
    estimated = " (estimated)" if any(each.estimated for each in there.tables) else ""
    return (
        f"{len(there.tables)} tables with {there.rows:,} rows{estimated}, "
        f"{there.other_objects} other objects, {size(there.size_bytes)}"
    )


def _sessions(plan: ResetPlan) -> list[str]:
    return [
        f"{one.count} x {shown(one.user)}, {shown(one.application)}, {one.state}"
        for one in plan.state.sessions
    ]


def _draw_tables(console: Console, plan: ResetPlan) -> None:
    tables = plan.state.tables
    largest = sorted(tables, key=lambda each: (-each.size_bytes, each.label))[:_SHOWN_TABLES]
    if not largest:
        return
    rows = [
        (each.label, "not readable" if each.rows is None else f"{each.rows:,}",
         size(each.size_bytes))
        for each in largest
    ]  # fmt: skip
    console.print(table(("WOULD BE DELETED", ">ROWS", ">SIZE"), rows))
    if len(tables) > len(largest):
        console.print(f"... and {len(tables) - len(largest)} more: --json shows all")


def _draw_done(console: Console, plan: ResetPlan, done: Reset) -> None:
    if done.finished:
        console.print(f"Finished an earlier reset of {plan.environment} ({plan.target})")
    else:
        if not plan.state.empty:
            console.print(f"Deleted: {_content(plan)}")
        for kind in _sessions(plan):
            console.print(f"Ended: {kind}")
        total = 0 if done.seeded is None else done.seeded.total
        console.print(
            f"{plan.environment} ({plan.target}) is new: at {done.revision}, with {total:,} rows, "
            f"in {span(done.seconds)}"
        )
    for note in done.notes:
        console.print(f"note: {shown(note)}")
