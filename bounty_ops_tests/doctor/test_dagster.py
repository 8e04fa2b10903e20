"""What `doctor` says about Dagster, from its packages, its file and its database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.doctor.dagster import examine_dagster, judge_instance, judge_versions
from bounty_ops.doctor.result import State
from bounty_ops.environments import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.doctor import CheckResult
    from bounty_ops.environments import DatabaseUrl

TABLES = """
CREATE SCHEMA dagster;
CREATE TABLE dagster.daemon_heartbeats (daemon_type text, "timestamp" timestamp);
CREATE TABLE dagster.instigators (selector_id text, status text, instigator_body text);
CREATE TABLE dagster.job_ticks (selector_id text, "timestamp" timestamp);
INSERT INTO dagster.job_ticks VALUES ('development_watch', now() AT TIME ZONE 'utc');
"""


def _examined(storage: DatabaseUrl, home: Path) -> dict[str, CheckResult]:
    settings = load_settings(home, {})
    variables = {
        "DAGSTER_PG_HOST": storage.host,
        "DAGSTER_PG_PORT": str(storage.port),
        "DAGSTER_PG_DB": storage.database,
        "DAGSTER_PG_USER": storage.user,
        "DAGSTER_PG_PASSWORD": storage.password or "",
    }
    return {each.name: each for each in examine_dagster(settings, variables)}


def _fill(storage: DatabaseUrl, minutes: int, statuses: dict[str, str]) -> None:
    with psycopg.connect(**storage.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # all are text
        connection.execute(TABLES)
        connection.execute(
            "INSERT INTO dagster.daemon_heartbeats VALUES ('SENSOR',"
            " (now() AT TIME ZONE 'utc') - make_interval(mins => %s))",
            [minutes],
        )
        for name, status in statuses.items():
            connection.execute(
                "INSERT INTO dagster.instigators VALUES (%s, %s, %s)",
                [name, status, json.dumps({"origin": {"job_name": name}})],
            )


def test_what_runs_is_well(fresh_database: DatabaseUrl, tmp_path: Path) -> None:
    running = {"development_nightly_schedule": "DECLARED_IN_CODE", "development_watch": "RUNNING"}
    _fill(fresh_database, 0, running)
    found = _examined(fresh_database, tmp_path)
    assert [name for name, each in found.items() if each.state is not State.OK] == []


def test_a_silent_daemon_is_a_failure_and_a_schedule_that_is_off_a_warning(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    _fill(fresh_database, 20, {"development_nightly_schedule": "STOPPED"})
    found = _examined(fresh_database, tmp_path)
    assert found["daemon"].state is State.FAILED
    assert "20 minutes: SENSOR" in found["daemon"].cause
    assert found["schedules"].state is State.WARNING
    assert "development_nightly_schedule (stopped)" in found["schedules"].cause
    assert "development_watch (missing)" in found["schedules"].cause


def test_a_database_that_is_not_dagsters_is_a_failure(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    assert _examined(fresh_database, tmp_path)["storage"].state is State.FAILED


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("storage: {postgres: {postgres_db: {scheme: postgresql+psycopg2}}}", State.OK),
        ("storage: {postgres: {postgres_url: 'postgresql+psycopg2://a@b/c'}}", State.OK),
        ("storage: {postgres: {postgres_db: {hostname: h}}}", State.FAILED),
        ("storage: {postgres: {postgres_url: 'postgresql://a@b/c'}}", State.FAILED),
        ("storage: {postgres: {postgres_url: {env: URL}}}", State.UNKNOWN),
        ("telemetry: {enabled: false}", State.WARNING),
        ("{", State.FAILED),
        ("just a word", State.FAILED),
    ],
)
def test_the_driver_of_the_storage_is_judged(tmp_path: Path, text: str, state: State) -> None:
    path = tmp_path / "dagster.yaml"
    path.write_text(text)
    assert judge_instance(path).state is state


def test_packages_of_two_releases_are_a_failure() -> None:
    good = {
        "dagster": "1.13.27",
        "dagster-webserver": "1.13.27",
        "dagster-graphql": "1.13.27",
        "dagster-postgres": "0.29.27",
    }
    assert judge_versions(good).state is State.OK
    found = judge_versions({**good, "dagster-postgres": "0.11.0"})
    assert found.state is State.FAILED
    assert "dagster-postgres==0.29.27" in (found.remedy or "")
