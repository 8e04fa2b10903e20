"""What the tests of running revisions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops_tests.migrating.running.short_lines import connect

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


@pytest.fixture
def table(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with a table ``t`` of a hundred rows in it."""
    with connect(fresh_database) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b text)")
        connection.execute("INSERT INTO t SELECT n, n, 'b' || n FROM generate_series(1, 100) n")
    return fresh_database
