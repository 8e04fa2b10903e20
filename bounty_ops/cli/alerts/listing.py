"""`bounty-ops alerts list`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Final

import click

from bounty_ops.alerting.register import incidents, looked
from bounty_ops.alerting.silences import silences
from bounty_ops.cli.alerts.register import operations
from bounty_ops.cli.console import clock, present, shown, span, state, table
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from bounty_ops.alerting.register import IncidentShown, Looked
    from bounty_ops.alerting.silences import SilenceShown

#: The watcher looks every minute; whoever is later than that does not look.
LATE: Final = timedelta(minutes=10)


@click.command("list", cls=Command)
@click.option(
    "--resolved",
    metavar="HOURS",
    type=click.FloatRange(min=0, max=24 * 366),
    help="Show those that were resolved within so many hours, too.",
)
@pass_invocation
def listing(invocation: Invocation, *, resolved: float | None) -> None:
    """List what is wrong, gravest first, what keeps it quiet, and when somebody looked.

    Of all environments, or of the one that -e names. Exit code 1: a critical incident is firing.
    """
    now = datetime.now(UTC)
    if resolved is not None and not isfinite(resolved):  # a range lets "nan" through
        raise UsageError(f"{resolved} is no number of hours", hint="For example --resolved 24.")
    since = None if resolved is None else now - timedelta(hours=resolved)
    with operations(invocation) as engine:
        found = incidents(engine, environment=invocation.environment, resolved_since=since)
        looks = looked(engine, invocation.environment)
        quiet = silences(engine, now=now, environment=invocation.environment)
    document = {
        "incidents": [asdict(each) for each in found],
        "silences": [asdict(each) for each in quiet],
        "evaluations": [asdict(each) for each in looks],
    }
    present(invocation, document, lambda console: _draw(console, found, quiet, looks, now))
    if any(each.state == "firing" and each.severity == "critical" for each in found):
        click.get_current_context().exit(FOUND)


def _draw(
    console: Console,
    found: Sequence[IncidentShown],
    quiet: Sequence[SilenceShown],
    looks: Sequence[Looked],
    now: datetime,
) -> None:
    if found:
        rows = [
            (
                str(each.id),
                state(each.severity),
                each.state + (", flapping" if each.flapping_since else ""),
                span((now - each.opened_at).total_seconds()),
                each.title,
                _remark(each),
            )
            for each in found
        ]
        console.print(table((">ID", "SEVERITY", "STATE", ">FOR", "WHAT", "TOLD"), rows))
    elif looks:
        console.print("nothing is wrong, as far as anybody looked")
    _draw_silences(console, quiet)
    if found or quiet or looks:
        console.print()
    _draw_looks(console, looks, now)


def _remark(incident: IncidentShown) -> str:
    if incident.withheld:
        return f"no: {incident.withheld}"
    if incident.acknowledged_by:
        return f"acknowledged by {incident.acknowledged_by}"
    return "-" if incident.told is None else f"{incident.told}, {clock(incident.told_at)}"


def _draw_silences(console: Console, quiet: Sequence[SilenceShown]) -> None:
    if not quiet:
        return
    console.print()
    console.print("SILENCES", style="bold")
    rows = [
        (str(one.id), one.environment, one.rule, one.subject, clock(one.ends_at), one.created_by,
         one.reason)
        for one in quiet
    ]  # fmt: skip
    columns = (">ID", "ENVIRONMENT", "RULE", "SUBJECT", "UNTIL", "BY", "REASON")
    console.print(table(columns, rows))


def _draw_looks(console: Console, looks: Sequence[Looked], now: datetime) -> None:
    if not looks:
        console.print(
            "nobody has looked yet, so nothing is known: Dagster's sensors look (bounty-ops up, "
            "or a Dagster of your own)"
        )
    for look in looks:
        age = now - look.evaluated_at
        line = state("ok" if age <= LATE else "unknown")
        late = "" if age <= LATE else "; nobody looks any more, so nothing above is up to date"
        line.append(
            f": {look.environment} was looked at {span(age.total_seconds())} ago{late}",
            style="default",
        )
        console.print(line)
        for each in look.unknown:
            console.print(f"    not known: {each['rule']}: {shown(each['reason'])}")
