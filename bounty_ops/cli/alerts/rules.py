"""`bounty-ops alerts rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.console import present, shown, size, table, warn
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.environments.alert_rules import DEFAULTS, Rule
from bounty_ops.environments.durations import duration_text

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments.alerts import AlertSettings, RuleSettings


@click.command("rules", cls=Command)
@pass_invocation
def rules(invocation: Invocation) -> None:
    """List the alert rules with what they go by in an environment."""
    environment = read_settings(invocation).environment(invocation.environment)
    settings = environment.alert_settings
    if environment.alerts_problem is not None:
        warn(f"{environment.alerts_problem}. {environment.alerts_problem.hint}")
    document = {
        "environment": environment.name,
        "tier": settings.tier,
        "tell": settings.tell,
        "rules": [
            {
                "rule": rule.value,
                "means": DEFAULTS[rule].means,
                "unit": DEFAULTS[rule].unit or None,
                **settings.rule(rule).model_dump(mode="json", by_alias=True),
            }
            for rule in Rule
        ],
        "maintenance": {
            name: window.model_dump(mode="json") for name, window in settings.maintenance.items()
        },
    }
    present(invocation, document, lambda console: _draw(console, environment.name, settings))


def _draw(console: Console, name: str, settings: AlertSettings) -> None:
    told = "nobody is told" if settings.tell == "nothing" else f"told from {settings.tell} on"
    console.print(f"{name}: defaults of {settings.tier}, {told}")
    rows = [
        (
            rule.value,
            _gravest(settings.rule(rule)),
            _threshold(settings.rule(rule).warning, DEFAULTS[rule].unit),
            _threshold(settings.rule(rule).critical, DEFAULTS[rule].unit),
            DEFAULTS[rule].unit or "-",
            duration_text(settings.rule(rule).for_),
        )
        for rule in Rule
    ]
    columns = ("RULE", "GRAVEST", ">WARNING", ">CRITICAL", "UNIT", ">FOR")
    console.print(table(columns, rows))
    for window, maintenance in settings.maintenance.items():
        when = (
            f"{maintenance.cron} for {duration_text(maintenance.lasts)}"
            if maintenance.cron and maintenance.lasts
            else f"{maintenance.start} to {maintenance.end}"
        )
        console.print(f"maintenance {window}: {when}: {shown(maintenance.reason)}")


def _gravest(rule: RuleSettings) -> str:
    return rule.severity if rule.enabled else "off"


def _threshold(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return size(value) if unit == "bytes" else f"{value:,g}"
