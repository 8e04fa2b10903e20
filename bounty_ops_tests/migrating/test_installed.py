"""An installed wheel finds the migrations that it carries; a broken one says so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import bounty_ops
from bounty_ops.migrating.lineage import LINEAGES, Lineage

_PRINT = """
from bounty_ops.errors import MigrationError
from bounty_ops.migrating.lineage import LINEAGES
from bounty_ops.migrating.revisions import revisions_of
for lineage in LINEAGES:
    try:
        print(lineage.directory(), revisions_of(lineage).head)
    except MigrationError as error:
        print(error.hint)
"""


def _installed(tmp_path: Path) -> Path:
    """Lay the package out as pyproject.toml's wheel target does, without its neighbours."""
    package = tmp_path / "bounty_ops"
    ignore = shutil.ignore_patterns("__pycache__", "_migrations")
    shutil.copytree(Path(bounty_ops.__file__).parent, package, ignore=ignore)
    return package


def _lines(tmp_path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PRINT], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()


def _newest(lineage: Lineage) -> str:
    files = (lineage.directory() / "versions").glob(f"{lineage.name}_????_*.py")
    return max("_".join(file.name.split("_")[:2]) for file in files)


def test_a_wheel_carries_its_migrations(tmp_path: Path) -> None:
    package = _installed(tmp_path)
    for lineage in LINEAGES:
        shutil.copytree(lineage.directory(), package / "_migrations" / lineage.name)
    assert _lines(tmp_path) == [
        f"{package}/_migrations/{lineage.name} {_newest(lineage)}" for lineage in LINEAGES
    ]


def test_lost_migrations_are_reported(tmp_path: Path) -> None:
    _installed(tmp_path)
    lines = _lines(tmp_path)
    assert len(lines) == len(LINEAGES)
    assert all("Install bounty-ops again" in line for line in lines)
