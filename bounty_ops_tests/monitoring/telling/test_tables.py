"""Statements as people see them: counted, counted since the look before, or found by looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.monitoring import collect
from bounty_ops.monitoring.telling.tables import query_tables
from bounty_ops_tests.monitoring.conftest import Session, environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl


def test_where_nobody_counts_statements_are_those_that_looks_found(
    fresh_database: DatabaseUrl,
) -> None:
    environment = environment_of(fresh_database, sampling_seconds=0.1)
    counted, _ = query_tables(collect(environment, families=["queries"]))
    assert counted.title == "Statements by the time for which looks found them running"
    assert counted.note.startswith("Looked for ")


def test_a_second_look_tells_what_statements_did_since_the_first(
    statements_server: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(statements_server, "CREATE EXTENSION pg_stat_statements")
    try:
        execute(statements_server, "SELECT pg_stat_statements_reset()")  # it keeps a hundred
        environment = environment_of(statements_server)
        first = collect(environment, families=["queries"])
        before, _ = query_tables(first)
        assert before.columns[0] == ">Time"
        session = open_session(statements_server)
        for _ in range(7):
            # Only the costliest are listed; the looks themselves cost something as well.
            session.execute("SELECT pg_sleep(0.05) AS between_two_looks")
        second = collect(environment, families=["queries"], memory=first.memory)
        after, _ = query_tables(second)
        assert after.columns[:2] == (">Lately", ">Calls")
        (row,) = [row for row in after.rows if "between_two_looks" in row[-1]]
        assert row[1] == "7"
        assert after.note.endswith("100% of the calls of that time are known.")
    finally:
        execute(statements_server, "DROP EXTENSION pg_stat_statements CASCADE")
