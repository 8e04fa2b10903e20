"""examples/helm: values that the chart knows, and that Dagster and Kubernetes can read.

There is no `helm` here. The values are laid over the chart's own and judged by the chart's schema,
as Helm does; what its templates make of them is put together here, and given to Dagster's own
classes and to the models of the Kubernetes client.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import dagster as dg
import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config_schema
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import UserDefinedDagsterK8sConfig
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # stubs apart
from kubernetes import client  # type: ignore[import-untyped]  # it has no types

from bounty_ops.definitions import build_definitions
from bounty_ops.environments import load_settings
from bounty_ops_tests.deployment.chart import SCHEMA, refused, unknown
from bounty_ops_tests.deployment.examples import COMPOSE, HELM, OURS, ROOT, locked, read, read_all

if TYPE_CHECKING:
    from pathlib import Path

VALUES: Final[dict[str, Any]] = read(HELM / "values.yaml")
(LOCATION,) = VALUES["dagster-user-deployments"]["deployments"]
LAUNCHER: Final[dict[str, Any]] = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
SECRETS: Final = {
    each["metadata"]["name"]: each for each in read_all(HELM / "secrets.example.yaml")
}


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: "_" + found[1].lower(), name)


def snaked(found: Any) -> Any:  # noqa: ANN401 - values are anything
    """A tree with the chart's names, as dagster.yaml has them."""
    if isinstance(found, dict):
        return {snake(name): snaked(each) for name, each in found.items()}
    return [snaked(each) for each in found] if isinstance(found, list) else found


def without_aliases() -> dict[str, Any]:
    """The values, to be changed in one place: YAML's aliases are one object in several."""
    found: dict[str, Any] = json.loads(json.dumps(VALUES))
    return found


def test_the_chart_takes_the_values_and_knows_every_name() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert refused({}) == [], "the chart's own values"
    assert refused(VALUES) == []
    assert unknown(VALUES) == []


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("dagsterDaemon",), "runMonitor"),
        (("concurrency", "runs"), "max_concurrent_runs"),
        (("runLauncher", "config", "k8sRunLauncher"), "resource"),
        (("postgresql",), "postgresqlScheme2"),
        (("dagsterWebserver", "readinessProbe"), "httpget"),
        (("dagsterWebserver", "securityContext"), "privilege"),
        (("dagster-user-deployments", "deployments", 0), "codeServerArg"),
        (("dagster-user-deployments", "deployments", 0, "volumeMounts", 0), "path"),
        ((), "daemon"),
    ],
)
def test_a_name_that_is_not_the_charts_is_seen(place: tuple[str | int, ...], name: str) -> None:
    wrong = without_aliases()
    inner: Any = wrong
    for step in place:
        inner = inner[step]
    inner[name] = 1
    assert [name in each for each in unknown(wrong)] == [True]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("dagsterWebserver", "replicaCount"), "2"),
        (("dagsterDaemon", "image", "pullPolicy"), "Sometimes"),
        (("dagsterDaemon", "schedules", "useThreads"), None),
        (("runLauncher", "config", "k8sRunLauncher", "envSecrets"), ["bounty-ops"]),
        (("retention", "sensor", "purgeAfterDays"), "a week"),
        (("dagster-user-deployments", "deployments", 0, "port"), None),
        (("dagsterWebserver", "podSecurityContext", "runAsUser"), "somebody"),
    ],
)
def test_helm_would_refuse_what_the_schema_refuses(
    place: tuple[str | int, ...], value: object
) -> None:
    wrong = without_aliases()
    *way, last = place
    inner: Any = wrong
    for step in way:
        inner = inner[step]
    inner[last] = value
    assert len(refused(wrong)) == 1


def test_the_chart_is_the_one_of_the_version_that_is_in_the_image() -> None:
    version = locked("dagster", "requirements-image.lock")
    assert f"--version {version} " in (HELM / "values.yaml").read_text("utf-8")
    page = ROOT / "docs" / "how-to" / "deploy-kubernetes.md"
    assert f"--version {version} " in page.read_text("utf-8")


def test_the_secrets_that_are_named_are_described_and_hold_what_is_read(tmp_path: Path) -> None:
    named = {each["name"] for each in LOCATION["envSecrets"]}
    storage = VALUES["global"]["postgresqlSecretName"]
    assert {*named, storage} == set(SECRETS)
    assert set(SECRETS[storage]["stringData"]) == {"postgresql-password"}, "the chart's own key"
    given = SECRETS["bounty-ops"]["stringData"]
    plain = {each["name"]: each["value"] for each in LOCATION["env"]}
    assert set(given) | set(plain) <= OURS
    settings = load_settings(tmp_path, given)
    assert settings.problems == ()
    assert settings.environment("production").configured
    assert settings.require_ops_url().database == "bounty_ops"
    assert settings.require_object_store().location.uri() == "s3://bucket/prefix"
    assert "replace-me" not in (HELM / "values.yaml").read_text("utf-8")


def test_the_image_and_its_directories_are_those_of_the_dockerfile() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    images = [
        each["image"] for each in (VALUES["dagsterWebserver"], VALUES["dagsterDaemon"], LOCATION)
    ]
    assert all(image == images[0] for image in images)
    assert f"DAGSTER_HOME={VALUES['global']['dagsterHome']}\n" in text
    (home,) = (each["value"] for each in LOCATION["env"])
    assert f"BOUNTY_OPS_HOME={home} " in text
    user = LAUNCHER["runK8sConfig"]["podSpecConfig"]["securityContext"]["runAsUser"]
    assert f"USER {user}:{user}\n" in text
    assert {each["mountPath"] for each in LOCATION["volumeMounts"]} == {
        f"{home}/bounty_ops.toml",
        f"{home}/.bounty-ops",
    }
    command = read(COMPOSE / "compose.yaml")["services"]["code"]["command"]
    flat = [word for part in command for word in part.split("=")]
    assert flat[-4:] == LOCATION["codeServerArgs"]
    assert str(LOCATION["port"]) in flat


def test_dagster_takes_the_instance_that_the_chart_writes() -> None:
    daemon = VALUES["dagsterDaemon"]
    concurrency = snaked(VALUES["concurrency"])
    assert concurrency.pop("enabled") is True
    for limit in concurrency["runs"]["tag_concurrency_limits"]:
        # A name of Dagster's own, which the template passes on as it is.
        limit["value"] = {
            "applyLimitPerUniqueValue": limit["value"]["apply_limit_per_unique_value"]
        }
    instance = {
        "concurrency": concurrency,
        "run_monitoring": snaked(daemon["runMonitoring"]),
        "sensors": snaked(daemon["sensors"]),
        "schedules": snaked(daemon["schedules"]),
        "python_logs": snaked(VALUES["pythonLogs"]),
        "telemetry": VALUES["telemetry"],
        "retention": {
            name: {"purge_after_days": VALUES["retention"][name]["purgeAfterDays"]}
            for name in ("schedule", "sensor")
        },
    }
    found = process_config(dagster_instance_config_schema(), instance)
    assert found.success, found.errors
    ours = read(ROOT / "dagster.yaml")
    assert concurrency["pools"] == ours["concurrency"]["pools"]
    limits = ours["concurrency"]["runs"]["tag_concurrency_limits"]
    assert concurrency["runs"]["tag_concurrency_limits"] == limits
    assert (
        VALUES["postgresql"]["postgresqlScheme"]
        == ours["storage"]["postgres"]["postgres_db"]["scheme"]
    )
    assert instance["run_monitoring"]["free_slots_after_run_end_seconds"] == 60
    assert instance["retention"] == ours["retention"]


def test_dagster_takes_the_launcher_that_the_chart_writes() -> None:
    config = {
        "load_incluster_config": LAUNCHER["loadInclusterConfig"],
        "image_pull_policy": LAUNCHER["imagePullPolicy"],
        "fail_pod_on_run_failure": LAUNCHER["failPodOnRunFailure"],
        "security_context": LAUNCHER["securityContext"],
        "run_k8s_config": {snake(name): each for name, each in LAUNCHER["runK8sConfig"].items()},
        "service_account_name": "bounty-ops",
        "instance_config_map": "bounty-ops-instance",
        "dagster_home": VALUES["global"]["dagsterHome"],
        "postgres_password_secret": VALUES["global"]["postgresqlSecretName"],
    }
    shape = dg.Shape(K8sRunLauncher.config_type())  # type: ignore[no-untyped-call]  # Dagster's own
    found = process_config(shape, config)
    assert found.success, found.errors


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (client.V1PodSpec, {"containers": [], **LAUNCHER["runK8sConfig"]["podSpecConfig"]}),
        (client.V1JobSpec, {"template": {}, **LAUNCHER["runK8sConfig"]["jobSpecConfig"]}),
        (client.V1SecurityContext, LAUNCHER["securityContext"]),
        (client.V1PodSecurityContext, LOCATION["podSecurityContext"]),
        (client.V1ResourceRequirements, LOCATION["resources"]),
        (client.V1ResourceRequirements, VALUES["dagsterDaemon"]["resources"]),
        *((client.V1Volume, each) for each in LOCATION["volumes"]),
        *((client.V1VolumeMount, each) for each in LOCATION["volumeMounts"]),
        *((client.V1EnvVar, each) for each in LOCATION["env"]),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else "",
)
def test_kubernetes_knows_every_name(model: type[Any], given: dict[str, Any]) -> None:
    assert k8s_model_from_dict(model, k8s_snake_case_dict(model, given)) is not None
    with pytest.raises(Exception, match="Unexpected keys"):
        k8s_snake_case_dict(model, {**given, "notOne": 1})


def test_nobody_is_root_and_nobody_becomes_it() -> None:
    for each in (VALUES["dagsterWebserver"], VALUES["dagsterDaemon"], LOCATION):
        assert each["podSecurityContext"]["runAsNonRoot"] is True
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
    pod = LAUNCHER["runK8sConfig"]["podSpecConfig"]["securityContext"]
    assert pod == LOCATION["podSecurityContext"]
    assert LAUNCHER["securityContext"] == LOCATION["securityContext"]


def test_the_webserver_needs_no_root_to_listen_and_is_asked_where_it_does() -> None:
    """The chart starts it with the port of the service; the chart's own probe asks port 80."""
    webserver = VALUES["dagsterWebserver"]
    assert webserver["service"]["port"] >= 1024
    assert webserver["readinessProbe"]["httpGet"] == {
        "path": "/server_info",
        "port": webserver["service"]["port"],
    }


def test_each_jobs_resources_reach_its_pod(tmp_path: Path) -> None:
    (policies,) = read_all(HELM / "policies.yaml")
    (volume,) = (each for each in LOCATION["volumes"] if "configMap" in each)
    assert volume["configMap"]["name"] == policies["metadata"]["name"]
    (tmp_path / "bounty_ops.toml").write_text(policies["data"]["bounty_ops.toml"])
    settings = load_settings(tmp_path, SECRETS["bounty-ops"]["stringData"])
    assert settings.problems == ()
    built = build_definitions(settings)
    memory = {}
    for job in ("nightly", "collect"):
        tag = built.resolve_job_def(f"production_{job}").tags["dagster-k8s/config"]
        config = UserDefinedDagsterK8sConfig.from_dict(yaml.safe_load(tag))  # type: ignore[no-untyped-call]  # Dagster's own
        container = k8s_model_from_dict(
            client.V1Container, {"name": "x", **config.container_config}
        )
        memory[job] = container.resources.limits["memory"]
    assert memory == {"nightly": "8Gi", "collect": "1Gi"}
