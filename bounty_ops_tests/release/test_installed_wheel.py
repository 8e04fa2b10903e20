"""An installed wheel works in an empty directory, far from any checkout."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from typing import TYPE_CHECKING

import pytest

import bounty_ops

if TYPE_CHECKING:
    import subprocess

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
def test_its_studio_has_pages_and_what_belongs_to_them(installed: Installed) -> None:
    words = ("studio", "--read-only", "--port", "0", "--json")
    with installed.start("bounty-ops", *words) as studio:
        try:
            address = json.loads(_document(studio))["url"]
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

            def read(there: str) -> str:
                with browser.open(there, timeout=60) as answer:
                    text: str = answer.read().decode()
                return text

            goal = re.search(r'href="(/studio-[0-9a-f]+/)"', read(address))
            assert goal is not None
            origin = address.partition("/enter")[0]
            home = read(origin + goal[1])
            assert "There are no tables here yet" in home
            assert 'class="studio-bar' in home
            pages = [home, *(read(f"{origin}{goal[1]}{one}") for one in ("diagram", "query"))]
            parts = {one for page in pages for one in re.findall(r'(?:src|href)="([^"]+)"', page)}
            files = {one for one in parts if one.endswith((".css", ".js"))}
            assert {"studio.css", "diagram.js", "main.js"} <= {
                one.rpartition("/")[2] for one in files
            }
            assert all(read(one) for one in files)
        finally:
            studio.send_signal(signal.SIGINT)
            studio.communicate(timeout=60)
    assert studio.returncode == 0


def _document(studio: subprocess.Popen[str]) -> str:
    assert studio.stdout is not None
    said = ""
    while not said.endswith("}\n"):
        line = studio.stdout.readline()
        assert line, "it ended before it said where it is"
        said += line
    return said


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_whole_night_from_an_empty_directory(installed: Installed) -> None:
    night = installed.run("bounty-ops", "demo", "--json", timeout=800)
    assert night.returncode == 0, night.stderr
    document = json.loads(night.stdout)
    assert document["proof"]["verdict"] == "proved"
    assert document["backup"]["rows"] > 0
