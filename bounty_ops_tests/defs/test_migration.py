"""The migration form: harmless as it stands, exact when a digest is given, and on record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from sqlalchemy import select

from bounty_ops.migrating import current_revision, plan_migration
from bounty_ops.postgres.connect import connect, engine
from bounty_ops.schema.ops import MigrationRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

KEY = dg.AssetKey(["development", "schema_revision"])
PROTECTED = "[environments.production]\nprotected = true\nrequire_tls = false\n"


def newest_observation(deployment: Deployment, environment: str = "development") -> dict[str, Any]:
    key = dg.AssetKey([environment, "schema_revision"])
    records = deployment.instance.fetch_observations(key, limit=1).records
    observation = records[0].event_log_entry.asset_observation
    assert observation is not None
    return {name: value.value for name, value in observation.metadata.items()}


def tables(url: DatabaseUrl) -> int:
    statement = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'bounty_ops')"
    with connect(url, application_name="tests") as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.soak
def test_launched_as_it_stands_it_shows_the_plan_and_changes_nothing(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    result = development.run("development_migrate")

    assert result.success
    assert tables(fresh_database) == 0
    assert development.journal().migrations() == []
    plan = plan_migration(development.settings().environment("development"))
    shown = newest_observation(development)
    assert shown["digest"] == plan.digest
    assert shown["pending_revisions"] == len(plan.pending) > 0
    assert plan.digest in shown["next_step"]
    assert "CREATE TABLE" in shown["sql"]
    assert plan.digest in development.everything_told(result)


def test_the_digest_of_the_plan_applies_it_and_leaves_evidence(development: Deployment) -> None:
    environment = development.settings().environment("development")
    plan = plan_migration(environment)

    form = {"apply": plan.digest, "operator": "ada", "reason": "OPS-1"}
    result = development.run("development_migrate", form)

    assert result.success
    assert current_revision(environment).pending == ()
    (evidence,) = development.journal().migrations("development")
    assert evidence.outcome == "applied"
    assert evidence.digest == plan.digest
    assert evidence.operator == "ada"
    assert evidence.detail["reason"] == "OPS-1"
    assert evidence.detail["run_id"] == result.run_id
    with engine(
        development.settings().require_ops_url(), application_name="tests"
    ).connect() as connection:
        assert connection.scalars(select(MigrationRecord.id)).all() == [evidence.id]


@pytest.mark.soak
def test_what_was_applied_is_seen_on_the_asset_and_its_check(development: Deployment) -> None:
    result = development.run("development_migrate", {"apply": "head"})

    assert result.success
    event = development.instance.get_latest_materialization_event(KEY)
    assert event is not None
    assert event.run_id == result.run_id
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    (evidence,) = development.journal().migrations("development")
    assert metadata["record_id"].value == evidence.id
    assert metadata["revision"].value == evidence.to_revision
    assert metadata["pending_revisions"].value == 0
    check = dg.AssetCheckKey(KEY, "at_head")
    (record,) = development.instance.event_log_storage.get_asset_check_execution_history(check, 1)
    assert record.run_id == result.run_id
    assert record.status.value == "SUCCEEDED"


@pytest.mark.parametrize("digest", ["0" * 64, "HEAD"])
@pytest.mark.many(every=2)
def test_any_other_digest_is_refused_and_nothing_is_changed(
    development: Deployment, fresh_database: DatabaseUrl, digest: str
) -> None:
    result = development.run("development_migrate", {"apply": digest})

    failure = development.failure(result)
    assert "not that of the present plan" in (failure.description or "")
    assert "paste its digest" in str(failure.metadata["what to do"].value)
    assert tables(fresh_database) == 0


@pytest.mark.soak
def test_with_nothing_pending_head_does_nothing_and_says_so(development: Deployment) -> None:
    assert development.run("development_migrate", {"apply": "head"}).success
    assert development.run("development_migrate", {"apply": "head"}).success

    newest, first = development.journal().migrations("development")
    assert (first.outcome, newest.outcome) == ("applied", "nothing_to_do")
    assert newest_observation(development)["next_step"] == "Nothing is pending."


def test_a_protected_environment_takes_a_digest_and_a_name_but_never_head(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    deployment = make_deployment(production=fresh_database, policy=PROTECTED)
    digest = plan_migration(deployment.settings().environment("production")).digest

    head = deployment.run("production_migrate", {"apply": "head", "operator": "ada"})
    nameless = deployment.run("production_migrate", {"apply": digest})
    assert "takes the digest of a plan" in (deployment.failure(head).description or "")
    assert "has to name a person" in (deployment.failure(nameless).description or "")
    assert tables(fresh_database) == 0

    assert deployment.run("production_migrate", {"apply": digest, "operator": "ada"}).success
    assert tables(fresh_database) > 37


@pytest.mark.soak
def test_nothing_is_applied_when_its_record_could_not_be_written(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    text = (development.home / ".env").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "ENDPOINT" not in line]
    away = "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9"
    (development.home / ".env").write_text("\n".join([*lines, away]), encoding="utf-8")

    result = development.run("development_migrate", {"apply": "head"})

    development.failure(result)
    assert tables(fresh_database) == 0


def test_a_secret_that_is_pasted_into_the_form_is_not_recorded(development: Deployment) -> None:
    password = development.settings().environment("development").require_url().password
    assert password

    form = {"apply": "head", "operator": f"ada {password}", "reason": password}
    result = development.run("development_migrate", form)

    assert result.success
    (evidence,) = development.journal().migrations("development")
    assert evidence.operator == "ada ***"
    assert evidence.detail["reason"] == "***"


@pytest.mark.parametrize("field", ["apply", "operator", "reason", "override"])
def test_no_field_fetches_a_variable_of_the_process(development: Deployment, field: str) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        development.run("development_migrate", {field: {"env": "PATH"}})


@pytest.mark.soak
def test_a_protected_environment_is_not_migrated_while_gates_refuse(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> None:
    """The database is not empty, so there is something to lose, and nothing protects it."""
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE something_else (id int)")
    deployment = make_deployment(production=fresh_database, policy=PROTECTED)
    plan = plan_migration(deployment.settings().environment("production"))
    assert deployment.run("production_migrate").success
    shown = newest_observation(deployment, "production")
    assert shown["ready"] is False
    assert "**backup**: no backup of production was proved by a restore" in shown["next_step"]
    assert "bounty-ops db rehearse -e production" in shown["gates"]

    form = {"apply": plan.digest, "operator": "ada"}
    failure = deployment.failure(deployment.run("production_migrate", form))
    told = str(failure.metadata["what happened"].value)
    assert all(f"{gate}: " in told for gate in ("backup", "staging", "rehearsal"))
    assert "--backup-first" in str(failure.metadata["what to do"].value)
    assert tables(fresh_database) == 1
    assert deployment.journal().migrations() == []

    emergency = {**form, "override": "the site is down", "acknowledge": ["some-rule=no harm"]}
    assert deployment.run("production_migrate", emergency).success
    (evidence,) = deployment.journal().migrations("production")
    assert evidence.override is not None
    assert evidence.override.reason == "the site is down"
    assert evidence.override.gates == ("backup", "staging", "rehearsal")
    assert evidence.acknowledged == ()  # nothing was found by that rule

    sensor = deployment.definitions().resolve_sensor_def("production_watch")
    with dg.build_sensor_context(instance=deployment.instance) as context:
        told = sensor.evaluate_tick(context).skip_message or ""
    assert "ada overrode the gates of a migration: backup, staging, rehearsal" in told


def test_an_acknowledgement_without_a_reason_is_refused(
    development: Deployment, fresh_database: DatabaseUrl
) -> None:
    form = {"apply": "head", "acknowledge": ["some-rule= "]}
    failure = development.failure(development.run("development_migrate", form))
    assert "does not say why" in (failure.description or "")
    assert tables(fresh_database) == 0
