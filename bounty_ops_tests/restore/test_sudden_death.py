"""Our own process killed in the middle: nothing half-done is seen, and the next run works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded.processes import wait_until
from bounty_ops.journal.records import Verdict
from bounty_ops_tests.embedded.observing import none_left, processes_of, python, read_line
from bounty_ops_tests.fix_backups import run, sessions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops_tests.fix_backups import Backups

#: Takes or verifies a backup, and says so and stands still as soon as enough bytes have passed.
PROGRAM = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.environments import load_settings
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import verify_backup, restoring

what, home, enough = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
settings = load_settings(home)
journal = Journal(ObjectStore(settings.require_object_store()))

def stand_still(*_, **__):
    print("under way", flush=True)
    time.sleep(600)

def progress(count):
    if count >= enough:
        stand_still()

if what == "take":
    environment = settings.environment()
    plan = plan_backup(environment, journal.store, now=datetime.now(UTC), taken_by="a test")
    take_backup(plan, environment.require_url(), journal, progress=progress)
else:
    manifest = journal.find(sys.argv[4])
    if what == "restore":
        restoring.restore_archive = stand_still
        from bounty_ops.restore import verify
        verify.restore_archive = stand_still
        progress = None
    verify_backup(manifest, journal, work_dir=home / "verify", progress=progress)
"""


@pytest.fixture
def variables(
    fresh_database: DatabaseUrl, s3_prefix: ObjectStoreSettings, tmp_path: Path
) -> Mapping[str, str]:
    """What a process needs to find the test's servers, with a database of several parts."""
    run(
        fresh_database,
        "CREATE TABLE large AS SELECT g AS id, (SELECT string_agg(md5(random()::text || g || i),"
        " '') FROM generate_series(1, 40) i) AS body FROM generate_series(1, 20000) g",
    )
    (tmp_path / "bounty_ops.toml").write_text('[defaults]\ncompression = "none"\n', "utf-8")
    return {
        "DATABASE_URL": fresh_database.text(),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
        "AWS_DEFAULT_REGION": s3_prefix.region or "us-east-1",
    }


def test_a_backup_that_is_killed_half_way(
    fresh_database: DatabaseUrl,
    backups: Backups,
    variables: Mapping[str, str],
    tmp_path: Path,
) -> None:
    with python(PROGRAM, "take", tmp_path, 12 << 20, environ=variables) as process:
        assert read_line(process) == "under way"
        assert any("bounty-ops" in name for name in sessions(fresh_database))
        # The bytes have been read; the thread that begins the upload may still be at it.
        assert wait_until(lambda: len(backups.store.unfinished_uploads("")) == 1, 30)
        process.kill()

    # The server notices by itself, and the locks go with the sessions.
    assert wait_until(lambda: not sessions(fresh_database), 30)
    assert backups.journal.summaries() == []
    assert len(backups.store.unfinished_uploads("")) == 1

    manifest = backups.take(fresh_database)

    assert [one.id for one in backups.journal.summaries()] == [manifest.id]
    assert backups.left_over() == []


@pytest.mark.parametrize("what", ["fetch", "restore"])
@pytest.mark.many(every=2)
def test_a_verification_that_is_killed_half_way(
    fresh_database: DatabaseUrl,
    backups: Backups,
    variables: Mapping[str, str],
    tmp_path: Path,
    what: str,
) -> None:
    manifest = backups.take(fresh_database)
    with python(PROGRAM, what, tmp_path, 1 << 20, manifest.id, environ=variables) as process:
        assert read_line(process) == "under way"
        assert list((tmp_path / "verify").glob("verification-*/archive.dump"))
        process.kill()

    assert none_left(tmp_path / "verify"), processes_of(tmp_path / "verify")
    [summary] = backups.journal.summaries()
    assert summary.verdict is Verdict.UNVERIFIED

    proof = backups.verify(manifest)

    assert proof.verdict is Verdict.PROVED
    left = sorted(path.name for path in (tmp_path / "verify").iterdir())
    assert left == ["sweep.lock", "verification.lock"]
