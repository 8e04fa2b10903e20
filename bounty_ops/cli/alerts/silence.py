"""`bounty-ops alerts silence` and `unsilence`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import click

from bounty_ops.alerting.silences import require_sensible_silence
from bounty_ops.alerting.silences import silence as begin_silence
from bounty_ops.alerting.silences import unsilence as end_silence
from bounty_ops.cli.alerts.register import NUMBER, operations
from bounty_ops.cli.console import clock, present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.shared import Command
from bounty_ops.environments.alert_rules import Rule
from bounty_ops.environments.durations import parse_duration
from bounty_ops.errors import UsageError


@click.command("silence", cls=Command)
@click.option(
    "--for", "lasts", metavar="SPAN", required=True, help="How long: 30m, 4h, 7d. At most 90d."
)
@click.option("--reason", metavar="TEXT", required=True, help="Why; other people will read it.")
@click.option("--rule", metavar="PATTERN", default="*", help="Name of rules, with * and ?.")
@click.option("--subject", metavar="PATTERN", default="*", help="The same for subjects.")
@pass_invocation
def silence(invocation: Invocation, *, lasts: str, reason: str, rule: str, subject: str) -> None:
    """Keep incidents quiet for a while; they are recorded all the same.

    Of the environment that -e names, or of all where it is not given. What was told already is
    still told to be over.
    """
    _require_a_rule(rule)
    span = _span(lasts)  # before any server is asked
    require_sensible_silence(reason, span)
    with operations(invocation) as engine:
        made = begin_silence(
            engine,
            environment=invocation.environment or "*",
            rule=rule,
            subject=subject,
            reason=invocation.redaction.apply(reason),
            by=operator_name(),
            starts_at=datetime.now(UTC),
            lasts=span,
        )
    present(
        invocation,
        asdict(made),
        lambda console: console.print(
            f"Silence {made.id}: {made.rule} of {made.subject} in {made.environment} is not told "
            f"until {clock(made.ends_at)}; bounty-ops alerts unsilence {made.id} ends it"
        ),
    )


def _require_a_rule(pattern: str) -> None:
    if not set(pattern) & set("*?[") and pattern not in set(Rule):
        raise UsageError(
            f"there is no rule {pattern!r}", hint="bounty-ops alerts rules lists them all."
        )


def _span(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(str(error), hint="For example --for 4h.") from None


@click.command("unsilence", cls=Command)
@click.argument("identity", metavar="ID", type=NUMBER)
@pass_invocation
def unsilence(invocation: Invocation, identity: int) -> None:
    """End a silence before its time; what is still wrong is told at the next look."""
    with operations(invocation) as engine:
        ended = end_silence(engine, identity, by=operator_name(), now=datetime.now(UTC))
    present(
        invocation,
        asdict(ended),
        lambda console: console.print(f"Silence {ended.id} is over"),
    )
