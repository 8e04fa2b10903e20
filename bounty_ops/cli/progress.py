"""Progress on standard error while long work runs, and only where a person looks at it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def byte_progress(what: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Follow a stream; the callback takes the bytes moved so far."""
    bar = () if total is None else (BarColumn(),)
    with _progress(what, total, (*bar, DownloadColumn(), TransferSpeedColumn())) as advance:
        yield advance


@contextmanager
def count_progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Follow work of known length; the callback takes how many are done."""
    with _progress(what, total, (BarColumn(), MofNCompleteColumn())) as advance:
        yield advance


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something goes on."""
    with _progress(what, None, ()):
        yield


@contextmanager
def _progress(
    what: str, total: float | None, columns: tuple[ProgressColumn, ...]
) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield _ignore
        return
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        *columns,
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _ignore(_done: int) -> None:
    """Nobody looks."""
