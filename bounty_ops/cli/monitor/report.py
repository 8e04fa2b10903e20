"""`bounty-ops monitor report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.monitor.findings import draw_findings
from bounty_ops.cli.private_file import private_file
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.monitoring import CollectionResult, Severity, collect
from bounty_ops.monitoring import report as report_on
from bounty_ops.monitoring.advice.past import earlier_collections
from bounty_ops.monitoring.telling import Chart, compose, page
from bounty_ops.monitoring.telling.pictures import pictures

if TYPE_CHECKING:
    from sqlalchemy import Engine


@click.command("report", cls=Command)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all of it into one file that a browser shows, readable by its owner alone.",
)
@pass_invocation
def report(invocation: Invocation, *, html: Path | None) -> None:
    """Measure, then say what deserves attention.

    Exit code 1: there is a finding of severity `critical`.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        with waiting(f"Measuring {environment.name}"):
            result = collect(environment)
        past: list[CollectionResult] = []
        charts: list[Chart] = []

        def look_back(ops: Engine) -> None:
            past.extend(earlier_collections(ops, environment.name, result.taken_at))
            if html is not None:
                charts.extend(pictures(ops, result, environment.policy, now=result.taken_at))

        if settings.ops_url is not None or html is not None:
            note(invocation, settings, "the look at earlier collections", look_back)
    findings = report_on(result, environment.policy, past)
    if html is not None:
        with private_file(html) as file:
            file.write(page(compose(environment, result, findings, charts)).encode())
    document = {
        "environment": result.environment,
        "taken_at": result.taken_at,
        "findings": [finding.to_json() for finding in findings],
        "unknown": [vars(unknown) for unknown in result.unknown],
    }
    present(
        invocation, document, lambda console: draw_findings(console, result.environment, findings)
    )
    if html is not None:
        click.echo(f"The same with tables and charts is in {html}", err=True)
    if any(finding.severity is Severity.CRITICAL for finding in findings):
        click.get_current_context().exit(FOUND)
