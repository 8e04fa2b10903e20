"""The workflow files under examples/ci do what they say: their steps are run here, by bash."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no stubs here

import bounty_ops
from bounty_ops_tests.migrating.lines import write_revision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

ROOT = Path(bounty_ops.__file__).parents[1]
FILES = sorted((ROOT / "examples" / "ci").glob("*.yml"))
#: Needs the network; what it installs is what runs the tests.
INSTALL = "Install"
_EXPRESSION = re.compile(r"\$\{\{ *([a-z_]+(?:\.[A-Za-z0-9_]+)+) *\}\}")


def workflow(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "examples" / "ci" / name).read_text("utf-8"))
    return found


def steps(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [step for job in content["jobs"].values() for step in job["steps"]]


@dataclass
class Runner:
    """A machine with a checkout, as GitHub would give it to a job."""

    home: Path
    context: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, job: str, *, only: str | None = None) -> dict[str, tuple[int, str]]:
        """Run a job's own steps until one fails; return exit code and output by name."""
        content = workflow(name)
        ended: dict[str, tuple[int, str]] = {}
        failed = False
        for step in content["jobs"][job]["steps"]:
            if "run" not in step or step["name"] == INSTALL or only not in {None, step["name"]}:
                continue
            if failed and "always()" not in step.get("if", ""):
                continue
            environment: dict[str, str] = {}
            for level in (content, content["jobs"][job], step):
                environment |= level.get("env", {})
            ended[step["name"]] = self._step(step["run"], environment)
            failed = failed or ended[step["name"]][0] != 0
        return ended

    def summary(self) -> str:
        return (self.home / "summary.md").read_text("utf-8")

    def _step(self, script: str, environment: Mapping[str, str]) -> tuple[int, str]:
        told = {name: self._told(str(said)) for name, said in environment.items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],  # noqa: S607 - as a runner does
            cwd=self.home,
            env={
                **os.environ,
                "PATH": f"{self.home / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(self.home),
                "BOUNTY_OPS_HOME": str(self.home),
                "GITHUB_STEP_SUMMARY": str(self.home / "summary.md"),
                "GITHUB_SHA": "0123abc",
                **{name: said for name, said in told.items() if said},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout

    def _told(self, said: str) -> str:
        return _EXPRESSION.sub(lambda match: self.context[match[1]], said)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A repository with Bounty's migrations, and the program of this checkout."""
    home = tmp_path / "checkout"
    (home / "bin").mkdir(parents=True)
    program = home / "bin" / "bounty-ops"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m bounty_ops "$@"\n')
    program.chmod(0o755)
    # The migrations are looked for beside the package, wherever the link to it lies.
    (home / "bounty_ops").symlink_to(ROOT / "bounty_ops")
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "migrations", home / "migrations", ignore=left_out)
    return Runner(home)


def git(home: Path, *words: str) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    argv = ["git", *author, *words]
    subprocess.run(argv, cwd=home, check=True, capture_output=True)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_that_people_type_gets_into_a_script(file: Path) -> None:
    """An expression in `run` is replaced before the shell reads it: it could hold a command."""
    content = workflow(file.name)
    assert all("${{" not in step.get("run", "") for step in steps(content))
    assert content["permissions"]["contents"] == "read"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_told_of(file: Path) -> None:
    assert f"({file.name})" in (file.parent / "README.md").read_text("utf-8")


@pytest.mark.soak
def test_a_pull_request_is_linted(runner: Runner) -> None:
    runner.context = {"github.base_ref": "main"}
    git(runner.home, "init", "-q", "-b", "main")
    git(runner.home, "add", "migrations")
    git(runner.home, "commit", "-q", "-m", "base")
    git(runner.home, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(runner.home, "checkout", "-q", "-b", "change")
    nothing = runner.run("lint-migrations.yml", "lint", only="Lint the new revisions")
    assert nothing == {"Lint the new revisions": (0, "There is no new revision.\n")}

    line = runner.home / "migrations" / "bounty"
    write_revision(line, "bounty_0002", "bounty_0001", "ALTER TABLE bounty ADD a int NOT NULL")
    git(runner.home, "add", "migrations")
    git(runner.home, "commit", "-q", "-m", "change")
    ended = runner.run("lint-migrations.yml", "lint", only="Lint the new revisions")
    code, said = ended["Lint the new revisions"]
    assert code == 1, said
    assert "error" in said
    found = json.loads((runner.home / "migrations.sarif").read_text("utf-8"))
    assert found["version"] == "2.1.0"
    assert any(result["level"] == "error" for result in found["runs"][0]["results"])

    write_revision(line, "bounty_0002", "bounty_0001", "ALTER TABLE bounty ADD a int")
    git(runner.home, "add", "migrations")
    git(runner.home, "commit", "-q", "-m", "change it for the better")
    code, said = runner.run("lint-migrations.yml", "lint", only="Lint the new revisions")[
        "Lint the new revisions"
    ]
    assert code == 0, said

    (line / "versions" / "by_hand.py").write_text('op.execute("DROP TABLE bounty")\n')
    git(runner.home, "add", "migrations")
    git(runner.home, "commit", "-q", "-m", "what the lint would not find")
    code, said = runner.run("lint-migrations.yml", "lint", only="Lint the new revisions")[
        "Lint the new revisions"
    ]
    assert code == 1
    assert "not linted: migrations/bounty/versions/by_hand.py" in said

    refusal = "Refuse migrations that were edited"
    assert runner.run("lint-migrations.yml", "lint", only=refusal)[refusal][0] == 0
    baseline = next((line / "versions").glob("bounty_0001*.sql"))
    baseline.write_text(baseline.read_text("utf-8") + "\n", encoding="utf-8")
    git(runner.home, "commit", "-q", "-a", "-m", "edit what was applied")
    code, said = runner.run("lint-migrations.yml", "lint", only=refusal)[refusal]
    assert code == 1
    assert baseline.name in said


@pytest.mark.soak
def test_models_and_migrations_are_compared_in_a_pull_request(runner: Runner) -> None:
    """A server is started for it; the command itself has its own tests."""
    step = "Models and migrations agree"
    code, said = runner.run("lint-migrations.yml", "lint", only=step)[step]
    assert code == 0, said


@pytest.mark.soak
def test_a_merge_is_planned_and_applied_by_its_digest(
    runner: Runner, make_database: Callable[..., DatabaseUrl], s3_prefix: ObjectStoreSettings
) -> None:
    (runner.home / "bounty_ops.toml").write_text("[environments.production]\nrequire_tls = false\n")
    staging, production = make_database(), make_database()
    runner.context = {
        "github.actor": "octocat",
        "secrets.OPS_DATABASE_URL": make_database().text(),
        "secrets.AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "secrets.AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
        "vars.BACKUP_BUCKET": s3_prefix.location.uri(),
        "vars.AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "vars.AWS_REGION": s3_prefix.region or "",
        "secrets.DATABASE_URL": staging.text(),
        "inputs.reason": "OPS-1; touch owned $(touch owned)",
        "inputs.backup_first": "false",
    }
    code, said = runner.run("plan-migrations.yml", "staging")["Migrate staging"]
    assert code == 0, said
    runner.context["secrets.DATABASE_URL"] = production.text()
    code, said = runner.run("plan-migrations.yml", "plan")["Plan for production"]
    assert code == 0, said
    plan = json.loads((runner.home / "plan.json").read_text("utf-8"))
    assert plan["ready"] is True
    assert f"digest {plan['digest']}" in runner.summary()

    runner.context["inputs.digest"] = "0" * 64
    code, said = runner.run("migrate-production.yml", "migrate", only="Migrate")["Migrate"]
    assert code == 3
    assert "another digest" in said
    runner.context["inputs.digest"] = plan["digest"]
    ended = runner.run("migrate-production.yml", "migrate")
    assert {code for code, _ in ended.values()} == {0}, ended
    (record,) = json.loads((runner.home / "history.json").read_text("utf-8"))
    assert record["digest"] == plan["digest"]
    assert record["operator"].startswith("octocat@")
    assert record["reason"] == "OPS-1; touch owned $(touch owned)"
    assert not (runner.home / "owned").exists()
