"""Progress of a restore: bytes while it fetches, entries of the archives while it restores."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bounty_ops.restore.outcome import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def restore_progress(size_bytes: int) -> Iterator[Watching]:
    """Follow a restore: bytes while archives are fetched, entries while they are restored."""
    if not sys.stderr.isatty():
        yield Watching()
        return
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("Restoring", total=None, count="")
        yield Watching(
            fetched=lambda done: bar.update(
                task, completed=done, total=size_bytes, count=f"{done:,}/{size_bytes:,} bytes"
            ),
            restored=lambda done, total: bar.update(
                task, completed=done, total=total, count=f"{done}/{total} entries"
            ),
            step=lambda what: bar.reset(
                task, description=what[:1].upper() + what[1:], total=None, count=""
            ),
        )
