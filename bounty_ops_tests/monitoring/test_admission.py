"""A collection that would be in the way leaves at once, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.monitoring import collect
from bounty_ops_tests.monitoring.conftest import (
    Session,
    environment_of,
    eventually,
    execute,
    look_is_over,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

CHEAP = ["connections", "activity", "database"]
OURS = "bounty-ops monitor"


@pytest.mark.parametrize(("running", "measured"), [(1, CHEAP), (2, [])])
def test_at_most_two_collections_of_a_database_run_at_once(
    fresh_database: DatabaseUrl,
    open_session: Callable[..., Session],
    running: int,
    measured: list[str],
) -> None:
    for _ in range(running):
        open_session(fresh_database, application_name=OURS)
    result = collect(environment_of(fresh_database), families=CHEAP)
    assert list(result.families) == measured
    missing = [name for name in CHEAP if name not in measured]
    assert [(each.family, each.subject) for each in result.unknown] == [
        (name, "everything") for name in missing
    ]
    assert all("2 other collections" in each.reason for each in result.unknown)


def test_collections_of_other_databases_do_not_count(
    make_database: Callable[..., DatabaseUrl], open_session: Callable[..., Session]
) -> None:
    here, elsewhere = make_database(), make_database()
    for _ in range(3):
        open_session(elsewhere, application_name=OURS)
    assert list(collect(environment_of(here), families=CHEAP).families) == CHEAP


def test_with_few_free_connections_only_they_are_counted(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "ALTER DATABASE {} CONNECTION LIMIT 7", fresh_database.database)
    open_session(fresh_database)
    assert list(collect(environment_of(fresh_database), families=CHEAP).families) == CHEAP
    eventually(lambda: look_is_over(fresh_database))
    open_session(fresh_database)
    result = collect(environment_of(fresh_database), families=CHEAP)
    assert list(result.families) == ["connections"]
    assert [each.family for each in result.unknown] == ["activity", "database"]
    eventually(lambda: look_is_over(fresh_database))
    assert all("only 4 connections are free" in each.reason for each in result.unknown)
    assert not collect(environment_of(fresh_database), families=["activity"]).families


def test_the_limit_of_a_role_counts_only_where_others_use_it_too(
    fresh_database: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
) -> None:
    watcher = make_role(fresh_database, "CONNECTION LIMIT 3 IN ROLE pg_monitor")
    assert list(collect(environment_of(watcher), families=CHEAP).families) == CHEAP
    eventually(lambda: look_is_over(fresh_database))
    open_session(watcher, application_name="web")
    assert list(collect(environment_of(watcher), families=CHEAP).families) == ["connections"]
