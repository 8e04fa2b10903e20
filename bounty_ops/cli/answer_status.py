"""How `status` looks to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from bounty_ops.cli.console import clock, shown, size, state, table
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.cli.status import Standing


def draw_status(console: Console, standings: Sequence[Standing]) -> None:
    """One row for each environment, and below it what is wrong."""
    columns = (
        "ENVIRONMENT", "DATABASE", ">SIZE", "REVISION", ">PENDING", "LAST BACKUP", "VERDICT",
        "LAST PROVED", "RPO", "RTO",
    )  # fmt: skip
    console.print(table(columns, [_row(standing) for standing in standings]))
    for standing in standings:
        if standing.problem:
            console.print(f"\n{standing.environment}: {shown(standing.problem)}")
            console.print(f"    do:   {shown(standing.hint)}")
    bucket_problem = next((s.bucket_problem for s in standings if s.bucket_problem), None)
    if bucket_problem:
        console.print(f"\nbackups: {shown(bucket_problem)}")
    _draw_copies(console, standings)


def _draw_copies(console: Console, standings: Sequence[Standing]) -> None:
    problem = next((s.second_bucket_problem for s in standings if s.second_bucket_problem), None)
    if problem:
        console.print(f"\nsecond bucket: {shown(problem)}")
        return
    for standing in standings:
        if standing.second_bucket is not None:
            copy = standing.last_copy
            said = "none" if copy is None else f"{copy.backup_id} of {clock(copy.taken_at)}"
            console.print(
                f"\nnewest proved copy of {standing.environment} in {standing.second_bucket}: "
                f"{said}"
            )


def _row(standing: Standing) -> tuple[object, ...]:
    name = standing.environment + (" (protected)" if standing.protected else "")
    backup, proof = standing.last_backup, standing.last_proof
    return (
        name,
        _database(standing),
        size(standing.size_bytes),
        standing.revision,
        None if standing.pending is None else len(standing.pending),
        clock(backup.taken_at) if backup else "none",
        state(backup.verdict) if backup else "-",
        clock(proof.taken_at) if proof else "never",
        _measured(standing.rpo_seconds, standing.rpo_objective_seconds),
        _measured(standing.rto_seconds, standing.rto_objective_seconds),
    )


def _measured(seconds: float | None, objective: float | None) -> Text:
    """What is, of what is wanted; red where it is more."""
    if objective is None:
        return Text(shown(None))
    text = "unknown" if seconds is None else duration(seconds)
    colour = "" if seconds is None else "green" if seconds <= objective else "red"
    return Text(f"{text} of {duration(objective)}", style=colour)


def _database(standing: Standing) -> str:
    if not standing.configured:
        return "unconfigured"
    if not standing.reachable:
        return "unreachable"
    return f"PostgreSQL {standing.server_version}"
