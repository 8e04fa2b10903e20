"""`bounty-ops db status`: the schema of every environment, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from bounty_ops.cli.console import clock, present, shown, table
from bounty_ops.cli.db.answer import Document, gates_document
from bounty_ops.cli.db.briefed import bucket_of
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import stand_in
from bounty_ops.migrating.standing import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


@click.command("status", cls=Command)
@pass_invocation
def status(invocation: Invocation) -> None:
    """Show revision, pending, drift, last migration and gates of every environment.

    With -e, of that environment only. Drift is `yes` when the schema is no longer what the last
    migration left; `db drift` names the differences.
    """
    read, only = read_settings(invocation), invocation.environment
    # Not `servers`, which asks for the default environment: there need not be one of that name.
    chosen = [read.environment(only)] if only else list(read.environments.values())
    embedded = any(environment.can_be_embedded for environment in chosen)
    with (
        stand_in(read, database=embedded, ops=False, bucket=True) as settings,
        waiting("Looking"),
    ):
        invocation.redaction.learn(settings)
        store = bucket_of(settings)
        standings = [
            standing(settings.environment(one.name), settings, store, operator=operator_name())
            for one in chosen
        ]
    present(
        invocation,
        [_document(one) for one in standings],
        lambda console: _draw(console, standings),
    )


def _document(one: Standing) -> Document:
    last = one.last
    return {
        "environment": one.environment,
        "configured": one.configured,
        "protected": one.protected,
        "reachable": one.reachable,
        "problem": one.problem,
        "hint": one.hint,
        "revision": one.revision,
        "head": one.head,
        "pending": None if one.pending is None else list(one.pending),
        "drift": one.drift,
        "digest": one.digest,
        "gates": gates_document(one.gates),
        "ready": one.ready,
        "last_migration": None
        if last is None
        else {
            "id": last.id,
            "finished_at": last.finished_at,
            "operator": last.operator,
            "outcome": last.outcome,
            "to_revision": last.to_revision,
        },
        "bucket_problem": one.bucket_problem,
    }


_DRIFTS = {"yes": "red", "no": "green", "unknown": "yellow"}


def _draw(console: Console, standings: Sequence[Standing]) -> None:
    columns = (
        "ENVIRONMENT", "REVISION", ">PENDING", "DRIFT", "LAST MIGRATION", "BY", "GATES",
    )  # fmt: skip
    console.print(table(columns, [_row(one) for one in standings]))
    for one in standings:
        if one.problem:
            console.print(f"\n{one.environment}: {shown(one.problem)}")
            console.print(f"    do:   {shown(one.hint)}")
        elif one.pending:
            console.print(
                f"\n{one.environment}: bounty-ops db plan -e {one.environment} shows what is "
                "pending and how its gates are opened"
            )
    problem = next((one.bucket_problem for one in standings if one.bucket_problem), None)
    if problem:
        console.print(f"\nmigrations: {shown(problem)}")


def _row(one: Standing) -> tuple[object, ...]:
    last = one.last
    return (
        one.environment + (" (protected)" if one.protected else ""),
        (one.revision or "none") if one.reachable else None,
        None if one.pending is None else len(one.pending),
        Text(one.drift, style=_DRIFTS[one.drift]),
        None if last is None else f"{last.outcome} {clock(last.finished_at)}",
        None if last is None else last.operator,
        _gates(one),
    )


def _gates(one: Standing) -> Text:
    """Which gates are shut, without the digest, which nobody can have given yet."""
    if not one.gates:
        return Text("-")
    shut = [each.name for each in one.gates if not each.open and each.name != "digest"]
    return Text(", ".join(shut) + " refuse" if shut else "open", style="red" if shut else "green")
