"""An installed wheel works in an empty directory, far from any checkout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import bounty_ops

if TYPE_CHECKING:
    from bounty_ops_tests.release.conftest import Installed


def test_its_own_files_are_used(installed: Installed) -> None:
    done = installed.run("bounty-ops", "--version")
    assert done.stdout == f"bounty-ops {bounty_ops.__version__}\n", done.stderr
    script = (
        "import bounty_ops; from bounty_ops.migrating.lineage import LINEAGES\n"
        "from importlib.metadata import version; print(version('bounty-ops'))\n"
        "for place in (bounty_ops.__file__, *(line.directory() for line in LINEAGES)): print(place)"
    )
    said = installed.run("python", "-c", script).stdout.splitlines()
    assert said[0] == bounty_ops.__version__
    assert len(said) == 4
    assert all(place.startswith(f"{installed.packages}/bounty_ops/") for place in said[1:])


def test_its_migrations_are_linted_without_a_database(installed: Installed) -> None:
    linted = installed.run("bounty-ops", "db", "lint", "--json")
    # 1: there is a finding, which is an answer too.
    assert linted.returncode in {0, 1}, linted.stderr
    assert linted.stderr == ""
    assert {"findings"} <= set(json.loads(linted.stdout))
    assert list(installed.home.iterdir()) == [], "looking leaves nothing behind"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_whole_night_from_an_empty_directory(installed: Installed) -> None:
    night = installed.run("bounty-ops", "demo", "--json", timeout=800)
    assert night.returncode == 0, night.stderr
    document = json.loads(night.stdout)
    assert document["proof"]["verdict"] == "proved"
    assert document["backup"]["rows"] > 0
