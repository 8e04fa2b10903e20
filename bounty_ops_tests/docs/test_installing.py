"""docs/how-to/use-the-schema.md: what the page installs is enough for what it does then."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from bounty_ops_tests.docs.pages import ROOT, blocks_of
from bounty_ops_tests.docs.shapes import difference
from bounty_ops_tests.docs.wheelhouse import fill

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

_PAGE: Final = "docs/how-to/use-the-schema.md"
_OWN: Final = str(__file__).removeprefix(f"{ROOT}/")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own wheel, and one of each package that it requires."""
    place = tmp_path_factory.mktemp("wheels")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    fill(place, "bounty-ops")
    return place


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [0, 1], ids=["everything", "the tables alone"])
def test_the_page_installs_what_it_needs(
    number: int, house: Path, make_database: Callable[[], DatabaseUrl], tmp_path: Path
) -> None:
    """In an empty environment, from wheels of what is installed here."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    environ = {
        "PATH": f"{tmp_path / 'venv' / 'bin'}:{os.defpath}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(house),
        "PIP_NO_COMPILE": "1",
        "TEST_DATABASE_URL": make_database().text(),
    }

    def shell(text: str) -> list[str]:
        done = subprocess.run(
            ["/bin/sh", "-ec", text], env=environ, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    blocks = blocks_of(_PAGE)
    shown = [block for block in blocks if block.value == _OWN]
    for command in shown[number].commands:
        shell(command.text)
    (script,) = [block for block in blocks if block.value == "make_tables.py"]
    (tmp_path / script.value).write_text(script.text, encoding="utf-8")
    (then,) = [each for block in blocks for each in block.commands if script.value in each.text]
    assert difference(then.output, shell(then.text)) is None
    if number == 0:
        assert shell("bounty-ops --version")
