"""`make` as a menu, and what it says where there is no Python for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a checkout as the Makefile looks at, at a path with a space in it."""
    place = tmp_path / "a b"
    place.mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(_ROOT / name, place)
    return place


def make(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program is not None
    return subprocess.run(
        [program, *arguments], cwd=place, capture_output=True, text=True, check=False
    )


def test_the_menu_shows_every_target_that_is_for_people(checkout: Path) -> None:
    shown = set(re.findall(r"make (\w+)", make(checkout).stdout))
    targets = re.findall(r"^(\w+):.*##", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert shown == set(targets)
    assert {"demo", "up", "test", "check", "install"} <= shown


def test_without_a_fitting_python_it_says_what_to_install(checkout: Path) -> None:
    result = make(checkout, "install", "PYTHONS=/nowhere/python /bin/false")
    assert result.returncode != 0
    assert "python3-venv" in result.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_cannot_do_it_is_passed_over(checkout: Path) -> None:
    # The first one is too old, the second one is found and then fails at the first real step.
    old = checkout / "old"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    good = checkout / "good"
    good.write_text(
        '#!/bin/sh\n[ "$1" = -c ] && exit 0\n[ "$1" = --version ] && echo Python 3.12.0 && exit\n'
        "echo reached >&2\nexit 9\n",
        encoding="utf-8",
    )
    old.chmod(0o755)
    good.chmod(0o755)
    result = make(checkout, "install", "PYTHONS=./old ./good")
    assert "Python 3.12.0" in result.stdout
    assert "reached" in result.stderr
    assert result.returncode != 0


def test_nothing_is_installed_twice(checkout: Path) -> None:
    stamp = checkout / ".venv" / ".installed"
    stamp.parent.mkdir()
    stamp.touch()
    assert make(checkout, "--dry-run", "demo").stdout.strip() == (
        "exec .venv/bin/python -m bounty_ops demo"
    )
    later = stamp.stat().st_mtime + 10
    os.utime(checkout / "requirements.lock", (later, later))
    assert "--require-hashes" in make(checkout, "--dry-run", "demo").stdout


def test_everything_that_is_installed_has_a_hash() -> None:
    text = (_ROOT / "requirements.lock").read_text("utf-8")
    entries = [line for line in text.split("\n") if re.match(r"\w", line)]
    assert len(entries) > 50
    assert all(re.match(r"[\w.\[\]-]+==[^ ]+( ;.*)? \\$", line) for line in entries)
    assert "://" not in text
