"""The program that restores a backup without this project, kept beside the backups.

It is a file of `bounty_ops.restore` that imports nothing of ours. It is read here as data: what
lies in the bucket must be the very file that is tested.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ObjectExists, ObjectNotFound

if TYPE_CHECKING:
    from bounty_ops.object_store import ObjectStore

#: Its key, relative to the bucket's prefix.
RECOVER: Final = "recover.py"
_VERSION: Final = re.compile(rb"^VERSION = (\d+)$", re.MULTILINE)


def recover_program() -> bytes:
    """The program."""
    return resources.files("bounty_ops").joinpath("restore", RECOVER).read_bytes()


def publish_recover(store: ObjectStore) -> bool:
    """Put the program into the bucket if it is not there, or is older than ours.

    A newer one stays: two machines with different versions of this project must not take turns.

    Returns:
        Whether it was written.

    Raises:
        ObjectStoreError: the bucket cannot be read or written.
    """
    mine = recover_program()
    try:
        there = store.get(RECOVER)
    except ObjectNotFound:
        there = b""
    if there == mine or (there and _version(there) > _version(mine)):
        return False
    if there:
        store.delete(RECOVER)
    try:
        store.put_if_absent(RECOVER, mine, content_type="text/x-python")
    except ObjectExists:  # another backup has put it there at this moment
        return False
    return True


def _version(program: bytes) -> int:
    match = _VERSION.search(program)
    return int(match[1]) if match else 0
