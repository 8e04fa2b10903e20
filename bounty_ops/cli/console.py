"""What a person sees: tables, sizes and times on standard output."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bounty_ops.cli.document import as_text
from bounty_ops.cli.failure import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bounty_ops.cli.invocation import Invocation

# Nobody sees where a line ends in a pipe, and a wrapped table cannot be searched with grep.
_PIPE_WIDTH = 200
_KIB = 1024
_MINUTE = 60


def present(invocation: Invocation, document: object, render: Callable[[Console], None]) -> None:
    """Answer once: as a JSON document, or drawn by `render`."""
    if invocation.json:
        click.echo(as_text(document))
        return
    render(console())


def console(*, stderr: bool = False) -> Console:
    """A console that takes text as it is: what a database says is never markup."""
    stream = sys.stderr if stderr else sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows `?`
    width = None if stream.isatty() else _PIPE_WIDTH
    return _Console(
        file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True, width=width
    )


class _Console(Console):
    """One that leaves it to `main` what it means that nobody reads on."""

    def on_broken_pipe(self) -> None:
        """Pass it on: Rich would end the process with 1, which says that a check found something.

        Raises BrokenPipeError.
        """
        raise BrokenPipeError


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; a column whose title begins with `>` is aligned to the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(">")
        drawn.add_column(column.lstrip(">"), justify="right" if right else "left")
    for row in rows:
        drawn.add_row(*(item if isinstance(item, Text) else Text(shown(item)) for item in row))
    return drawn


_COLOURS = {
    "ok": "green", "proved": "green", "complete": "green",
    "warning": "yellow", "inconclusive": "yellow", "unverified": "yellow", "unknown": "yellow",
    "failed": "red", "refuted": "red", "damaged": "red", "error": "red", "critical": "red",
}  # fmt: skip


def state(word: str) -> Text:
    """A word in the colour of what it means."""
    return Text(word, style=_COLOURS.get(word, ""))


def shown(value: object) -> str:
    """Any value in a cell; nothing is a dash."""
    return "-" if value is None or value == "" else one_line(str(value))


def clock(moment: datetime | None) -> str:
    """A time for a person; always UTC, and it says so."""
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def size(count: float | None) -> str:
    """`12.3 MiB`."""
    if count is None:
        return "-"
    number = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < _KIB:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= _KIB
    return f"{number:.1f} TiB"


def span(seconds: float | None) -> str:
    """`1.2 s`, `2 min 5 s`."""
    if seconds is None:
        return "-"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"


def warn(message: str) -> None:
    """One line on standard error about something that did not stop the work."""
    click.echo(f"warning: {one_line(message)}", err=True)
