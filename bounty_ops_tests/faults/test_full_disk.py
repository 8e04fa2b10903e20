"""A drill on a file system that is really full: it finds nothing out, says so and cleans up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.journal.records import Verdict
from bounty_ops.restore import verify_backup
from bounty_ops_tests.embedded.observing import none_left
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.small_disk import small_disk

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import Manifest
    from bounty_ops_tests.fix_backups import Backups

MIB = 1 << 20


@pytest.fixture
def manifest(fresh_database: DatabaseUrl, backups: Backups) -> Manifest:
    """A backup of some 2 MB, of a table of more than 60."""
    run(
        fresh_database,
        "CREATE TABLE large AS SELECT g AS id, repeat(md5(g::text), 20) AS body"
        " FROM generate_series(1, 96000) g",
        "ALTER TABLE large ALTER body SET STORAGE EXTERNAL",
    )
    return backups.take(fresh_database)


@pytest.mark.parametrize(
    ("room", "largest_file"),
    [
        pytest.param(1 * MIB, 1 * MIB, id="for the archive"),
        pytest.param(16 * MIB, 8 * MIB, id="for the server's own files", marks=pytest.mark.soak),
        pytest.param(90 * MIB, 20 * MIB, id="for the table"),
    ],
)
def test_a_drill_on_a_full_disk_is_inconclusive_and_says_why(
    backups: Backups, manifest: Manifest, tmp_path: Path, room: int, largest_file: int
) -> None:
    work = tmp_path / "disk"
    with small_disk(work, room, largest_file=largest_file):
        proof = verify_backup(manifest, backups.journal, work_dir=work)

        assert wait_until(lambda: none_left(work), 20)
        left = sorted(path.name for path in work.iterdir())
        assert left in (["verification.lock"], ["sweep.lock", "verification.lock"])
    assert proof.verdict is Verdict.INCONCLUSIVE
    told = (proof.reason or "").lower()
    assert any(
        word in told for word in ("has room for", "disk is full", "no space left", "file too large")
    ), told
    assert backups.verify(manifest).verdict is Verdict.PROVED
