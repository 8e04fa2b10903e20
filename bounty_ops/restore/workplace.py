"""A private directory for one verification, and clearing away those of dead ones."""

from __future__ import annotations

import secrets
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from bounty_ops.embedded.locks import FileLock
from bounty_ops.errors import EmbeddedError, PostgresError
from bounty_ops.restore.findings import Inconclusive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX: Final = "verification-"
_OWNER: Final = "owner"
#: Two segments of a server's write-ahead log: it takes back the one that did not fit.
_FULL_BELOW_BYTES: Final = 32 << 20


@contextmanager
def private_directory(work_dir: Path) -> Iterator[Path]:
    """A directory that only this user may enter, deleted at the end of the block.

    It holds a whole database in the clear, so those of verifications that were killed are deleted
    at the next chance. A lock tells them from those at work; the kernel drops it with its holder.
    """
    work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(work_dir / "verification.lock") as gate:
        gate.lock(exclusive=True, what="clearing the work directory")
        _sweep(work_dir)
        home = work_dir / f"{_PREFIX}{secrets.token_hex(6)}"
        home.mkdir(mode=0o700)
        mine = FileLock(home / _OWNER)
        mine.lock(exclusive=True, what="a new directory")
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        mine.close()


@contextmanager
def full_disk_told(work_dir: Path) -> Iterator[None]:
    """What fails in the block while the disk is full says so.

    A server that cannot write its log crashes, and all that its clients see is a lost connection.

    Raises:
        Inconclusive: instead of what was raised, if the disk is full.
    """
    try:
        yield
    except (Inconclusive, EmbeddedError, PostgresError) as error:
        left = shutil.disk_usage(work_dir).free
        if left >= _FULL_BELOW_BYTES:
            raise
        raise Inconclusive(
            f"the disk of {work_dir} is full ({left:,} bytes are left): {error}"
        ) from error


def _sweep(work_dir: Path) -> None:
    for home in work_dir.glob(f"{_PREFIX}*"):
        with FileLock(home / _OWNER) as owner:
            if owner.try_lock(exclusive=True):
                shutil.rmtree(home, ignore_errors=True)
