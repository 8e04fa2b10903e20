"""How `status` looks to a person."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.text import Text

from bounty_ops.cli.console import clock, shown, size, state, table
from bounty_ops.monitoring.findings import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from bounty_ops.standing import Standing

_UNKNOWN = "unknown"


def draw_status(console: Console, standings: Sequence[Standing]) -> None:
    """One row for each environment, and below it what is wrong and what nobody could see."""
    columns = (
        "ENVIRONMENT", "DATABASE", ">SIZE", "REVISION", ">PENDING", "DRIFT", "LAST BACKUP",
        "VERDICT", "LAST PROVED", "RPO", "RTO", "INCIDENTS",
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
    _draw_unknown(console, standings)


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


def _draw_unknown(console: Console, standings: Sequence[Standing]) -> None:
    lines = [line for standing in standings for line in _unknown(standing)]
    if lines:
        console.print()
    for line in lines:
        console.print(line)


def _unknown(standing: Standing) -> Iterator[str]:
    """Why something is unknown, unless that was said above."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, reason in standing.unknown.items():
        if reason not in {standing.problem, standing.bucket_problem}:
            by_reason[reason].append(name.removesuffix("_seconds").replace("_", " "))
    for reason, names in by_reason.items():
        yield f"not known of {standing.environment}: {', '.join(names)}: {shown(reason)}"


def _row(standing: Standing) -> tuple[object, ...]:
    name = standing.environment + (" (protected)" if standing.protected else "")
    backup, proof = standing.last_backup, standing.last_proof
    return (
        name,
        _database(standing),
        _known(standing, "size_bytes", size(standing.size_bytes)),
        _known(standing, "revision", standing.revision or "none"),
        _known(standing, "pending", len(standing.pending or ())),
        _drift(standing),
        _known(standing, "last_backup", clock(backup.taken_at) if backup else "none"),
        state(backup.verdict) if backup else "-",
        _known(standing, "last_proof", clock(proof.taken_at) if proof else "never"),
        _measured(standing.rpo_seconds, standing.rpo_objective_seconds),
        _measured(standing.rto_seconds, standing.rto_objective_seconds),
        _incidents(standing),
    )


def _known(standing: Standing, field: str, value: object) -> object:
    return state(_UNKNOWN) if field in standing.unknown else value


def _drift(standing: Standing) -> Text:
    if standing.drift is None:
        return state(_UNKNOWN)
    if standing.drift.objects == 0:
        return Text("none", style="green")
    count = standing.drift.objects
    return Text("yes" if count is None else f"{count} object{'s' * (count != 1)}", style="red")


def _incidents(standing: Standing) -> Text:
    found = standing.open_incidents
    if found is None:
        return state(_UNKNOWN)
    counts = ((found.critical, "critical"), (found.warning, "warning"), (found.info, "info"),
              (found.pending, "pending"))  # fmt: skip
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    worst = next((word for count, word in counts if count), "ok")
    return Text(told or "none", style=state(worst).style)


def _measured(seconds: float | None, objective: float | None) -> Text:
    """What is, of what is wanted; red where it is more."""
    if objective is None:
        return Text(shown(None))
    text = _UNKNOWN if seconds is None else duration(seconds)
    colour = "" if seconds is None else "green" if seconds <= objective else "red"
    return Text(f"{text} of {duration(objective)}", style=colour)


def _database(standing: Standing) -> str:
    if not standing.configured:
        return "unconfigured"
    if not standing.reachable:
        return "unreachable"
    return f"PostgreSQL {standing.server_version}"
