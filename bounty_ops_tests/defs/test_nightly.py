"""A night through Dagster: back up, restore, prove, and what is told when that cannot be done."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from bounty_ops.journal.records import Verdict
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.alerting.switch import TOKEN, Switch

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment


@pytest.fixture
def filled_database(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with something in it to lose."""
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE bounty (id int PRIMARY KEY, title text)")
        connection.execute("INSERT INTO bounty SELECT n, 'row ' || n FROM generate_series(1,999) n")
        connection.execute("CREATE TABLE empty_one (id int)")
    return fresh_database


def metadata(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    (event,) = [
        each.step_materialization_data.materialization
        for each in result.all_events
        if each.is_step_materialization and each.asset_key == dg.AssetKey.from_user_string(key)
    ]
    return {name: value.value for name, value in event.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    found = result.get_asset_check_evaluations()
    return {f"{each.asset_key.path[-1]}:{each.check_name}": each.passed for each in found}


def test_a_night_takes_a_backup_and_proves_it_and_tells_no_secret(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    deployment = make_deployment(development=filled_database)

    result = deployment.run("development_nightly")

    assert result.success
    (summary,) = deployment.journal().summaries("development")
    assert summary.verdict is Verdict.PROVED
    assert checks(result) == {
        "database_backup:complete": True,
        "database_backup:fresh": True,
        "database_backup:size": True,
        "database_backup:recoverable_key": True,
        "restore_verification:proved": True,
        "backup_catalogue:indexed": True,
        "backup_copies:copied": True,
        "kept_backups:pruned": True,
    }

    backup = metadata(result, "development/database_backup")
    assert backup["backup_id"] == summary.id
    assert (backup["bucket"], backup["key"]) == (summary.bucket, summary.key)
    assert (backup["size_bytes"], backup["sha256"]) == (summary.size_bytes, summary.sha256)
    assert (backup["tables"], backup["rows"]) == (2, 999)
    assert backup["bytes_per_second"] > 0
    assert backup["database_bytes"] > backup["size_bytes"]
    assert backup["compression_ratio"] > 1
    assert "| public.bounty | 999 |" in backup["contents"]
    assert backup["revision"] == "unknown"
    assert backup["catalogue"] == "indexed"

    proof = metadata(result, "development/restore_verification")
    assert proof["verdict"] == "**proved**"
    assert proof["backup_id"] == summary.id
    assert (proof["tables_compared"], proof["rows_compared"]) == (2, 999)
    assert proof["differences_found"] == 0
    assert proof["catalogue"] == "indexed"
    assert proof["ping"] == "not set up"
    assert proof["restore_seconds"] > 0

    catalogue = metadata(result, "development/backup_catalogue")
    assert (catalogue["backups"], catalogue["proved"], catalogue["damaged"]) == (1, 1, 0)
    assert (catalogue["newest"], catalogue["newest_proved"]) == (summary.id, summary.id)
    assert catalogue["total_bytes"] == summary.size_bytes
    assert catalogue["rpo_seconds"] < catalogue["rpo_objective_seconds"]
    assert catalogue["rto_seconds"] < catalogue["rto_objective_seconds"]
    assert f"| {summary.id} |" in catalogue["newest_backups"]
    assert catalogue["size_over_time"].startswith("![size of 1 backups from ")

    told = deployment.everything_told(result)
    assert summary.id in told
    secrets = deployment.settings().secrets()
    assert len(secrets) >= 2
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.long
def test_a_refuted_backup_fails_the_check_and_shows_what_differs(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    deployment = make_deployment(development=filled_database)
    assert deployment.run("development_nightly").success
    journal = deployment.journal()
    (first,) = journal.summaries("development")
    manifest = journal.find(first.id, "development")
    table, *others = manifest.tables
    forged = manifest.model_copy(
        update={
            "id": f"{first.id[:-8]}f0f0f0f0",
            "tables": (table.model_copy(update={"rows": (table.rows or 0) + 1}), *others),
        }
    )
    archive = manifest.archive
    copy = archive.key.replace(first.id, forged.id)
    journal.store.put_if_absent(copy, journal.store.get(archive.key))
    objects = (archive.model_copy(update={"key": copy}),)
    journal.write_manifest(forged.model_copy(update={"objects": objects}))

    form = {"ops": {"development__restore_verification": {"config": {"backup_id": forged.id}}}}
    job = deployment.definitions().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=deployment.instance,
        asset_selection=[dg.AssetKey(["development", "restore_verification"])],
        run_config=form,
    )

    assert result.success
    assert checks(result) == {"restore_verification:proved": False}
    shown = metadata(result, "development/restore_verification")
    assert shown["verdict"] == "**refuted**"
    assert shown["backup_id"] == forged.id
    assert shown["differences_found"] >= 1
    assert f"{table.schema_name}.{table.name}" in shown["differences"]


def test_a_backup_that_fails_is_not_verified_and_says_what_to_do(
    make_deployment: Callable[..., Deployment],
) -> None:
    away = "postgresql://role:secret-word@127.0.0.1:9/bounty"
    deployment = make_deployment(development=away)

    result = deployment.run("development_nightly")

    failure = deployment.failure(result)
    assert "127.0.0.1:9" in (failure.description or "")
    assert failure.metadata["what to do"].value
    assert deployment.journal().summaries("development") == []
    verified = [each for each in result.all_events if each.is_step_materialization]
    assert verified == []
    assert "secret-word" not in deployment.everything_told(result)


@pytest.mark.soak
def test_a_night_without_its_catalogue_still_proves_the_backup(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    deployment = make_deployment(development=filled_database)
    path = deployment.home / ".env"
    lines = [line for line in path.read_text("utf-8").splitlines() if "OPS_" not in line]
    lines.append("OPS_DATABASE_URL=postgresql://role:secret-word@127.0.0.1:9/ops")
    path.write_text("\n".join(lines), encoding="utf-8")

    result = deployment.run("development_nightly")

    assert result.success
    (summary,) = deployment.journal().summaries("development")
    assert summary.verdict is Verdict.PROVED
    for asset in ("database_backup", "restore_verification", "backup_catalogue"):
        told = metadata(result, f"development/{asset}")["catalogue"]
        assert told.startswith("not indexed, the bucket has it")
    assert checks(result)["backup_catalogue:indexed"] is False
    assert "secret-word" not in deployment.everything_told(result)


def test_with_no_backup_there_is_nothing_to_verify_and_the_run_says_so(
    development: Deployment,
) -> None:
    job = development.definitions().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=development.instance,
        asset_selection=[dg.AssetKey(["development", "restore_verification"])],
        raise_on_error=False,
    )
    failure = development.failure(result)
    assert "there is no backup of development" in (failure.description or "")
    assert "development/database_backup" in str(failure.metadata["what to do"].value)


@pytest.mark.soak
def test_a_backup_is_out_of_date_when_the_schema_changed_not_when_it_was_looked_at(
    development: Deployment,
) -> None:
    """Else every collection would mark the backup, every 15 minutes."""

    def materialize(asset: str) -> None:
        job = development.definitions().resolve_implicit_global_asset_job_def()
        key = dg.AssetKey(["development", asset])
        job.execute_in_process(instance=development.instance, asset_selection=[key])

    def status() -> StaleStatus:
        graph = development.definitions().resolve_asset_graph()
        context = LoadingContextForTest(development.instance)
        resolver = CachingStaleStatusResolver(development.instance, graph, context)
        return resolver.get_status(dg.AssetKey(["development", "database_backup"]))

    materialize("schema_revision")
    materialize("database_backup")
    materialize("schema_revision")
    assert status() is StaleStatus.FRESH

    assert development.run("development_migrate", {"apply": "head"}).success
    assert status() is StaleStatus.STALE


def test_a_catalogue_that_cannot_be_made_fails_a_check_and_no_run(development: Deployment) -> None:
    path = development.home / ".env"
    bucket = development.settings().require_object_store().location.uri()
    path.write_text(path.read_text("utf-8").replace(bucket, "s3://no-such-bucket-here"))

    result = materialize(development, "backup_catalogue")

    assert result.success
    assert [each for each in result.all_events if each.is_step_materialization] == []
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == ("indexed", False)
    assert "no-such-bucket-here" in (check.description or "")


@pytest.mark.soak
def test_a_damaged_backup_is_counted_and_named(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    deployment = make_deployment(development=filled_database)
    materialize(deployment, "database_backup")
    (backup,) = deployment.journal().summaries("development")
    journal = deployment.journal()
    journal.store.delete(journal.find(backup.id).archive.key)

    result = materialize(deployment, "backup_catalogue")

    assert metadata(result, "development/backup_catalogue")["damaged"] == 1
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert backup.id in (check.description or "")


@pytest.mark.soak
def test_the_verify_job_takes_the_newest_backup_or_the_one_that_is_named(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    deployment = make_deployment(development=filled_database)
    for _ in range(2):
        materialize(deployment, "database_backup")
    newest, older = deployment.journal().summaries("development")

    named = deployment.run("development_verify_backup", {"backup_id": f" {older.id[:-3]} "})
    assert named.success
    assert metadata(named, "development/restore_verification")["backup_id"] == older.id
    unnamed = deployment.run("development_verify_backup")
    assert unnamed.success
    assert metadata(unnamed, "development/restore_verification")["backup_id"] == newest.id


@pytest.mark.soak
def test_a_proof_feeds_the_switch_and_a_broken_switch_fails_no_proof(
    make_deployment: Callable[..., Deployment], filled_database: DatabaseUrl
) -> None:
    with closing(Switch()) as switch:
        deployment = make_deployment(
            development=filled_database, policy='[defaults]\nping = "PING_URL"\n'
        )
        with (deployment.home / ".env").open("a", encoding="utf-8") as file:
            file.write(f"\nPING_URL={switch.url}\n")
        first = deployment.run("development_nightly")
        assert metadata(first, "development/restore_verification")["ping"] == "called"
        assert len(switch.paths) == 1

        switch.answers = [404]
        second = deployment.run("development_verify_backup")
        assert second.success
        told = metadata(second, "development/restore_verification")["ping"]
        assert told == "not called: it answered 404"
        assert checks(second) == {"restore_verification:proved": True}
        for run in (first, second):
            assert TOKEN not in deployment.everything_told(run)


def materialize(deployment: Deployment, asset: str) -> dg.ExecuteInProcessResult:
    job = deployment.definitions().resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=deployment.instance,
        asset_selection=[dg.AssetKey(["development", asset])],
        raise_on_error=False,
    )
