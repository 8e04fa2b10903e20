"""What schedules and the sensor do at a tick, with servers that are there and that are not."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from sqlalchemy import select

from bounty_ops.migrating import migrate_ops
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.ops import Incident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

BROKEN = "postgresql://role:p@ss@db/bounty"


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An Apprise URL of a real web server, and what it was sent."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/hook", received
        server.shutdown()
        thread.join()


def tick(deployment: Deployment, environment: str = "development") -> str:
    """The text that the sensor leaves in its tick history."""
    sensor = deployment.definitions().resolve_sensor_def(f"{environment}_watch")
    with dg.build_sensor_context(instance=deployment.instance) as context:
        found = sensor.evaluate_tick(context)
    assert not found.run_requests
    assert found.skip_message
    return found.skip_message


def launch(deployment: Deployment, schedule: str) -> tuple[int, str | None]:
    """How many runs a tick of a schedule asks for, and why none."""
    definition = deployment.definitions().resolve_schedule_def(schedule)
    assert isinstance(definition, dg.ScheduleDefinition)
    now = datetime.now(UTC)
    with dg.build_schedule_context(deployment.instance, scheduled_execution_time=now) as context:
        found = definition.evaluate_tick(context)
    return len(found.run_requests or ()), found.skip_message


def incidents(deployment: Deployment, state: str) -> set[str]:
    url = deployment.settings().require_ops_url()
    migrate_ops(url)
    with engine(url, application_name="tests").connect() as connection:
        return set(connection.scalars(select(Incident.rule).where(Incident.state == state)))


@pytest.mark.parametrize("job", ["nightly", "collect"])
def test_a_schedule_of_a_configured_environment_launches_its_job(
    development: Deployment, job: str
) -> None:
    assert launch(development, f"development_{job}_schedule") == (1, None)


@pytest.mark.parametrize("job", ["nightly", "collect"])
def test_a_schedule_of_an_unconfigured_environment_skips_and_says_why(
    make_deployment: Callable[..., Deployment], job: str
) -> None:
    deployment = make_deployment(production=BROKEN)
    runs, why = launch(deployment, f"production_{job}_schedule")
    assert runs == 0
    assert "unencoded `@`" in (why or "")
    assert "%40" in (why or "")


def test_a_database_that_is_to_stay_suspended_is_not_measured(development: Deployment) -> None:
    policy = "[environments.development]\nmonitor_wakes = false\n"
    (development.home / "bounty_ops.toml").write_text(policy, encoding="utf-8")
    runs, why = launch(development, "development_collect_schedule")
    assert runs == 0
    assert "`monitor_wakes` is false" in (why or "")
    assert launch(development, "development_nightly_schedule") == (1, None)


def test_a_corrected_setting_works_without_a_reload(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    deployment = make_deployment(staging=BROKEN)
    loaded = deployment.definitions().resolve_schedule_def("staging_nightly_schedule")
    assert isinstance(loaded, dg.ScheduleDefinition)
    assert loaded.evaluate_tick(dg.build_schedule_context()).skip_message

    text = f"DATABASE_URL={fresh_database.text()}"
    (deployment.home / ".env.staging").write_text(text, encoding="utf-8")
    with dg.build_schedule_context(deployment.instance) as context:
        assert len(loaded.evaluate_tick(context).run_requests or ()) == 1


def test_an_environment_without_a_backup_alerts_once_and_launches_nothing(
    make_deployment: Callable[..., Deployment],
    fresh_database: DatabaseUrl,
    webhook: tuple[str, list[dict[str, str]]],
) -> None:
    url, received = webhook
    deployment = make_deployment(development=fresh_database)
    with (deployment.home / ".env").open("a", encoding="utf-8") as shared:
        shared.write(f"\nALERT_URL={url}\n")
    (deployment.home / "bounty_ops.toml").write_text(
        '[environments.development.alerts]\ntell = "warning"\n', encoding="utf-8"
    )

    first, second = tick(deployment), tick(deployment)

    assert "there is no complete backup" in first
    assert "opened" in first
    assert "there is no complete backup" in second
    assert "opened" not in second
    # What other tests leave on the server, such as a slot that nobody reads, is told as well.
    assert {"backup_overdue", "proof_overdue"} <= incidents(deployment, "firing")
    titles = [message["title"] for message in received]
    assert sum("no complete backup" in title for title in titles) == 1
    assert not [title for title in titles if "proved" in title]  # it follows from the other


def test_a_server_that_is_away_is_a_finding_and_never_a_failed_tick(
    make_deployment: Callable[..., Deployment],
) -> None:
    away = "postgresql://role:secret-word@127.0.0.1:9/bounty"
    deployment = make_deployment(development=away)
    told = tick(deployment)
    assert "the server cannot be reached" in told
    assert "secret-word" not in told
    assert "server_unreachable" in incidents(deployment, "pending")  # until it has lasted


def test_a_bucket_that_is_away_is_a_finding_too(development: Deployment) -> None:
    path = development.home / ".env"
    lines = [line for line in path.read_text("utf-8").splitlines() if "ENDPOINT" not in line]
    lines.append("AWS_ENDPOINT_URL_S3=http://127.0.0.1:9")
    path.write_text("\n".join(lines), encoding="utf-8")

    told = tick(development)
    assert "the bucket cannot be reached" in told
    assert "undecided: " in told
    assert "bucket_unreachable" in incidents(development, "pending")  # until it has lasted


def test_an_operations_database_that_is_away_is_told_in_the_tick_history(
    development: Deployment,
) -> None:
    path = development.home / ".env"
    lines = [line for line in path.read_text("utf-8").splitlines() if "OPS_" not in line]
    lines.append("OPS_DATABASE_URL=postgresql://role:secret-word@127.0.0.1:9/ops")
    path.write_text("\n".join(lines), encoding="utf-8")

    told = tick(development)
    assert told.startswith("the rules could not be evaluated: ")
    assert "127.0.0.1:9" in told
    assert "secret-word" not in told


def test_an_environment_that_never_worked_skips_with_the_reason(
    make_deployment: Callable[..., Deployment],
) -> None:
    deployment = make_deployment(production=BROKEN)
    assert "unencoded `@`" in tick(deployment, "production")
    assert incidents(deployment, "firing") == set()
