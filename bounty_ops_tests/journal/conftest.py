"""A journal of each test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings


@pytest.fixture
def journal(s3_prefix: ObjectStoreSettings) -> Journal:
    """A journal under a fresh prefix of the real store."""
    return Journal(ObjectStore(s3_prefix, patience_seconds=0))
