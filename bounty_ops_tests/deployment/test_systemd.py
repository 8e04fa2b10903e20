"""examples/systemd: what systemd itself says of the units, and what they may not do."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops.environments import load_settings
from bounty_ops_tests.deployment.examples import (
    COMPOSE,
    OURS,
    ROOT,
    STORAGE,
    SYSTEMD,
    read,
    variables,
)

if TYPE_CHECKING:
    from pathlib import Path

UNITS: Final = sorted(SYSTEMD.glob("*.service"))
INSTALLED: Final = "/opt/bounty-ops/.venv/bin"
PAGE: Final = ROOT / "docs" / "how-to" / "deploy-systemd.md"
#: systemd.exec(5), "Sandboxing", "Credentials" and "Process properties".
CLOSED: Final = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
    "LimitCORE": "0",
    "User": "bounty-ops",
    "StateDirectory": "bounty-ops",
}
#: What the units use besides: a machine without systemd-analyze can still tell a wrong name.
OTHERS: Final = {
    "Description", "Documentation", "Wants", "After", "Type", "Group", "StateDirectoryMode",
    "WorkingDirectory", "Environment", "EnvironmentFile", "ExecStartPre", "ExecStart", "Restart",
    "RestartSec", "TimeoutStopSec", "OOMPolicy", "ProtectClock", "ProtectHostname", "ProtectProc",
    "RestrictAddressFamilies", "RestrictRealtime", "RemoveIPC", "SystemCallArchitectures",
    "SystemCallErrorNumber", "WantedBy",
}  # fmt: skip


def settings_of(unit: Path) -> dict[str, list[str]]:
    """A unit's settings; one that is given several times has several values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],  # noqa: S607 - where the system has it
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def installed(tmp_path: Path) -> list[Path]:
    """The units as they would lie in /etc/systemd/system, on a machine that has the program."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("python", "dagster", "dagster-daemon", "dagster-webserver"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(stat.S_IRWXU)
    units = []
    for unit in UNITS:
        units.append(tmp_path / unit.name)
        units[-1].write_text(unit.read_text("utf-8").replace(INSTALLED, str(programs)))
    return units


def test_systemd_has_nothing_against_the_units(installed: list[Path]) -> None:
    names = {name for unit in installed for name in settings_of(unit)}
    assert names <= set(CLOSED) | OTHERS
    if shutil.which("systemd-analyze"):
        done = analyze("verify", "--man=no", *map(str, installed))
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_write_its_own_directory_and_nothing_else(unit: Path) -> None:
    found = settings_of(unit)
    assert {name: found[name] for name in CLOSED} == {
        name: [value] for name, value in CLOSED.items()
    }
    assert "ReadWritePaths" not in found
    assert all(place.startswith("/var/lib/bounty-ops") for place in found["WorkingDirectory"])


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_calls_a_units_exposure_ok(unit: Path) -> None:
    if shutil.which("systemd-analyze"):
        done = analyze("security", "--offline=true", "--threshold=20", str(unit))
        assert done.returncode == 0, done.stdout[-300:]
    assert "SystemCallFilter" in settings_of(unit)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_secrets_come_from_files_of_roots_and_each_gets_only_its_own(unit: Path) -> None:
    found = settings_of(unit)
    given = dict(each.split("=", 1) for each in found["Environment"])
    assert set(given) == {"BOUNTY_OPS_HOME", "DAGSTER_HOME", "PATH", "PYTHONUNBUFFERED"}
    files = found["EnvironmentFile"]
    assert ("/etc/bounty-ops/bounty-ops.env" in files) == (unit.stem == "bounty-ops-code")
    for file in files:
        example = SYSTEMD / (file.rpartition("/")[2] + ".example")
        assert example.is_file()
        assert f"install -m 0600 examples/systemd/{example.name} {file}" in PAGE.read_text("utf-8")


def test_the_example_files_set_what_is_read_and_everything_that_is_needed(tmp_path: Path) -> None:
    storage = variables(SYSTEMD / "dagster.env.example")
    ours = variables(SYSTEMD / "bounty-ops.env.example")
    assert set(storage) == STORAGE
    assert set(ours) <= OURS
    settings = load_settings(tmp_path, {**storage, **ours})
    assert settings.problems == ()
    assert settings.environment("production").configured
    assert settings.require_ops_url().database == "bounty_ops"
    assert settings.require_object_store().location.uri() == "s3://bucket/prefix"


def test_the_commands_are_those_of_the_compose_file_but_for_places() -> None:
    """So that a test that runs the ones has run the others."""
    services = read(COMPOSE / "compose.yaml")["services"]
    for name in ("code", "daemon", "webserver"):
        (start,) = settings_of(SYSTEMD / f"bounty-ops-{name}.service")["ExecStart"]
        there = " ".join(services[name]["command"])
        there = there.replace("/srv/dagster/workspace.yaml", "/etc/bounty-ops/workspace.yaml")
        assert start == f"{INSTALLED}/{there}".replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - a container's
    (wait,) = settings_of(SYSTEMD / "bounty-ops-code.service")["ExecStartPre"]
    assert wait.removeprefix(f"{INSTALLED}/") in services["code"]["entrypoint"][-1]
    (server,) = (each["grpc_server"] for each in read(SYSTEMD / "workspace.yaml")["load_from"])
    (start,) = settings_of(SYSTEMD / "bounty-ops-code.service")["ExecStart"]
    assert f"--host={server['host']} --port={server['port']} " in start


def test_the_page_installs_every_file_that_there_is() -> None:
    page = PAGE.read_text("utf-8")
    for file in SYSTEMD.iterdir():
        shown = f"examples/systemd/{file.name}" in page
        assert shown or (file.suffix == ".service" and "examples/systemd/*.service" in page)
    blocks = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    for block in blocks:
        assert subprocess.run(["sh", "-n", "-c", block], check=False).returncode == 0  # noqa: S607
    assert all(unit.stem in blocks[-1] for unit in UNITS)


def test_the_user_has_no_shell(tmp_path: Path) -> None:
    file = SYSTEMD / "bounty-ops.sysusers.conf"
    (line,) = (each for each in file.read_text("utf-8").splitlines() if not each.startswith("#"))
    kind, name, number, _, home = line.split()
    assert (kind, name, number, home) == ("u", "bounty-ops", "-", "/var/lib/bounty-ops")
    if program := shutil.which("systemd-sysusers"):
        (tmp_path / "etc").mkdir()
        subprocess.run([program, f"--root={tmp_path}", str(file)], check=True, capture_output=True)
        (entry,) = (tmp_path / "etc/passwd").read_text("utf-8").splitlines()
        assert entry.startswith("bounty-ops:x:")
        assert entry.endswith(":/var/lib/bounty-ops:/usr/sbin/nologin")
