"""What tests of restores share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.restore.restores import Restores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops_tests.fix_backups import Backups


@pytest.fixture
def restores(backups: Backups) -> Iterator[Restores]:
    """Restores that leave no database behind."""
    made = Restores(backups)
    yield made
    made.clear()
