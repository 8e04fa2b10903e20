"""Where the examples are, and how tests read them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]  # it has no stubs here

import bounty_ops
from bounty_ops.environments.object_storage import COPY_NAMES, VariableNames

ROOT: Final = Path(bounty_ops.__file__).parents[1]
EXAMPLES: Final = ROOT / "examples"
COMPOSE: Final = EXAMPLES / "compose"
HELM: Final = EXAMPLES / "helm"
SYSTEMD: Final = EXAMPLES / "systemd"
SCHEMAS: Final = Path(__file__).parent
#: Dagster's variables that the project's dagster.yaml reads.
STORAGE: Final = frozenset(
    f"DAGSTER_PG_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DB")
)
#: What docs/reference/settings.md calls variables.
OURS: Final = frozenset(
    {"DATABASE_URL", "OPS_DATABASE_URL", "BOUNTY_ENV", "BOUNTY_OPS_HOME"}
    | {name for names in (VariableNames(), COPY_NAMES) for name in vars(names).values()}
)


def read(path: Path) -> Any:  # noqa: ANN401 - YAML is anything
    """A YAML file of one document, anchors and merges resolved."""
    return yaml.safe_load(path.read_text("utf-8"))


def read_all(path: Path) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def variables(path: Path) -> dict[str, str]:
    """The variables of an environment file, one a line."""
    lines = path.read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def problems(files: list[Path], *schema: str) -> list[str]:
    """What a JSON schema has against some files, by `check-jsonschema`."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--output-format",
            "json",
            *schema,
            *map(str, files),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    told = json.loads(done.stdout)
    assert (done.returncode == 0) == (told["status"] == "ok"), done.stdout + done.stderr
    return [
        f"{each['path']}: {each['message']}"
        for kind in ("errors", "parse_errors")
        for each in told.get(kind, [])
    ]


def locked(name: str, lock: str = "requirements.lock") -> str:
    """The version of a package that a lock names."""
    for line in (ROOT / lock).read_text("utf-8").splitlines():
        if line.startswith(f"{name}=="):
            return line.removeprefix(f"{name}==").split()[0].rstrip("\\")
    raise AssertionError(f"{lock} does not name {name}")
