"""The journal on a real bucket: what is listed, and what damage does to the list."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import JournalError, ObjectStoreUnavailable, UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.layout import backup_prefix, manifest_key, migration_key, proof_key
from bounty_ops.journal.records import (
    BackupState,
    Difference,
    Manifest,
    Verdict,
    record_bytes,
)
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request
from bounty_ops_tests.journal.examples import (
    ARCHIVE,
    NIGHT,
    a_backup,
    a_manifest,
    a_migration,
    a_proof,
    put_archive,
    sha256_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[[Callable[[Request], Fault | None]], FaultyStore]


def replace(journal: Journal, key: str, data: bytes) -> None:
    """Do what nobody should: put something else in a record's place."""
    journal.store.delete(key)
    journal.store.upload_stream(key, io.BytesIO(data), before_complete=lambda: None)


def test_a_backup_is_listed_with_what_people_ask_for(journal: Journal) -> None:
    manifest = a_backup(journal)

    [summary] = journal.summaries("production")

    assert summary.id == manifest.id
    assert summary.environment == "production"
    assert summary.taken_at == NIGHT
    assert summary.state is BackupState.COMPLETE
    assert summary.bucket == journal.store.location.bucket
    assert summary.key == journal.store.full_key(manifest.archive.key)
    assert summary.size_bytes == len(ARCHIVE)
    assert summary.sha256 == hashlib.sha256(ARCHIVE).hexdigest()
    assert summary.verdict is Verdict.UNVERIFIED
    assert summary.verified_at is None
    assert summary.problem is None
    assert journal.read_manifest("production", manifest.id) == manifest


def test_an_empty_bucket_lists_nothing(journal: Journal) -> None:
    assert journal.summaries() == []
    assert journal.migrations() == []


def test_backups_are_listed_newest_first_and_by_environment(journal: Journal) -> None:
    nights = [NIGHT + timedelta(days=day) for day in (1, 0, 2)]
    made = {night: a_backup(journal, taken_at=night) for night in nights}
    other = a_backup(journal, environment="staging", taken_at=NIGHT + timedelta(days=9))

    newest_first = [made[night].id for night in sorted(nights, reverse=True)]
    assert [summary.id for summary in journal.summaries("production")] == newest_first
    assert [summary.id for summary in journal.summaries()] == [other.id, *newest_first]
    assert journal.summaries("prod") == []


def test_an_archive_without_a_manifest_is_no_backup(journal: Journal) -> None:
    put_archive(journal, a_manifest())

    assert journal.summaries() == []


def test_a_manifest_is_never_overwritten(journal: Journal) -> None:
    manifest = a_backup(journal)
    journal.write_manifest(manifest)  # the same once more is no harm

    with pytest.raises(JournalError, match="exists already"):
        journal.write_manifest(manifest.model_copy(update={"taken_by": "somebody else"}))

    assert journal.read_manifest("production", manifest.id) == manifest


def test_a_manifest_with_an_archive_elsewhere_is_a_mistake_of_ours(journal: Journal) -> None:
    manifest = a_manifest()
    moved = manifest.archive.model_copy(update={"key": "elsewhere"})

    with pytest.raises(ValueError, match="belong at"):
        journal.write_manifest(manifest.model_copy(update={"objects": (moved,)}))


def test_the_newest_proof_decides(journal: Journal) -> None:
    manifest = a_backup(journal)
    sha256 = sha256_of(journal, manifest)
    difference = Difference(kind="table", object="public.user", expected="3", found="2")
    story = [
        a_proof(manifest, sha256),
        a_proof(
            manifest,
            sha256,
            verdict=Verdict.REFUTED,
            differences=(difference,),
            verified_at=NIGHT + timedelta(days=1),
        ),
        a_proof(
            manifest,
            sha256,
            verdict=Verdict.INCONCLUSIVE,
            reason="disk full",
            verified_at=NIGHT + timedelta(days=2),
        ),
    ]
    for number, proof in enumerate(story, 1):
        journal.write_proof(proof)

        [summary] = journal.summaries("production")
        assert summary.verdict == proof.verdict
        assert summary.verified_at == proof.verified_at
        assert journal.proofs("production", manifest.id) == story[:number][::-1]


def test_a_proof_of_another_manifest_proves_nothing(journal: Journal) -> None:
    manifest = a_backup(journal)
    journal.write_proof(a_proof(manifest, sha256_of(journal, manifest)))
    edited = manifest.model_copy(update={"taken_by": "somebody else"})
    replace(journal, manifest_key("production", manifest.id), record_bytes(edited))

    [summary] = journal.summaries("production")

    assert summary.verdict is Verdict.UNVERIFIED


def test_a_proof_that_was_moved_here_proves_nothing(journal: Journal) -> None:
    manifest = a_backup(journal)
    sha256 = sha256_of(journal, manifest)
    foreign = a_proof(a_manifest(), sha256)
    key = proof_key("production", manifest.id, foreign.id)
    journal.store.put_if_absent(key, record_bytes(foreign))

    assert journal.summaries()[0].verdict is Verdict.UNVERIFIED
    assert journal.proofs("production", manifest.id) == []


def test_an_unreadable_proof_does_not_hide_the_one_before(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = a_backup(journal)
    good = a_proof(manifest, sha256_of(journal, manifest))
    journal.write_proof(good)
    later = a_proof(manifest, good.manifest_sha256, verified_at=NIGHT + timedelta(days=1))
    journal.store.put_if_absent(proof_key("production", manifest.id, later.id), b"{")

    assert journal.summaries()[0].verdict is Verdict.PROVED
    assert journal.proofs("production", manifest.id) == [good]
    assert later.id in caplog.text


def spoil_bytes(journal: Journal, manifest: Manifest) -> None:
    replace(journal, manifest_key("production", manifest.id), b"\x00not json")


def spoil_by_truncation(journal: Journal, manifest: Manifest) -> None:
    data = record_bytes(manifest)
    replace(journal, manifest_key("production", manifest.id), data[: len(data) // 2])


def spoil_by_newer_format(journal: Journal, manifest: Manifest) -> None:
    content = {**json.loads(record_bytes(manifest)), "format_version": 7}
    replace(journal, manifest_key("production", manifest.id), json.dumps(content).encode())


def spoil_by_swap(journal: Journal, manifest: Manifest) -> None:
    replace(journal, manifest_key("production", manifest.id), record_bytes(a_manifest()))


def spoil_by_pointing_elsewhere(journal: Journal, manifest: Manifest) -> None:
    other = a_backup(journal, environment="staging")
    moved = manifest.model_copy(update={"objects": other.objects})
    replace(journal, manifest_key("production", manifest.id), record_bytes(moved))


def spoil_by_size(journal: Journal, manifest: Manifest) -> None:
    monstrous = b" " * 2_000_000
    replace(journal, manifest_key("production", manifest.id), monstrous)


def lose_archive(journal: Journal, manifest: Manifest) -> None:
    journal.store.delete(manifest.archive.key)


def truncate_archive(journal: Journal, manifest: Manifest) -> None:
    replace(journal, manifest.archive.key, ARCHIVE[:-1])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_bytes, "not JSON"),
        (spoil_by_truncation, "not JSON"),
        (spoil_by_newer_format, "format version 7"),
        (spoil_by_swap, "not about the place"),
        (spoil_by_pointing_elsewhere, "not about the place"),
        (spoil_by_size, "cannot be a record"),
        (lose_archive, "the archive is missing"),
        (truncate_archive, "has 14 bytes, the manifest says 15"),
    ],
)
def test_a_damaged_backup_is_listed_as_damaged_and_hides_no_other(
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Journal, Manifest], None],
    problem: str,
) -> None:
    monkeypatch.setattr("bounty_ops.journal.summary.LARGEST_RECORD", 1_000_000)
    bad = a_backup(journal)
    journal.write_proof(a_proof(bad, sha256_of(journal, bad)))
    good = a_backup(journal, taken_at=NIGHT + timedelta(days=1))
    spoil(journal, bad)

    newest, damaged = journal.summaries("production")

    assert (newest.id, newest.state) == (good.id, BackupState.COMPLETE)
    assert (damaged.id, damaged.state) == (bad.id, BackupState.DAMAGED)
    assert damaged.taken_at == NIGHT
    assert damaged.verdict is Verdict.UNVERIFIED  # its proof was about something else
    assert damaged.problem is not None
    assert problem in damaged.problem


def test_a_damaged_backup_with_a_name_of_no_time_takes_the_time_of_its_manifest(
    journal: Journal,
) -> None:
    journal.store.put_if_absent(manifest_key("production", "odd"), b"{")

    [summary] = journal.summaries()

    [listed] = journal.store.list(backup_prefix("production", "odd"))
    assert summary.taken_at == listed.last_modified


def test_a_store_that_does_not_answer_is_not_a_list_of_damaged_backups(
    faulty_s3: Start,
) -> None:
    faulty = faulty_s3(lambda request: Fault.ANSWER_503 if request.operation == "get" else None)
    a_backup(Journal(faulty.honest))

    with pytest.raises(ObjectStoreUnavailable):
        Journal(faulty.store()).summaries()


def test_a_manifest_that_may_not_be_read_is_damaged(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda request: Fault.ANSWER_403 if request.operation == "get" else None)
    a_backup(Journal(faulty.honest))

    [summary] = Journal(faulty.store()).summaries()

    assert summary.state is BackupState.DAMAGED
    assert "access is denied" in (summary.problem or "")


def test_a_list_costs_two_requests_a_backup_and_one_more(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda _: None)
    honest = Journal(faulty.honest)
    for day in range(3):
        manifest = a_backup(honest, taken_at=NIGHT + timedelta(days=day))
        journal_sha256 = sha256_of(honest, manifest)
        for hour in range(2):
            verified_at = NIGHT + timedelta(days=day, hours=hour)
            honest.write_proof(a_proof(manifest, journal_sha256, verified_at=verified_at))

    assert len(Journal(faulty.store()).summaries()) == 3
    assert sorted(faulty.operations()) == ["get"] * 6 + ["list"]


def test_writing_a_record_costs_one_request(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda _: None)
    journal = Journal(faulty.store())

    journal.write_migration(a_migration())

    assert faulty.operations() == ["put"]


def test_a_backup_is_found_by_its_id_or_a_beginning_that_is_its_alone(journal: Journal) -> None:
    one = a_backup(journal, id="20261122T020000Z-1a2b3c4d")
    other = a_backup(journal, id="20261123T020000Z-1a2b3c4d", environment="staging")
    longer = a_backup(journal, id="20261122T020000Z-1a2b3c4d5", environment="staging")

    assert journal.find(one.id) == one  # though another one begins like it
    assert journal.find("20261123") == other
    assert journal.find("20261122", "production") == one
    assert journal.find("20261122", "staging") == longer


@pytest.mark.parametrize("environment", [None, "production", "staging"])
@pytest.mark.parametrize("wanted", ["20271122T020000Z-1a2b3c4d", "1", "latest"])
def test_an_unknown_id_points_to_the_list(
    journal: Journal, wanted: str, environment: str | None
) -> None:
    a_backup(journal)

    with pytest.raises(UsageError, match="there is no backup") as caught:
        journal.find(wanted, environment)

    assert "bounty-ops backup list" in caught.value.hint


@pytest.mark.parametrize("wanted", ["", "../x", "a/b", "-e", "x" * 100, "a b"])
def test_what_cannot_be_an_id_never_becomes_part_of_a_key(journal: Journal, wanted: str) -> None:
    with pytest.raises(UsageError, match="not the id of a backup"):
        journal.find(wanted)


def test_a_beginning_of_several_ids_is_refused_with_some_of_them(journal: Journal) -> None:
    first, second = a_backup(journal), a_backup(journal)

    with pytest.raises(UsageError, match="fits 2 backups") as caught:
        journal.find("20261122", "production")

    assert first.id in str(caught.value)
    assert second.id in str(caught.value)


def test_an_id_without_a_manifest_is_not_found(journal: Journal) -> None:
    manifest = a_manifest()
    put_archive(journal, manifest)

    with pytest.raises(UsageError, match="there is no backup"):
        journal.find(manifest.id)
    with pytest.raises(UsageError, match="there is no backup"):
        journal.read_manifest("production", manifest.id)


def test_asking_for_a_damaged_backup_says_what_is_wrong(journal: Journal) -> None:
    manifest = a_backup(journal)
    spoil_bytes(journal, manifest)

    with pytest.raises(JournalError, match="not JSON"):
        journal.find(manifest.id)


def test_migrations_are_listed_newest_first_and_unreadable_ones_logged(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    records = [a_migration(started_at=NIGHT + timedelta(hours=hour)) for hour in (1, 0)]
    for record in records:
        journal.write_migration(record)
    journal.write_migration(a_migration(environment="staging"))
    journal.store.put_if_absent(migration_key("production", "broken"), b"{")

    assert journal.migrations("production") == records
    assert len(journal.migrations()) == 3
    assert journal.migrations("production", since=records[0].started_at) == records[:1]
    assert "broken" in caplog.text
