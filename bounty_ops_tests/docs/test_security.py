"""SECURITY.md shows the roles that `db grants` prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bounty_ops_tests.docs.security import PAGE, written

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def test_the_roles_are_those_that_the_command_prints(fresh_database: DatabaseUrl) -> None:
    page = PAGE.read_text(encoding="utf-8")
    now = written(page, fresh_database)
    if os.environ.get("BOUNTY_OPS_WRITE_SCREENS"):
        PAGE.write_text(now, encoding="utf-8")
        return
    assert page == now, "run this test with BOUNTY_OPS_WRITE_SCREENS=1"
