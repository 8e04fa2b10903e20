"""The definitions: what there is for every environment; nothing stops them from loading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

import bounty_ops
from bounty_ops.definitions import build_definitions
from bounty_ops.environments import load_settings

ASSETS = {
    "schema_revision",
    "database_backup",
    "restore_verification",
    "backup_catalogue",
    "backup_copies",
    "kept_backups",
    "connection_stats",
    "slow_queries",
    "table_sizes",
    "index_usage",
}
SOURCE = Path(bounty_ops.__file__).parents[1]
GOOD = "postgresql://role:secret-word@db.example/bounty"


def definitions(home: Path, **files: str) -> dg.Definitions:
    for name, text in files.items():
        path = home / ("bounty_ops.toml" if name == "policy" else f".env.{name}")
        path.write_text(text, encoding="utf-8")
    built = build_definitions(load_settings(home, {}))
    dg.Definitions.validate_loadable(built)
    return built


def keys(built: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in built.resolve_asset_graph().get_all_asset_keys()}


def expected(*environments: str) -> set[str]:
    own = {f"{environment}/{asset}" for environment in environments for asset in ASSETS}
    return {*own, "environment_status"}


def description(built: dg.Definitions, key: str) -> str:
    spec = built.resolve_asset_graph().get(dg.AssetKey.from_user_string(key))
    return spec.description or ""


def schedule(built: dg.Definitions, name: str) -> dg.ScheduleDefinition:
    found = built.resolve_schedule_def(name)
    assert isinstance(found, dg.ScheduleDefinition)
    return found


def test_with_nothing_set_there_is_an_embedded_development(tmp_path: Path) -> None:
    built = definitions(tmp_path)
    assert keys(built) == expected("development")
    assert "Unconfigured" not in description(built, "development/database_backup")


def test_every_environment_has_the_same_assets_jobs_and_instigators(tmp_path: Path) -> None:
    built = definitions(
        tmp_path,
        development=f"DATABASE_URL={GOOD}",
        staging=f"DATABASE_URL={GOOD}",
        production=f"DATABASE_URL={GOOD}?sslmode=verify-full",
    )
    environments = ("development", "staging", "production")
    assert keys(built) == expected(*environments)
    jobs = {job.name for job in built.resolve_all_job_defs() if not job.name.startswith("__")}
    kinds = (
        "nightly",
        "collect",
        "migrate",
        "check_schema",
        "rehearse_migration",
        "verify_backup",
        "restore",
        "refresh_staging",
        "prune_backups",
    )
    assert jobs == {f"{e}_{kind}" for e in environments for kind in kinds} | {
        "look_at_environments"
    }
    repository = built.get_repository_def()
    assert {each.name for each in repository.schedule_defs} == {
        f"{e}_{job}_schedule"
        for e in environments
        for job in ("nightly", "collect", "check_schema")
    } | {"look_at_environments_schedule"}
    assert {each.name for each in repository.sensor_defs} == {
        f"{e}_{sensor}" for e in environments for sensor in ("watch", "measure", "new_revisions")
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("DATABASE_URL=postgresql://role:p@ss@db/bounty", "an unencoded `@`"),
        ("DATABASE_URL=mysql://db/bounty", "does not begin with postgresql://"),
        ("SOMETHING_ELSE=1", "holds no DATABASE_URL"),
        ("DATABASE_URL=postgresql://role:word@db/bounty?sslmode=disable", "without TLS"),
    ],
)
def test_an_unusable_production_is_there_and_says_why(tmp_path: Path, text: str, why: str) -> None:
    built = definitions(tmp_path, production=text, development=f"DATABASE_URL={GOOD}")
    assert keys(built) == expected("production", "development")
    for asset in ASSETS:
        assert why in description(built, f"production/{asset}")
        assert "Unconfigured" not in description(built, f"development/{asset}")


def test_a_policy_file_that_cannot_be_read_stops_no_definition(tmp_path: Path) -> None:
    built = definitions(tmp_path, development=f"DATABASE_URL={GOOD}", policy="[defaults")
    assert keys(built) == expected("development")
    assert "bounty_ops.toml cannot be read" in description(built, "development/table_sizes")


def test_a_name_that_dagster_refuses_takes_no_other_environment_down(tmp_path: Path) -> None:
    built = definitions(
        tmp_path, **{"Pre-Prod": f"DATABASE_URL={GOOD}", "staging": f"DATABASE_URL={GOOD}"}
    )
    assert keys(built) == expected("staging")


def test_schedules_follow_the_policy_and_are_running(tmp_path: Path) -> None:
    policy = (
        '[defaults]\ntimezone = "Europe/Berlin"\n'
        '[environments.staging]\nnightly_cron = "30 3 * * 0"\ncollection_cron = "*/5 * * * *"\n'
    )
    urls = {"staging": f"DATABASE_URL={GOOD}", "development": f"DATABASE_URL={GOOD}"}
    built = definitions(tmp_path, policy=policy, **urls)

    found = {
        name: (each.cron_schedule, each.execution_timezone, each.default_status.value)
        for name in ("staging_nightly", "staging_collect", "development_nightly")
        for each in [schedule(built, f"{name}_schedule")]
    }
    assert found == {
        "staging_nightly": ("30 3 * * 0", "Europe/Berlin", "RUNNING"),
        "staging_collect": ("*/5 * * * *", "Europe/Berlin", "RUNNING"),
        "development_nightly": ("0 2 * * *", "Europe/Berlin", "RUNNING"),
    }
    sensor = built.resolve_sensor_def("staging_watch")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 60


def test_an_expression_that_cron_does_not_know_says_so_instead_of_stopping_everything(
    tmp_path: Path,
) -> None:
    policy = '[defaults]\nnightly_cron = "0 2 31 2 *"\n'
    built = definitions(tmp_path, policy=policy, development=f"DATABASE_URL={GOOD}")

    nightly = schedule(built, "development_nightly_schedule")
    tick = nightly.evaluate_tick(dg.build_schedule_context())
    assert not tick.run_requests
    assert "'0 2 31 2 *' is not a cron expression" in (tick.skip_message or "")
    collect = schedule(built, "development_collect_schedule")
    assert collect.cron_schedule == "7 * * * *"


def test_operations_on_the_same_database_share_a_pool_of_their_environment(tmp_path: Path) -> None:
    urls = {"staging": f"DATABASE_URL={GOOD}", "development": f"DATABASE_URL={GOOD}"}
    built = definitions(tmp_path, **urls)

    def pools(job: str) -> set[str]:
        nodes = built.resolve_job_def(job).all_node_defs
        return {pool for node in nodes if isinstance(node, dg.OpDefinition) for pool in node.pools}

    assert pools("staging_nightly") == pools("staging_migrate") == {"staging_database"}
    assert pools("development_migrate") == {"development_database"}
    assert pools("staging_collect") == set()


def test_the_form_of_the_migration_has_fields_that_do_no_harm(tmp_path: Path) -> None:
    built = definitions(tmp_path)
    form = built.resolve_job_def("development_migrate").run_config_schema.config_type
    assert isinstance(form, dg.Shape)
    assert {name: field.default_value for name, field in form.fields.items()} == {
        "apply": "",
        "operator": "",
        "reason": "",
        "acknowledge": [],
        "override": "",
        "backup_first": False,
    }
    assert all(field.description for field in form.fields.values())


def test_the_form_of_a_verification_is_one_field(tmp_path: Path) -> None:
    built = definitions(tmp_path)
    form = built.resolve_job_def("development_verify_backup").run_config_schema.config_type
    assert isinstance(form, dg.Shape)
    assert {name: field.default_value for name, field in form.fields.items()} == {"backup_id": ""}


def test_no_definition_holds_a_secret(tmp_path: Path) -> None:
    built = definitions(tmp_path, staging=f"DATABASE_URL={GOOD}")
    for key in built.resolve_asset_graph().get_all_asset_keys():
        node = built.resolve_asset_graph().get(key)
        assert "secret-word" not in f"{node.description} {node.metadata} {node.tags}"


def test_importing_the_definitions_is_quiet_and_loads_nothing_that_only_a_run_needs(
    tmp_path: Path,
) -> None:
    (tmp_path / ".env.production").write_text("DATABASE_URL=nonsense", encoding="utf-8")
    program = (
        "import sys, bounty_ops.definitions as d\n"
        "d.defs.get_repository_def().load_all_definitions()\n"
        "print(sorted({'boto3', 'botocore', 'apprise'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={"BOUNTY_OPS_HOME": str(tmp_path), "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "[]", "")


def test_what_is_protected_is_marked_wherever_it_is_seen(tmp_path: Path) -> None:
    built = definitions(
        tmp_path,
        staging=f"DATABASE_URL={GOOD}",
        production=f"DATABASE_URL={GOOD}?sslmode=verify-full",
    )
    graph = built.resolve_asset_graph()
    for asset in ASSETS:
        guarded = graph.get(dg.AssetKey(["production", asset]))
        assert guarded.group_name == "production_protected"
        assert guarded.tags["bounty_ops/protected"] == "true"
        assert (guarded.description or "").startswith("**`production` is protected.**")
        free = graph.get(dg.AssetKey(["staging", asset]))
        assert free.group_name == "staging"
        assert "bounty_ops/protected" not in free.tags
        assert "is protected" not in (free.description or "")
    for job in ("migrate", "restore", "prune_backups"):
        form = built.resolve_job_def(f"production_{job}")
        assert form.tags["bounty_ops/protected"] == "true"
        assert (form.description or "").startswith("**`production` is protected.**")
        assert form.config_mapping is not None
        apply = form.config_mapping.config_schema.config_type.fields["apply"]  # type: ignore[union-attr] # a Shape
        assert apply.description.startswith("PRODUCTION IS PROTECTED.")
        assert "PROTECTED" not in str(built.resolve_job_def(f"staging_{job}").config_mapping)
    assert "Protected: production." in description(built, "environment_status")
    links = graph.get(dg.AssetKey("environment_status")).parent_keys
    assert dg.AssetKey(["production", "restore_verification"]) in links
