"""A Dagster instance as an operator has it, and a deployment whose jobs it runs."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from psycopg import sql

from bounty_ops.definitions import build_definitions
from bounty_ops.environments import load_settings
from bounty_ops.journal.bucket import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings, Settings

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def dagster_home(
    pg_server: DatabaseUrl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A DAGSTER_HOME with the project's dagster.yaml, whose variables name a new database."""
    url = pg_server.with_database(f"dagster_{secrets.token_hex(6)}")
    with connect(pg_server, application_name="tests") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(url.database)))
    home = tmp_path_factory.mktemp("dagster_home")
    shutil.copy(PROJECT / "dagster.yaml", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        patch.setenv("DAGSTER_PG_HOST", url.host)
        patch.setenv("DAGSTER_PG_PORT", str(url.port))
        patch.setenv("DAGSTER_PG_USER", url.user)
        patch.setenv("DAGSTER_PG_PASSWORD", url.password or "")
        patch.setenv("DAGSTER_PG_DB", url.database)
        yield home
    with connect(pg_server, application_name="tests") as connection:
        statement = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(url.database)))


@pytest.fixture(scope="session")
def instance(dagster_home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance, with its storage in PostgreSQL."""
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        yield instance


@dataclass(frozen=True)
class Deployment:
    """A project directory with settings, and the instance that runs its jobs."""

    home: Path
    instance: dg.DagsterInstance

    def settings(self) -> Settings:
        """What the settings say now."""
        return load_settings(self.home)

    def definitions(self) -> dg.Definitions:
        """The definitions as they would be after a reload."""
        return build_definitions(self.settings())

    def run(self, job: str, config: Mapping[str, Any] | None = None) -> dg.ExecuteInProcessResult:
        """Run a job to its end; a failed run is a result, not an exception."""
        return (
            self.definitions()
            .resolve_job_def(job)
            .execute_in_process(run_config=config, instance=self.instance, raise_on_error=False)
        )

    def journal(self) -> Journal:
        """The records in the bucket."""
        return Journal(ObjectStore(self.settings().require_object_store()))

    def everything_told(self, result: dg.ExecuteInProcessResult) -> str:
        """All that Dagster stored of a run, as text."""
        entries = self.instance.all_logs(result.run_id)
        run = self.instance.get_run_by_id(result.run_id)
        return "\n".join([*(dg.serialize_value(entry) for entry in entries), repr(run)])

    def failure(self, result: dg.ExecuteInProcessResult) -> dg.Failure:
        """What made a run fail, as Dagster shows it."""
        assert not result.success
        for event in result.all_events:
            if event.is_step_failure:
                data = event.step_failure_data.user_failure_data
                assert data is not None, event.step_failure_data.error_display_string
                return dg.Failure(data.description, data.metadata)
        raise AssertionError("no step failed")


@pytest.fixture
def make_deployment(
    instance: dg.DagsterInstance,
    make_database: Callable[..., DatabaseUrl],
    s3_prefix: ObjectStoreSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Deployment]:
    """Write a project directory: ``make_deployment(development=url, production=url, policy=...)``.

    Operations database and bucket are real ones of the test's own.
    """

    def make(*, policy: str = "", **environments: DatabaseUrl | str) -> Deployment:
        shared = {
            "OPS_DATABASE_URL": make_database(line="ops").text(),
            "BACKUP_BUCKET": s3_prefix.location.uri(),
            "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url,
            "AWS_REGION": s3_prefix.region,
            "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id,
            "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key,
        }
        lines = [f"{name}={value}" for name, value in shared.items() if value]
        (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
        for name, url in environments.items():
            text = url if isinstance(url, str) else url.text()
            (tmp_path / f".env.{name}").write_text(f"DATABASE_URL={text}", encoding="utf-8")
        (tmp_path / "bounty_ops.toml").write_text(policy, encoding="utf-8")
        monkeypatch.setenv("BOUNTY_OPS_HOME", str(tmp_path))
        return Deployment(tmp_path, instance)

    return make


@pytest.fixture
def development(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl
) -> Deployment:
    """A deployment with an empty, unprotected database `development`."""
    return make_deployment(development=fresh_database)
