"""Throw-away clusters are copies of one that initdb made, as long as that one is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.embedded.privileges import server_user
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("BOUNTY_OPS_SERVER_USER", raising=False)
    return tmp_path / "cache" / "bounty-ops"


def identifier(work_dir: Path) -> int:
    """The system identifier of a new cluster: initdb gives each its own, a copy keeps it."""
    with (
        throwaway_cluster(find_programs(17, server=True), work_dir=work_dir) as url,
        connect(url, application_name="tests") as connection,
    ):
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    assert row is not None
    return int(row[0])


def templates(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.name.startswith("initdb-")]


def test_the_second_cluster_is_a_copy(cache: Path, tmp_path: Path) -> None:
    first = identifier(tmp_path / "work")
    if server_user().strategy == "switch":
        assert not cache.exists()
        return
    assert identifier(tmp_path / "work") == first
    assert [path.name for path in cache.iterdir()] == [path.name for path in templates(cache)]


@pytest.mark.soak
def test_a_template_that_lost_a_file_is_made_anew(cache: Path, tmp_path: Path) -> None:
    first = identifier(tmp_path / "work")
    for template in templates(cache) if cache.exists() else []:
        (template / "data" / "global" / "pg_control").unlink()
    second = identifier(tmp_path / "work")
    assert second != first
    if server_user().strategy != "switch":
        assert identifier(tmp_path / "work") == second


def test_without_a_cache_every_cluster_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("not a directory", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert identifier(tmp_path / "work") != identifier(tmp_path / "work")
