"""What a release holds, and what it does not."""

from __future__ import annotations

import email
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import bounty_ops
from bounty_ops_tests.release.conftest import ROOT

if TYPE_CHECKING:
    from bounty_ops_tests.release.conftest import Release

#: Where the files of the source archive stand in the wheel.
_MOVED = {
    "migrations/": "bounty_ops/_migrations/",
    "dagster.yaml": "bounty_ops/_dagster/dagster.yaml",
    "workspace.yaml": "bounty_ops/_dagster/workspace.yaml",
}
_NOT_FOR_ANYBODY = re.compile(
    r"(^|/)(__pycache__|\.env(\.(?!example)[^/]*)?|\.bounty-ops)(/|$)|\.py[cod]$"
)


def _names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_the_wheel_holds_the_package_and_what_it_needs_to_run(release: Release) -> None:
    expected = set()
    for name in _names(release.source):
        if name.startswith("bounty_ops/"):
            expected.add(name)
        for old, new in _MOVED.items():
            if name.startswith(old):
                expected.add(new + name.removeprefix(old))
    found = set(release.content())
    about = {name for name in found if name.startswith(f"bounty_ops-{bounty_ops.__version__}.")}
    assert found - about == expected
    assert {
        "bounty_ops/py.typed",
        "bounty_ops/schema/py.typed",
        "bounty_ops/_migrations/bounty/env.py",
        "bounty_ops/_migrations/ops/env.py",
        "bounty_ops/_dagster/dagster.yaml",
        "bounty_ops/_dagster/workspace.yaml",
        "bounty_ops/restore/recover.py",
    } <= found
    assert {name.rpartition(".dist-info/")[2] for name in about} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE",
    }  # fmt: skip


def test_the_source_archive_holds_everything_to_build_test_and_read(release: Release) -> None:
    found = _names(release.source)
    assert {
        "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO", "README.md",
        "dagster.yaml", "workspace.yaml", "pyproject.toml", "postgresql-majors.lock",
        "requirements.lock", "benchmarks/seeding.py", "bounty_ops_tests/conftest.py",
        "bounty_ops_tests/data/bounty_schema.json", "bounty_ops_tests/release/test_content.py",
        "docs/decisions/0001-the-rooms-and-what-moved.md", "docs/reference/schema.md",
        "migrations/bounty/env.py",
    } <= found  # fmt: skip


def test_nothing_of_this_machine_is_released(release: Release) -> None:
    places = {str(ROOT), sys.prefix, str(release.source), str(Path.home())} - {"/", "/root"}
    wheel = release.content()
    archive = {name: (release.source / name).read_bytes() for name in _names(release.source)}
    for name, content in [*wheel.items(), *archive.items()]:
        assert not _NOT_FOR_ANYBODY.search(name), name
        for place in places:
            assert f"{place}/".encode() not in content, (name, place)
    assert not any("test" in Path(name).parts[0] for name in wheel)


def test_the_version_stands_in_one_place_and_the_changelog_begins_with_it(
    release: Release,
) -> None:
    version = bounty_ops.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    about = email.message_from_bytes(release.content()[f"bounty_ops-{version}.dist-info/METADATA"])
    assert (about["Name"], about["Version"]) == ("bounty-ops", version)
    assert release.archive.name == f"bounty_ops-{version}.tar.gz"
    assert about["License-Expression"] == "MIT"
    for dependency in project["dependencies"]:
        name = re.split(r"[\[<>=~]", dependency)[0]
        assert any(each.startswith(name) for each in about.get_all("Requires-Dist") or ()), name
    headings = re.findall(
        r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert headings[0] == version
    assert len(headings) == len(set(headings))
