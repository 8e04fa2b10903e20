"""The schema is compared every night, and new migrations in the code are noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from bounty_ops.defs.schema_checks import linted
from bounty_ops.migrating.lineage import Lineage
from bounty_ops.migrating.lint import Finding
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.migrating.lines import longer_line, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

KEY = dg.AssetKey(["development", "schema_revision"])


def checks(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def use_line(monkeypatch: pytest.MonkeyPatch, location: Path) -> None:
    """Let the migration files of Bounty's line be those of a directory."""
    own = Lineage.directory

    def directory(line: Lineage) -> Path:
        return location if line.name == "bounty" and line.location is None else own(line)

    monkeypatch.setattr(Lineage, "directory", directory)


def test_the_nightly_check_of_the_schema_names_what_somebody_changed_by_hand(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    migrate(fresh_database)
    sound = checks(development.run("development_check_schema"))
    assert {name: each.passed for name, each in sound.items()} == {
        "at_head": True,
        "no_drift": True,
        "lint": True,
    }
    run(fresh_database, "ALTER TABLE bounty ADD COLUMN by_hand int")
    result = development.run("development_check_schema")
    assert result.success
    drifted = checks(result)["no_drift"]
    assert not drifted.passed
    assert "1 differences from bounty_0001" in (drifted.description or "")
    assert "by_hand" in drifted.metadata["differences"].value
    assert "DROP COLUMN" in drifted.metadata["sql"].value


def test_the_collection_leaves_what_takes_long_to_the_night(development: Deployment) -> None:
    job = development.definitions().resolve_job_def("development_collect")
    asked = {key.name for key in job.asset_layer.asset_graph.asset_check_keys}
    assert "at_head" in asked
    assert not asked & {"no_drift", "lint"}


def test_a_database_that_does_not_answer_is_not_known_to_be_sound(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(development="postgresql://bounty:planted@127.0.0.1:1/bounty")
    result = deployment.run("development_check_schema")
    assert not result.success  # the revision could not be read
    assert "planted" not in deployment.everything_told(result)


@pytest.mark.parametrize(
    ("level", "passed"), [("error", False), ("warning", True), ("advice", True)]
)
def test_the_check_of_the_linter_fails_for_errors_only(level: Any, passed: bool) -> None:  # noqa: ANN401 - a literal
    finding = Finding("some-rule", level, 1, "It blocks.", "ACCESS EXCLUSIVE", "Otherwise.")
    result = linted({"bounty_0002": (finding,)})
    assert result.passed is passed
    assert "some-rule" in str(result.metadata["findings"].value)


def tick(deployment: Deployment, cursor: str | None = None) -> tuple[str, str | None, int]:
    """What the sensor says, its cursor, and how many observations it made."""
    sensor = deployment.definitions().resolve_sensor_def("development_new_revisions")
    with dg.build_sensor_context(instance=deployment.instance, cursor=cursor) as context:
        found = sensor.evaluate_tick(context)
    assert not found.run_requests
    return found.skip_message or "", found.cursor, len(found.asset_events)


def test_new_revisions_in_the_code_are_noticed_once(
    development: Deployment,
    fresh_database: DatabaseUrl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    migrate(fresh_database)
    said, first, events = tick(development)
    assert (said, events) == (
        "bounty_0001 is the newest revision; at head (bounty_0001)",
        1,
    )
    said, same, events = tick(development, first)
    assert (said, same, events) == ("bounty_0001 is the newest revision still", first, 0)

    use_line(monkeypatch, longer_line(tmp_path / "next", "CREATE TABLE a (id int)").directory())
    said, second, events = tick(development, first)
    assert "bounty_0002 pending: the database is at bounty_0001" in said
    assert "Launch development_migrate as it stands" in said
    assert events == 1
    assert second != first


def test_while_the_database_is_away_a_new_revision_is_not_forgotten(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(development="postgresql://bounty:planted@127.0.0.1:1/bounty")
    said, cursor, events = tick(deployment, "something older")
    assert "127.0.0.1:1/bounty" in said
    assert "planted" not in said
    assert cursor in {None, "something older"}
    assert events == 0
