"""A drill without room: it finds nothing out, whatever it is that has none."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.errors import LockNotAvailable
from bounty_ops.journal.records import Verdict
from bounty_ops_tests.embedded.observing import python
from bounty_ops_tests.fix_backups import run, sessions
from bounty_ops_tests.fix_servers import running_server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs
    from bounty_ops_tests.fix_backups import Backups

#: Verifies a backup with files of no more than so many bytes, servers' and programs' included.
PROGRAM = """
import resource, sys
from pathlib import Path
from bounty_ops.environments import load_settings
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import verify_backup

home, most = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal(ObjectStore(load_settings(home).require_object_store()))
manifest = journal.find(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
proof = verify_backup(manifest, journal, work_dir=home / "verify")
print(proof.verdict.value, "|", proof.reason, flush=True)
"""
MIB = 1 << 20


@pytest.fixture
def variables(s3_prefix: ObjectStoreSettings) -> Mapping[str, str]:
    return {
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
        "AWS_DEFAULT_REGION": s3_prefix.region or "us-east-1",
    }


@pytest.mark.parametrize(
    "most",
    [
        pytest.param(1 * MIB, id="for the archive"),
        pytest.param(4 * MIB, id="for the server's own files", marks=pytest.mark.soak),
        pytest.param(20 * MIB, id="for a table"),
    ],
)
@pytest.mark.soak
def test_a_drill_without_room_finds_nothing_out(
    fresh_database: DatabaseUrl,
    backups: Backups,
    variables: Mapping[str, str],
    tmp_path: Path,
    most: int,
) -> None:
    # Compresses well: the archive has some 2 MB, the table more than 30.
    run(
        fresh_database,
        "CREATE TABLE large AS SELECT g AS id, repeat(md5(g::text), 20) AS body"
        " FROM generate_series(1, 48000) g",
        "ALTER TABLE large ALTER body SET STORAGE EXTERNAL",
    )
    manifest = backups.take(fresh_database)
    assert MIB < manifest.archive.size_bytes < 4 * MIB

    with python(PROGRAM, tmp_path, most, manifest.id, environ=variables) as process:
        said = process.communicate()[0].splitlines()[-1]

    assert said.startswith("inconclusive |"), said
    with contextlib.suppress(FileNotFoundError):
        left = sorted(path.name for path in (tmp_path / "verify").iterdir())
        assert left in (["verification.lock"], ["sweep.lock", "verification.lock"])
    proof = backups.verify(manifest)
    assert proof.verdict is Verdict.PROVED
    assert backups.journal.summaries()[0].verdict is Verdict.PROVED


@pytest.mark.soak
def test_a_server_without_room_for_so_many_locks_is_told_and_left_alone(
    pg_programs: Programs, backups: Backups, tmp_path: Path
) -> None:
    settings = {"max_locks_per_transaction": "10", "max_connections": "10"}
    with running_server(pg_programs, tmp_path / "small", settings) as server:
        for schema in range(20):
            run(
                server,
                f"CREATE SCHEMA s{schema}",
                *(
                    f"DO $$ BEGIN FOR i IN {first}..{first + 49} LOOP"
                    f" EXECUTE format('CREATE TABLE s{schema}.t%s (i integer)', i);"
                    " END LOOP; END $$"
                    for first in (0, 50, 100)
                ),
            )

        with pytest.raises(LockNotAvailable, match="no room for locks on 3000 tables") as caught:
            backups.take(server)

        assert "max_locks_per_transaction" in caught.value.hint
        assert wait_until(lambda: not any("bounty-ops" in name for name in sessions(server)), 30)
    assert backups.left_over() == []
