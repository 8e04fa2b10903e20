"""A release built from this checkout, and an environment that has nothing but its wheel.

================= ======== =====================================================================
``release``       session  `Release`: source archive, wheel, and the archive's content unpacked
``environment``   session  a virtual environment of the wheel's own
``installed``     function `Installed`: it, and an empty directory
================= ======== =====================================================================

The wheel is made from the source archive, so what is missing there is found. Nothing is downloaded:
the dependencies of the environment are those that run the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bounty_ops

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(bounty_ops.__file__).parents[1]


@dataclass(frozen=True)
class Release:
    """What would be uploaded."""

    archive: Path
    wheel: Path
    source: Path
    """The directory that the archive unpacks into."""

    def content(self) -> Mapping[str, bytes]:
        """The files of the wheel by name."""
        with zipfile.ZipFile(self.wheel) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}


@dataclass(frozen=True)
class Installed:
    """A virtual environment, and an empty directory to work in."""

    programs: Path
    packages: Path
    home: Path

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a program that the test then ends."""
        return subprocess.Popen(
            [self.programs / words[0], *words[1:]],
            cwd=self.home,
            env={"PATH": os.defpath, "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the empty directory, with nothing set."""
        return subprocess.run(
            [self.programs / words[0], *words[1:]],
            cwd=self.home,
            env={"PATH": os.defpath, "HOME": str(self.home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def _build(what: str, source: Path, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", what, "-d", out],
        cwd=source,
        check=True,
        capture_output=True,
    )
    [built] = out.iterdir()
    return built


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    place = tmp_path_factory.mktemp("release")
    archive = _build("sdist", ROOT, place / "sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(place / "source", filter="data")
    [source] = (place / "source").iterdir()
    return Release(archive, _build("wheel", source, place / "wheel"), source)


@pytest.fixture(scope="session")
def environment(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
    python = place / "venv" / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "-q",
         "install", "--no-deps", "--no-index", "--no-compile", release.wheel],
        check=True,
    )  # fmt: skip
    [packages] = (place / "venv" / "lib").glob("python*/site-packages")
    # The path of the dependencies, but not what stands in its .pth files: the checkout is there.
    known = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "dependencies.pth").write_text("\n".join(known), encoding="utf-8")
    for program in Path(sys.executable).parent.iterdir():
        if program.name.startswith("weed"):  # the object store's wheel is a program, no module
            (python.parent / program.name).symlink_to(program)
    return place / "venv"


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Installed:
    [packages] = (environment / "lib").glob("python*/site-packages")
    return Installed(environment / "bin", packages, tmp_path)
