"""Announcing an import, so that no backup's sweep takes its upload for that of a dead one.

A backup holds the lock of the database that it reads, so no other backup of it runs, and every
unfinished upload of its environment is a dead one's. An import holds no such lock: it reads a file.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bounty_ops.errors import ObjectExists, ObjectStoreError
from bounty_ops.journal import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.object_store import ObjectStore

logger = logging.getLogger(__name__)


@contextmanager
def import_announced(store: ObjectStore, environment: str, backup_id: str) -> Iterator[None]:
    """Announce an import for the length of the block.

    Raises:
        ObjectStoreError: the bucket said no; nothing was stored.
    """
    key = layout.announcement_key(environment, backup_id)
    try:
        store.put_if_absent(key, b"{}\n")
    except ObjectExists:  # never of other content; a store that lost its own answer
        logger.info("%s was announced already", key)
    try:
        yield
    finally:
        try:
            store.delete_versions(key)
        except ObjectStoreError as error:  # the sweep of a later backup removes it
            logger.warning("%s could not be removed: %s", key, error)
