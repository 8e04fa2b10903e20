"""The archives of a backup on this machine's disk, for as long as they are needed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.errors import RestoreError
from bounty_ops.restore.fetch import fetch_backup
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.workplace import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from bounty_ops.journal.records import Manifest
    from bounty_ops.object_store import ObjectStore

Table = tuple[str, str]


@dataclass(frozen=True)
class Archives:
    """Plain archives of pg_dump."""

    main: Path
    shards: tuple[tuple[Table, Path], ...]
    """Archives of the rows of one table each."""

    def chosen_shards(self, tables: Collection[Table] | None) -> list[Path]:
        """The shards of these tables, or all."""
        return [path for table, path in self.shards if tables is None or table in tables]


@contextmanager
def fetched(
    manifest: Manifest,
    store: ObjectStore,
    work_dir: Path,
    *,
    identities: Sequence[str],
    progress: Callable[[int], None],
) -> Iterator[Archives]:
    """Fetch, check and decrypt the archives; they are deleted at the end of the block.

    Raises:
        RestoreError: they are not what the manifest says, there is no room, or no key fits.
        ObjectStoreError: the bucket cannot be used.
    """
    with private_directory(work_dir) as home:
        try:
            found = fetch_backup(manifest, store, home, identities=identities, progress=progress)
        except Refuted as finding:
            raise _damaged(manifest, finding) from None
        except Inconclusive as finding:
            raise RestoreError(
                f"the archives of {manifest.id} cannot be used here: {finding}",
                hint="Nothing was changed. Correct the cause and run it again.",
            ) from None
        tables = [one.table for one in manifest.shards]
        names = [(one.schema_name, one.name) for one in tables if one is not None]
        yield Archives(found.main, tuple(zip(names, found.shards, strict=True)))


def _damaged(manifest: Manifest, finding: Refuted) -> RestoreError:
    difference = finding.difference
    found = "nothing is there" if difference.found is None else f"it has {difference.found}"
    return RestoreError(
        f"{difference.object} of backup {manifest.id} is not what was stored: {found}",
        hint="Nothing was changed. Take another backup (bounty-ops backup list), or a copy of this "
        "one from another bucket or an older version of the object.",
    )
