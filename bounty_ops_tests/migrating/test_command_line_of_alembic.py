"""Alembic's own command line works for writing migrations, and is kept from protected data."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating import migrate_ops
from bounty_ops.migrating.lineage import BOUNTY, LINEAGES, Lineage
from bounty_ops_tests.migrating.lines import longer_line, migrate

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl


def _alembic(
    tmp_path: Path, lineage: Lineage, url: DatabaseUrl, *arguments: str, name: str = "development"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", "-c", lineage.directory() / "alembic.ini", *arguments],
        env={
            **os.environ,
            "BOUNTY_OPS_HOME": str(tmp_path),
            "BOUNTY_ENV": name,
            "OPS_DATABASE_URL" if lineage.name == "ops" else "DATABASE_URL": url.text(),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lineage", LINEAGES, ids=lambda lineage: lineage.name)
def test_it_finds_models_and_database_alike(
    fresh_database: DatabaseUrl, tmp_path: Path, lineage: Lineage
) -> None:
    if lineage is BOUNTY:
        migrate(fresh_database)
    else:
        migrate_ops(fresh_database)
    done = _alembic(tmp_path, lineage, fresh_database, "check")
    assert (done.returncode, done.stdout) == (0, "No new upgrade operations detected.\n"), done


def test_the_next_revision_gets_the_next_number(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path)
    done = _alembic(
        tmp_path, line, migrated_database, "revision", "--autogenerate", "-m", "add notes"
    )
    assert done.returncode == 0, done
    written = line.directory() / "versions" / "bounty_0002_add_notes.py"
    assert 'down_revision = "bounty_0001"' in written.read_text(encoding="utf-8")


def test_a_protected_environment_is_out_of_its_reach(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    (tmp_path / "bounty_ops.toml").write_text(
        "[environments.staging]\nprotected = true\nrequire_tls = false\n", encoding="utf-8"
    )
    done = _alembic(tmp_path, BOUNTY, fresh_database, "upgrade", "head", name="staging")
    assert done.returncode != 0
    assert "environment staging is protected" in done.stderr
