"""`bounty-ops demo`: one night through the real Dagster, and a report of it."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

from bounty_ops.cli import demo_report
from bounty_ops.cli.console import console as make_console
from bounty_ops.cli.console import present, shown
from bounty_ops.cli.dagster_client import DagsterClient
from bounty_ops.cli.demo_night import Performance, Step, check_unprotected
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import read_settings
from bounty_ops.cli.shared import Command
from bounty_ops.embedded import running_stack, stand_in, start_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.embedded import StackInfo
    from bounty_ops.environments import Settings


@click.command("demo", cls=Command)
@pass_invocation
def demo(invocation: Invocation) -> None:
    """Perform one night of operations and report it.

    Through a real Dagster: migrate the database, fill it, back it up to the bucket, restore the
    backup into a throw-away server, compare the two, and measure. Uses the stack of a running
    `bounty-ops up`, or starts one for its own duration. Exit code 0 only if the backup is proved.
    """
    began = time.monotonic()
    settings = read_settings(invocation)
    environment = settings.environment(invocation.environment)
    check_unprotected(environment)
    if not environment.can_be_embedded:
        environment.require_url()  # before any server is started in vain
    if not invocation.json:
        make_console().print("One night of operations, in fast motion.\n", style="bold")
    with _stack(invocation, settings, began) as (ui_url, complete, steps):
        night = Performance(
            settings=complete,
            environment=complete.environment(environment.name),
            embedded=environment.can_be_embedded,
            dagster=DagsterClient(ui_url),
            show=waiting,
            tell=lambda step: _tell(invocation, step),
            steps=steps,
        ).perform()
        # Told before the servers stop: nobody should wait for that with the result in hand.
        seconds = time.monotonic() - began
        present(
            invocation,
            demo_report.night_document(night, seconds),
            lambda console: demo_report.draw_night(console, night, seconds),
        )


@contextmanager
def _stack(
    invocation: Invocation, settings: Settings, began: float
) -> Iterator[tuple[str, Settings, list[Step]]]:
    """Dagster's address and complete settings: of the stack that runs, or of one of our own."""
    running = _with_ui(running_stack(settings))
    with ExitStack() as exits:
        if running is not None:
            complete = exits.enter_context(stand_in(settings))
            ui_url, detail = running, "the running stack is used"
        else:
            asked = time.time()
            with waiting("Starting PostgreSQL, S3 and Dagster"):
                stack = exits.enter_context(
                    start_stack(settings, dagster=True, say=lambda line: _say(invocation, line))
                )
            complete, ui_url = stack.settings, stack.ui_url or ""
            DagsterClient(ui_url).bury_orphans(before=asked)
            detail = "PostgreSQL, S3, Dagster's webserver, daemon and code server"
        invocation.redaction.learn(complete)
        step = Step("start", time.monotonic() - began, detail)
        _tell(invocation, step)
        yield ui_url, complete, [step]


def _with_ui(running: StackInfo | None) -> str | None:
    return running.ui_url if running is not None else None


def _tell(invocation: Invocation, step: Step) -> None:
    if not invocation.json:
        demo_report.draw_step(make_console(), step)


def _say(invocation: Invocation, line: str) -> None:
    """What the stack says about itself: the usual is left out, a port that is taken is not."""
    if not invocation.json and not line.startswith(("starting", "stopping")):
        make_console(stderr=True).print(shown(line), style="dim")
