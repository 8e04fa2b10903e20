"""What dead backups leave is found and removed; what lives is not touched."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.backup.publishing import sweep
from bounty_ops.journal.importing import import_announced
from bounty_ops.journal.layout import announcement_key, archive_key, manifest_key
from bounty_ops.journal.records import record_bytes
from bounty_ops.journal.sweep import SPARED
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request
from bounty_ops_tests.journal.examples import (
    a_backup,
    a_manifest,
    a_proof,
    put_archive,
    sha256_of,
)
from bounty_ops_tests.object_store.streams import in_small_parts, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.journal import Journal

    Start = Callable[[Callable[[Request], Fault | None]], FaultyStore]

MUCH_LATER = timedelta(days=2)


@pytest.fixture
def later() -> datetime:
    """A time at which everything that is stored now is old."""
    return datetime.now(UTC) + MUCH_LATER


def test_an_archive_without_a_manifest_is_cleared_away_when_it_is_old(
    journal: Journal, later: datetime
) -> None:
    dead = a_manifest()
    put_archive(journal, dead)
    alive = a_backup(journal)

    assert not journal.clear_abandoned("production", now=datetime.now(UTC))
    assert journal.store.head(dead.archive.key) is not None

    removed = journal.clear_abandoned("production", now=later)

    assert [archive.key for archive in removed.archives] == [dead.archive.key]
    assert journal.store.head(dead.archive.key) is None
    assert journal.store.head(alive.archive.key) is not None
    assert not journal.abandoned("production", now=later)


def test_an_unfinished_upload_is_cleared_away_when_it_is_old(
    faulty_s3: Start, later: datetime
) -> None:
    from bounty_ops.journal import Journal  # noqa: PLC0415 - only its type is needed elsewhere

    faulty = faulty_s3(
        lambda request: Fault.ANSWER_403 if request.operation in {"complete", "abort"} else None
    )
    key = a_manifest().archive.key
    with pytest.raises(Exception, match="access is denied"):
        in_small_parts(faulty.store()).upload_stream(
            key, io.BytesIO(some_bytes(6_000_000)), before_complete=lambda: None
        )
    journal = Journal(faulty.honest)

    assert not journal.clear_abandoned("production", now=datetime.now(UTC))
    assert not journal.clear_abandoned("staging", now=later)
    assert [upload.key for upload in journal.abandoned("production", now=later).uploads] == [key]

    removed = journal.clear_abandoned("production", now=later)

    assert [upload.key for upload in removed.uploads] == [key]
    assert journal.store.unfinished_uploads("") == []


def test_who_knows_that_nothing_runs_may_spare_nothing(journal: Journal) -> None:
    dead = a_manifest()
    put_archive(journal, dead)
    soon = datetime.now(UTC) + timedelta(minutes=1)

    assert journal.clear_abandoned("production", now=soon, spared=timedelta(0))


def test_what_was_a_backup_once_is_left_for_people_to_look_at(
    journal: Journal, later: datetime
) -> None:
    manifest = a_backup(journal)
    journal.write_proof(a_proof(manifest, sha256_of(journal, manifest)))
    journal.store.delete(manifest_key("production", manifest.id))

    assert not journal.clear_abandoned("production", now=later)
    assert journal.store.head(manifest.archive.key) is not None


def test_a_backup_that_is_finished_meanwhile_is_not_cleared_away(
    faulty_s3: Start, later: datetime
) -> None:
    """The manifest is written between the listing and the removal."""
    from bounty_ops.journal import Journal  # noqa: PLC0415 - only its type is needed elsewhere

    manifest = a_manifest()

    def plan(request: Request) -> None:
        if request.operation == "head":
            key = manifest_key("production", manifest.id)
            faulty.honest.put_if_absent(key, record_bytes(manifest))

    faulty = faulty_s3(plan)
    put_archive(Journal(faulty.honest), manifest)

    removed = Journal(faulty.store()).clear_abandoned("production", now=later)

    assert removed.archives == ()
    assert faulty.honest.head(manifest.archive.key) is not None


def test_the_next_night_clears_what_this_night_left() -> None:
    assert timedelta(hours=12) < SPARED < timedelta(hours=23)


@pytest.fixture
def unfinished(s3_prefix: ObjectStoreSettings, journal: Journal) -> Callable[[str], str]:
    """Begin an upload of a backup's archive and leave it; returns its key."""

    def begin(backup_id: str) -> str:
        key = archive_key("production", backup_id)
        make_client(s3_prefix).create_multipart_upload(
            Bucket=s3_prefix.location.bucket, Key=journal.store.full_key(key)
        )
        return key

    return begin


def test_a_backup_that_spares_no_upload_spares_that_of_an_import(
    journal: Journal, unfinished: Callable[[str], str]
) -> None:
    importing, dead = unfinished("importing"), unfinished("dead")

    with import_announced(journal.store, "production", "importing"):
        sweep(journal, "production")
        assert [one.key for one in journal.store.unfinished_uploads("")] == [importing]

    assert dead != importing
    sweep(journal, "production")
    assert journal.store.unfinished_uploads("") == []
    assert list(journal.store.list("backups/")) == []


def test_the_announcement_of_an_import_that_died_protects_nothing_and_goes(
    journal: Journal, later: datetime, unfinished: Callable[[str], str]
) -> None:
    key = unfinished("importing")
    journal.store.put_if_absent(announcement_key("production", "importing"), b"{}\n")
    assert not journal.clear_abandoned("production")

    removed = journal.clear_abandoned("production", now=later)

    assert [one.key for one in removed.uploads] == [key]
    assert list(journal.store.list("backups/")) == []


def test_ages_are_by_the_stores_clock_and_not_by_ours(journal: Journal) -> None:
    dead = a_manifest()
    put_archive(journal, dead)

    # Whatever this machine thinks what time it is: nothing in the bucket is older than that.
    assert not journal.clear_abandoned("production")
    assert not journal.clear_abandoned("production", spared=timedelta(0))
    assert journal.store.head(dead.archive.key) is not None
    time.sleep(1.1)
    a_backup(journal)
    removed = journal.clear_abandoned("production", spared=timedelta(0))
    assert [one.key for one in removed.archives] == [dead.archive.key]
