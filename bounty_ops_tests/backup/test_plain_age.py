"""What we encrypt is opened by the plain programs, without anything of ours."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types

from bounty_ops.postgres.run import run_program
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_backups import Backups


def test_age_and_pg_restore_are_enough(
    fresh_database: DatabaseUrl, backups: Backups, pg_programs: Programs, tmp_path: Path
) -> None:
    run(fresh_database, "CREATE TABLE t AS SELECT g AS i FROM generate_series(1, 5000) g")
    identity = pyrage.x25519.Identity.generate()
    manifest = backups.take(fresh_database, encrypt_to=(str(identity.to_public()),))
    key, stored, plain = (tmp_path / name for name in ("key.txt", "stored", "archive.dump"))
    key.write_text(f"# made for a test\n{identity}\n", encoding="utf-8")
    stored.write_bytes(backups.store.get(manifest.archive.key))
    age = shutil.which("age")
    assert age is not None

    subprocess.run([age, "-d", "-i", key, "-o", plain, stored], check=True, capture_output=True)

    text = run_program(pg_programs, "pg_restore", ["--data-only", "--file=-", str(plain)])
    assert sum(line.isdigit() for line in text.splitlines()) == 5000
