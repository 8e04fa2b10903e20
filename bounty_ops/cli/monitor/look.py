"""`bounty-ops monitor locks` and its like: one family, once or again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from rich.console import Group as Together
from rich.live import Live
from rich.text import Text

from bounty_ops.cli.console import clock, console, present, shown, table
from bounty_ops.cli.failure import Terminated
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import BountyOpsError, UsageError
from bounty_ops.monitoring import collect
from bounty_ops.monitoring.telling import FAMILY_OF, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType

    from bounty_ops.environments import Environment
    from bounty_ops.monitoring import CollectionResult

#: Looks that follow each other faster than people read only cost the server something.
SHORTEST_SECONDS = 0.5


def _look(name: str, summary: str) -> click.Command:
    @click.command(name, cls=Command, help=f"{summary}\n\nNothing is kept of it.")
    @click.option(
        "--watch",
        type=click.FloatRange(min=SHORTEST_SECONDS),
        is_flag=False,
        flag_value=2.0,
        metavar="[SECONDS]",
        help="Look again every so many seconds (default: 2), until Ctrl-C.",
    )
    @pass_invocation
    def look(invocation: Invocation, *, watch: float | None) -> None:
        if watch is not None and invocation.json:
            raise UsageError(
                "--watch shows a screen, and --json prints one document",
                hint="Leave one of them out; `monitor serve` gives numbers to programs",
            )
        with servers(invocation, database=True) as settings:
            environment = settings.environment(invocation.environment)
            if watch is not None:
                _watch(environment, name, watch)
                return
            with waiting(f"Measuring {environment.name}"):
                result = collect(environment, families=[FAMILY_OF[name]])
        present(invocation, result.to_json(), lambda screen: _draw(screen, result, name))

    return look


locks = _look("locks", "Who waits for whom, what takes long, and who holds VACUUM back.")
connections = _look("connections", "Who is connected, by state, role, application and database.")
queries = _look("queries", "The statements that cost most, and what runs now.")
tables = _look("tables", "The largest tables, their dead rows and their last vacuum.")
indexes = _look("indexes", "The largest indexes and their use.")


def _draw(screen: Console, result: CollectionResult, name: str) -> None:
    for part in _parts(result, name):
        screen.print(part)


def _parts(result: CollectionResult, name: str) -> list[RenderableType]:
    """One table below the other, then what could not be seen."""
    parts: list[RenderableType] = []
    # What a role may not look into is not nothing.
    empty = "none that can be seen; what cannot stands below" if result.unknown else "none"
    for one in TABLES[name](result):
        parts.append(Text(one.title, style="bold"))
        parts.append(table(one.columns, one.rows) if one.rows else Text(empty))
        if one.note and one.rows:
            parts.append(Text(one.note, style="dim"))
        parts.append(Text(""))
    for unknown in result.unknown:
        parts.append(Text(f"unknown: {shown(unknown.subject)}: {shown(unknown.reason)}"))
        parts.append(Text(f"    do:  {shown(unknown.remedy)}"))
    return parts


class Looks:
    """Looks that follow each other: each goes by what the one before left.

    So statements are shown with what they did since then, and what cannot have changed is not
    read again. Nothing is kept beyond this object.
    """

    def __init__(
        self,
        environment: Environment,
        name: str,
        measure: Callable[..., CollectionResult] = collect,
    ) -> None:
        self._environment = environment
        self._families = [FAMILY_OF[name]]
        self._measure = measure
        self._former: CollectionResult | None = None
        self._memory: dict[str, bytes] = {}

    def next(self) -> CollectionResult:
        """Measure once more; raises as `collect` does, and then the one before stays known."""
        found = self._measure(
            self._environment, families=self._families, former=self._former, memory=self._memory
        )
        self._former = found
        self._memory |= found.memory
        return found


def _watch(environment: Environment, name: str, seconds: float) -> None:
    """Until Ctrl-C, which is how a watch ends and no failure; an outage is shown and outlasted."""
    screen, looks = console(), Looks(environment, name)
    try:
        if not screen.is_terminal:  # a pipe: one look below the other
            while True:
                screen.print(Together(*_seen(environment, name, looks)))
                time.sleep(seconds)
        with Live(console=screen, screen=True, auto_refresh=False) as live:
            while True:
                live.update(Together(*_seen(environment, name, looks)), refresh=True)
                time.sleep(seconds)
    except Terminated:  # somebody else's wish
        raise
    except KeyboardInterrupt:
        return


def _seen(environment: Environment, name: str, looks: Looks) -> list[RenderableType]:
    try:
        result = looks.next()
    except BountyOpsError as error:
        return [Text(f"{environment.name}: {shown(str(error))}"), Text(f"    do:  {error.hint}")]
    head = Text(f"{environment.name} at {clock(result.taken_at)}, Ctrl-C ends", style="dim")
    return [head, Text(""), *_parts(result, name)]
