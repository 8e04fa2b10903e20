"""The forms of restore and refresh: harmless as they stand, exact when a digest is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from bounty_ops.journal.restores import read_restores
from bounty_ops_tests.fix_backups import run, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.defs.conftest import Deployment

PROTECTED = "[environments.production]\nprotected = true\nrequire_tls = false\n"
ROWS = "SELECT count(*) FROM fruit"


def newest_observation(deployment: Deployment, environment: str) -> dict[str, Any]:
    key = dg.AssetKey([environment, "database_backup"])
    records = deployment.instance.fetch_observations(key, limit=1).records
    observation = records[0].event_log_entry.asset_observation
    assert observation is not None
    return {name: each.value for name, each in observation.metadata.items()}


@pytest.fixture
def two(
    make_deployment: Callable[..., Deployment], make_database: Callable[..., DatabaseUrl]
) -> tuple[Deployment, DatabaseUrl, DatabaseUrl]:
    """Production with a proved backup, and an empty staging."""
    production, staging = make_database(), make_database()
    run(
        production,
        "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number, 'a@b.example' AS email",
    )
    deployment = make_deployment(production=production, staging=staging, policy=PROTECTED)
    assert deployment.run("production_nightly").success
    return deployment, production, staging


@pytest.mark.soak
def test_launched_as_it_stands_a_restore_shows_what_would_be_lost_and_changes_nothing(
    two: tuple[Deployment, DatabaseUrl, DatabaseUrl],
) -> None:
    deployment, production, _ = two
    run(production, "INSERT INTO fruit VALUES (101)")

    result = deployment.run("production_restore")

    assert result.success
    shown = newest_observation(deployment, "production")
    assert shown["rows_there"] == 101
    assert shown["verdict"] == "proved"
    assert shown["digest"] in shown["next_step"]
    assert value(production, ROWS) == 101


def test_the_digest_and_a_name_restore_a_protected_environment(
    two: tuple[Deployment, DatabaseUrl, DatabaseUrl],
) -> None:
    deployment, production, _ = two
    run(production, "DELETE FROM fruit WHERE number > 3")
    assert deployment.run("production_restore").success
    digest = newest_observation(deployment, "production")["digest"]

    nameless = deployment.run("production_restore", {"apply": digest})
    wrong = deployment.run("production_restore", {"apply": "0" * 64, "operator": "ada"})

    assert "has to name a person" in (deployment.failure(nameless).description or "")
    assert "another digest" in (deployment.failure(wrong).description or "")
    assert value(production, ROWS) == 3

    assert deployment.run("production_restore", {"apply": digest, "operator": "ada"}).success
    assert value(production, ROWS) == 100
    done = newest_observation(deployment, "production")
    assert (done["restored"], done["operator"]) == (True, "ada")
    [record] = read_restores(deployment.journal().store, "production")
    assert (record.operator, record.outcome, record.digest) == ("ada", "done", digest)
    old = production.with_database(done["old_database"])
    assert value(old, ROWS) == 3
    run(production.with_database("postgres"), done["remove_old_database"])


@pytest.mark.soak
def test_a_refresh_puts_a_masked_copy_into_staging_and_never_into_production(
    two: tuple[Deployment, DatabaseUrl, DatabaseUrl],
) -> None:
    deployment, production, staging = two
    toml = deployment.home / "bounty_ops.toml"
    toml.write_text(f'{PROTECTED}[masking.columns]\n"fruit.email" = "email"\n', encoding="utf-8")

    shown = deployment.run("production_refresh_staging")
    assert shown.success
    assert value(staging, "SELECT count(*) FROM pg_tables WHERE tablename = 'fruit'") == 0
    plan = newest_observation(deployment, "production")
    assert plan["masked_columns"] == 1

    done = deployment.run("production_refresh_staging", {"apply": plan["digest"]})
    assert done.success
    assert value(staging, ROWS) == 100
    assert value(staging, "SELECT DISTINCT email FROM fruit").endswith("@masked.invalid")

    assert deployment.run("production_nightly").success
    back = deployment.run("staging_refresh_staging", {"target": "production"})
    assert "never the target" in (deployment.failure(back).description or "")
    assert value(production, "SELECT DISTINCT email FROM fruit") == "a@b.example"


@pytest.mark.parametrize(
    "field",
    ["apply", *(pytest.param(name, marks=pytest.mark.soak) for name in ("backup_id", "operator"))],
)
def test_no_field_fetches_a_variable_of_the_process(
    make_deployment: Callable[..., Deployment], fresh_database: DatabaseUrl, field: str
) -> None:
    deployment = make_deployment(development=fresh_database)
    with pytest.raises(dg.DagsterInvalidConfigError):
        deployment.run("development_restore", {field: {"env": "PATH"}})
