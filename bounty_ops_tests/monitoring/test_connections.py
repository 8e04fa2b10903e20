"""Connections are counted right, against the limit that really binds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.monitoring import CollectionResult, ConnectionLimit, Connections, collect
from bounty_ops.monitoring.collectors.connections import connection_limit, tightest
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl


def _connections(url: DatabaseUrl) -> tuple[Connections, CollectionResult]:
    result = collect(environment_of(url), families=["connections"])
    connections = result.family(Connections)
    assert connections is not None
    return connections, result


def _max_connections(url: DatabaseUrl) -> int:
    with psycopg.connect(**url.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        row = connection.execute("SELECT current_setting('max_connections')::int").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_connections_are_counted_by_state_user_and_application(
    make_database: Callable[..., DatabaseUrl],
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., psycopg.Connection],
    major: int,
) -> None:
    url = make_database(major=major)
    app = make_role(url)
    for _ in range(3):
        open_session(app, application_name="web")
    open_session(app, application_name="worker", autocommit="no").execute("SELECT 1")

    connections, result = _connections(url)

    assert connections.by_user[app.user] == 4
    assert connections.by_application["web"] == 3
    assert connections.by_application["worker"] == 1
    assert connections.by_application["bounty-ops monitor"] == 1
    assert connections.by_database[url.database] == 5
    assert connections.by_state["idle in transaction"] == 1
    assert connections.by_state["idle"] >= 3
    assert connections.hidden == 0
    assert connections.total == sum(connections.by_state.values())
    assert result.unknown == ()


def test_the_usable_limit_of_the_server_leaves_out_what_is_reserved(
    fresh_database: DatabaseUrl,
) -> None:
    connections, _ = _connections(fresh_database)
    (server,) = connections.limits
    assert server.kind == "server"
    assert server.limit == _max_connections(fresh_database) - 3  # superuser_reserved_connections
    assert connections.usable == server


def test_what_is_reserved_on_newer_servers_is_not_usable(statements_server: DatabaseUrl) -> None:
    connections, _ = _connections(statements_server)
    assert connections.limits[0].limit == _max_connections(statements_server) - 3 - 5


def test_the_limit_of_the_database_binds_when_it_is_nearer(
    fresh_database: DatabaseUrl, open_session: Callable[..., psycopg.Connection]
) -> None:
    execute(fresh_database, "ALTER DATABASE {} CONNECTION LIMIT 5", fresh_database.database)
    open_session(fresh_database)
    open_session(fresh_database)

    connections, _ = _connections(fresh_database)

    assert connections.usable.kind == "database"
    assert connections.usable.name == fresh_database.database
    assert (connections.usable.used, connections.usable.limit) == (3, 5)
    assert connections.usable.ratio == pytest.approx(0.6)


def test_the_limit_of_a_role_binds_when_it_is_nearer_even_of_another_role_than_ours(
    fresh_database: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., psycopg.Connection],
) -> None:
    app = make_role(fresh_database, "CONNECTION LIMIT 2")
    open_session(app)
    open_session(app)

    connections, _ = _connections(fresh_database)

    assert (connections.usable.kind, connections.usable.name) == ("role", app.user)
    assert connections.usable.ratio == 1.0


def test_a_limited_role_that_is_not_connected_here_does_not_count(
    fresh_database: DatabaseUrl, make_role: Callable[..., DatabaseUrl]
) -> None:
    make_role(fresh_database, "CONNECTION LIMIT 1")
    connections, _ = _connections(fresh_database)
    assert [limit.kind for limit in connections.limits] == ["server"]


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_a_role_with_few_privileges_counts_all_but_reports_states_as_unknown(
    make_database: Callable[..., DatabaseUrl],
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., psycopg.Connection],
    major: int,
) -> None:
    url = make_database(major=major)
    nobody = make_role(url)
    for _ in range(4):
        open_session(url, application_name="web")

    connections, result = _connections(nobody)

    assert connections.by_database[url.database] == 5
    assert connections.hidden >= 4
    assert connections.by_state["unknown"] == connections.hidden
    assert "web" not in connections.by_application
    (unknown,) = result.unknown
    assert unknown.family == "connections"
    assert f"GRANT pg_read_all_stats TO {nobody.user}" in unknown.remedy


@pytest.mark.parametrize("granted", ["pg_read_all_stats", "pg_monitor"])
def test_the_documented_grants_are_enough_to_see_every_state(
    fresh_database: DatabaseUrl,
    make_role: Callable[..., DatabaseUrl],
    open_session: Callable[..., psycopg.Connection],
    granted: str,
) -> None:
    watcher = make_role(fresh_database, f"IN ROLE {granted}")
    open_session(fresh_database, application_name="web")
    connections, result = _connections(watcher)
    assert connections.by_application["web"] == 1
    assert result.unknown == ()


_limits = st.lists(
    st.builds(
        connection_limit,
        kind=st.sampled_from(["server", "database", "role"]),
        name=st.none(),
        limit=st.integers(0, 1000),
        used=st.integers(0, 1000),
    ),
    min_size=1,
)


@given(_limits)
def test_no_limit_is_nearer_than_the_tightest(limits: list[ConnectionLimit]) -> None:
    chosen = tightest(limits)
    assert all(limit.ratio <= chosen.ratio for limit in limits)
    assert chosen in limits


def test_a_limit_of_zero_is_used_up() -> None:
    assert connection_limit("role", "locked_out", 0, 0).ratio == 1.0
