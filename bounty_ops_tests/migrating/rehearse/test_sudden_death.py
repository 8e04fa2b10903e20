"""A rehearsal that ends half-way leaves nothing of the copy, and no certificate."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from bounty_ops.journal.permits import read_rehearsals
from bounty_ops_tests.embedded.observing import none_left, processes_of, python, read_line
from bounty_ops_tests.migrating.rehearse.stage import Step

if TYPE_CHECKING:
    from bounty_ops_tests.migrating.rehearse.stage import Stage

PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
from bounty_ops.environments import load_settings
from bounty_ops.journal import Journal
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.rehearse import rehearse
from bounty_ops.object_store import ObjectStore

home, line = Path(sys.argv[1]), replace(BOUNTY, location=Path(sys.argv[2]))
settings = load_settings(home)
environment = settings.environment()
rehearse(
    environment,
    Journal(ObjectStore(settings.require_object_store())),
    plan_migration(environment, line),
    operator="ada",
    work_dir=home / "work",
    lineage=line,
)
"""
STANDS_STILL = """if not op.get_context().as_sql:
        print("under way", flush=True)
        op.execute("SELECT pg_sleep(600) FROM parcel")"""


@pytest.mark.soak
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_a_rehearsal_that_is_ended_half_way(stage: Stage, blow: signal.Signals) -> None:
    home = stage.directory
    _, line = stage.plan(Step("ALTER TABLE parcel ADD x int"), Step(up_code=STANDS_STILL))
    store = stage.backups.store
    settings = store._settings
    variables = {
        "DATABASE_URL": stage.live.text(),
        "BACKUP_BUCKET": settings.location.uri(),
        "AWS_ENDPOINT_URL_S3": settings.endpoint_url or "",
        "AWS_ACCESS_KEY_ID": settings.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": settings.secret_access_key or "",
        "AWS_DEFAULT_REGION": settings.region or "us-east-1",
    }
    before = read_rehearsals(store, "development")
    with python(PROGRAM, home, line.directory(), environ=variables) as process:
        assert read_line(process) == "under way"
        assert list((home / "work").glob("cluster-*"))
        # The archives are gone as soon as they are restored.
        assert not list((home / "work").glob("verification-*/*.dump"))
        process.send_signal(blow)
        process.wait()

        assert none_left(home / "work"), processes_of(home / "work")
    assert not list((home / "work").glob("cluster-*"))
    assert read_rehearsals(store, "development") == before
