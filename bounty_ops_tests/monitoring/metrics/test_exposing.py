"""What is exposed was measured, lately; and rules and dashboard ask for nothing else."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bounty_ops.environments import Environment, Policy
from bounty_ops.monitoring import CollectionResult, collect
from bounty_ops.monitoring.metrics import METRICS, Exposed, exposition
from bounty_ops.monitoring.metrics.exposing import MAX_AGE
from bounty_ops.monitoring.metrics.registry import LARGEST_TABLES
from bounty_ops.monitoring.metrics.rules import RULES
from bounty_ops.monitoring.metrics.write_examples import examples
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def measured(fresh_database: DatabaseUrl) -> CollectionResult:
    with connect(fresh_database, application_name="tests") as connection:
        for number in range(LARGEST_TABLES + 3):
            connection.execute(f"CREATE TABLE t{number} (id int PRIMARY KEY)".encode())
        connection.execute("CREATE SEQUENCE used MAXVALUE 100")
        connection.execute("SELECT setval('used', 91)")
    return collect(Environment("production", fresh_database, Policy.of("production")))


def exposed(result: CollectionResult) -> Exposed:
    return Exposed(
        "production",
        dict.fromkeys(result.families, result),
        backup_age_seconds=3600,
        proof_age_seconds=7200,
        incidents={"critical": 1},
    )


def values(result: CollectionResult, after: timedelta = timedelta()) -> dict[str, list[float]]:
    text = exposition([exposed(result)], result.taken_at + after).decode()
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call] # it has no types
        for sample in family.samples:
            assert sample.labels["environment"] == "production"
            found.setdefault(sample.name, []).append(sample.value)
    return found


def test_everything_that_was_measured_is_exposed(measured: CollectionResult) -> None:
    found = values(measured)

    assert found["bounty_ops_fullest_sequence_ratio"] == [0.91]
    assert found["bounty_ops_tables"] == [LARGEST_TABLES + 3]
    assert len(found["bounty_ops_table_bytes"]) == LARGEST_TABLES
    assert found["bounty_ops_backup_age_seconds"] == [3600]
    assert found["bounty_ops_incidents"] == [1]
    # Nothing is archived: what was not measured is not exposed.
    missing = {one.full_name for one in METRICS} - found.keys()
    assert missing == {"bounty_ops_archive_failures_total"}


def test_what_is_too_old_is_not_exposed_but_its_age_is(measured: CollectionResult) -> None:
    later = values(measured, MAX_AGE["vitals"] + timedelta(seconds=1))

    assert "bounty_ops_connections_used" not in later
    assert later["bounty_ops_tables"] == [LARGEST_TABLES + 3]
    assert min(later["bounty_ops_collection_age_seconds"]) > 180


def test_rules_and_dashboard_ask_only_for_what_is_exposed(measured: CollectionResult) -> None:
    known = values(measured).keys() | {"bounty_ops_archive_failures_total"}
    asked = [rule.expression for rule in RULES]
    board = json.loads(examples()["grafana/bounty-ops.json"])
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [board["templating"]["list"][1]["query"]["query"]]

    names = {name for one in asked for name in re.findall(r"\bbounty_ops_\w+", one)}
    assert names <= known
    assert len(names) > 30


def test_panels_stand_beside_each_other() -> None:
    board = json.loads(examples()["grafana/bounty-ops.json"])
    places = [(one["gridPos"]["x"], one["gridPos"]["y"]) for one in board["panels"]]
    assert len(set(places)) == len(places)
    assert all(
        x + one["gridPos"]["w"] <= 24 for (x, _), one in zip(places, board["panels"], strict=True)
    )


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_examples_are_what_the_registry_says(name: str) -> None:
    assert (EXAMPLES / name).read_text("utf-8") == examples()[name]


def test_the_page_tells_of_every_metric() -> None:
    page = (EXAMPLES.parent / "docs/reference/metrics.md").read_text("utf-8")
    for one in METRICS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        row = (f"`{one.full_name}`", one.kind, labels, one.family.family, one.help)
        assert f"| {' | '.join(row)} |".replace("|  |", "| |") in page.replace("|  |", "| |")
