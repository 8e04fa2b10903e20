"""The order in which the archives of a backup are restored.

A lone archive is restored in one go. With shards: the definitions of the main archive, then the
rows of all archives side by side, then indexes, constraints and triggers, so that no row meets a
trigger or a foreign key too early.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class RunsPgRestore(Protocol):
    """Restores one section of one archive, or (None) all of it."""

    def __call__(self, archive: Path, section: str | None, *, jobs: int) -> None:
        """Return when it is done; raise if it ended badly."""


def restore_in_order(main: Path, shards: Sequence[Path], run: RunsPgRestore, *, jobs: int) -> None:
    """Restore a backup's archives into an empty database.

    Args:
        main: the archive of everything but the shards' rows.
        shards: archives of the rows of one table each.
        run: restores one of them.
        jobs: how many sessions restore at a time; with 1 everything happens in one fixed order.
    """
    if not shards:
        run(main, None, jobs=jobs)
        return
    run(main, "pre-data", jobs=1)
    with ThreadPoolExecutor(jobs, thread_name_prefix="bounty-ops-restore") as pool:
        # A failure waits for its neighbours: an archive of one table ends in finite time.
        list(pool.map(lambda archive: run(archive, "data", jobs=1), (main, *shards)))
    run(main, "post-data", jobs=jobs)
