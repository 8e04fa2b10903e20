"""A collection through Dagster: four assets from one run, stored, judged, and plain to read."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import dagster as dg
import pytest

from bounty_ops.defs.collection import below_limit
from bounty_ops.defs.curves import MOST_POINTS, curves, thinned
from bounty_ops.defs.names import Names
from bounty_ops.environments import Policy
from bounty_ops.monitoring import (
    ConnectionLimit,
    Connections,
    latest_collections,
    store_collection,
)
from bounty_ops.postgres.connect import connect, engine
from bounty_ops_tests.alerting import measures as m

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

MEASURED = ("connection_stats", "slow_queries", "table_sizes", "index_usage")


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    key = dg.AssetKey(["development", asset])
    (event,) = [
        each.step_materialization_data.materialization
        for each in result.all_events
        if each.is_step_materialization and each.asset_key == key
    ]
    return {name: value.value for name, value in event.metadata.items()}


def image(markdown: str) -> ET.Element:
    """The drawing in a text that Dagster's Markdown shows as an image."""
    found = re.fullmatch(r"!\[[^\[\]]+\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", markdown)
    assert found is not None
    return ET.fromstring(base64.b64decode(found[1]))  # noqa: S314 - drawn a moment ago by ourselves


def checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    return {
        f"{each.asset_key.path[-1]}:{each.check_name}": (each.passed, each.severity.value)
        for each in result.get_asset_check_evaluations()
    }


def test_one_run_measures_all_four_and_stores_them(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE parent (id int PRIMARY KEY, note text)")
        connection.execute("CREATE TABLE child (parent int REFERENCES parent)")
        connection.execute("INSERT INTO parent SELECT n, 'x' FROM generate_series(1, 500) n")

    result = development.run("development_collect")

    assert result.success
    tables = metadata(result, "table_sizes")
    assert tables["tables"] == 2
    assert tables["total_bytes"] > 0
    assert "| public.parent |" in tables["by_table"]
    indexes = metadata(result, "index_usage")
    assert indexes["indexes"] == 1
    assert indexes["foreign_keys"] == 1
    assert "child" in indexes["findings"]
    connections = metadata(result, "connection_stats")
    assert connections["connections"] >= 1
    assert connections["used_ratio"] == connections["used"] / connections["usable"]
    assert "bounty-ops monitor" in connections["by_application"]
    assert "running_now" in metadata(result, "slow_queries")

    for asset, drawn in (
        (tables, "size_over_time"),
        (tables, "growth_over_time"),
        (connections, "used_over_time"),
        (metadata(result, "slow_queries"), "longest_over_time"),
    ):
        assert image(asset[drawn]).tag.endswith("svg")
    assert "public.parent" in "".join(image(tables["growth_over_time"]).itertext())
    assert tables["beside"] == dg.AssetKey(["development", "index_usage"])

    ids = {metadata(result, asset)["collection_id"] for asset in MEASURED}
    assert len(ids) == 1
    url = development.settings().require_ops_url()
    (stored,) = latest_collections(engine(url, application_name="tests"), "development", 5)
    assert set(stored.families) >= {"connections", "queries", "tables", "indexes"}


@pytest.mark.soak
def test_the_collection_judges_what_it_sees_and_what_it_does_not(development: Deployment) -> None:
    found = checks(development.run("development_collect"))
    assert found["connection_stats:below_limit"] == (True, "WARN")
    assert found["table_sizes:nothing_unknown"] == (True, "WARN")
    # The server of the tests has no pg_stat_statements: slow statements are unknown, not absent.
    assert found["slow_queries:nothing_unknown"] == (False, "WARN")
    # An empty database is not at the newest revision, and there is no backup of it.
    assert found["schema_revision:at_head"] == (False, "WARN")
    assert found["database_backup:fresh"] == (False, "ERROR")


@pytest.mark.soak
def test_old_samples_go_after_the_days_that_the_policy_keeps_them(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    policy = "[defaults]\nkeep_samples_days = 1\n"
    deployment = make_deployment(development=fresh_database, policy=policy)
    url = deployment.settings().require_ops_url()
    assert deployment.run("development_collect").success
    with connect(url, application_name="tests") as connection:
        connection.execute("UPDATE bounty_ops.collection SET taken_at = now() - interval '2 days'")

    assert deployment.run("development_collect").success

    assert len(latest_collections(engine(url, application_name="tests"), "development", 5)) == 1


@pytest.mark.soak
def test_a_bucket_that_is_away_fails_the_check_and_not_the_collection(
    development: Deployment,
) -> None:
    path = development.home / ".env"
    lines = [line for line in path.read_text("utf-8").splitlines() if "ENDPOINT" not in line]
    lines.append("AWS_ENDPOINT_URL_S3=http://127.0.0.1:9")
    path.write_text("\n".join(lines), encoding="utf-8")

    result = development.run("development_collect")

    assert result.success
    (fresh,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "fresh"]
    assert not fresh.passed
    assert "the bucket cannot be read" in (fresh.description or "")


def test_a_database_that_is_away_fails_the_run_with_a_hint_and_without_its_password(
    make_deployment: Callable[..., Deployment],
) -> None:
    away = "postgresql://role:secret-word@127.0.0.1:9/bounty"
    deployment = make_deployment(development=away)

    result = deployment.run("development_collect")

    failure = deployment.failure(result)
    assert "127.0.0.1:9" in (failure.description or "")
    assert failure.metadata["what to do"].value
    assert "secret-word" not in deployment.everything_told(result)


def test_a_run_of_an_unconfigured_environment_fails_with_its_reason(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(production="postgresql://role:p@ss@db/bounty")
    for job in ("collect", "nightly", "migrate"):
        result = deployment.run(f"production_{job}")
        failure = deployment.failure(result)
        assert "environment production is unconfigured" in (failure.description or "")
        assert "%40" in str(failure.metadata["what to do"].value)


@pytest.mark.parametrize(
    ("used", "passed", "severity"),
    [(79, True, "WARN"), (80, False, "WARN"), (89, False, "WARN"), (90, False, "ERROR")],
)
def test_below_limit_judges_the_share_by_the_policy(used: int, passed: bool, severity: str) -> None:
    limit = ConnectionLimit(kind="server", name=None, limit=100, used=used, ratio=used / 100)
    empty: dict[str, int] = {}
    found = Connections(
        total=used,
        hidden=0,
        usable=limit,
        limits=(limit,),
        by_state=empty,
        by_user=empty,
        by_application=empty,
        by_database=empty,
    )
    policy = Policy(connection_warning_ratio=0.8)
    result = below_limit(Names("development"), found, policy)
    assert (result.passed, result.severity.value) == (passed, severity)
    assert result.metadata["warning_ratio"].value == 0.8
    assert result.metadata["critical_ratio"].value == 0.9
    assert result.metadata["used"].value == used


def test_connections_that_could_not_be_counted_do_not_pass() -> None:
    result = below_limit(Names("development"), None, Policy())
    assert not result.passed
    assert "could not be counted" in (result.description or "")


def test_a_week_of_curves_stays_small_and_shows_every_line(
    make_database: Callable[..., DatabaseUrl],
) -> None:
    url = make_database(line="ops")
    operations = engine(url, application_name="tests")
    for hours in range(7 * 24 - 1, -1, -6):
        sizes = [m.table(name=f"table_{n}", total_bytes=m.GIB * (n + 1)) for n in range(9)]
        found = m.measured(m.connections(30 + hours % 20), m.tables(*sizes))
        store_collection(operations, replace(found, taken_at=m.NOW - timedelta(hours=hours)))
    (last,) = latest_collections(operations, "production", 1, now=m.NOW + timedelta(hours=1))

    drawn = {
        key: chart for each in curves(operations, last).values() for key, chart in each.items()
    }

    texts = {key: str(chart.value) for key, chart in drawn.items()}
    assert max(len(text) for text in texts.values()) < 12_000
    assert sum(len(text) for text in texts.values()) < 30_000
    told = "".join(image(texts["growth_over_time"]).itertext())
    assert [f"public.table_{n}" in told for n in range(9)] == [False] * 4 + [True] * 5
    points = [(m.NOW + timedelta(hours=n), float(n)) for n in range(168)]
    assert len(thinned(points)) <= MOST_POINTS
    assert thinned(points)[-1][1] == 167.0
