"""Pruning a real bucket: what goes, what is seen meanwhile, and what a killed prune leaves."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bounty_ops
from bounty_ops.backup.prune import carry_out_prune, plan_prune, require_digest
from bounty_ops.backup.retention import Standing
from bounty_ops.environments import BucketLocation, Environment, Policy
from bounty_ops.errors import BackupError, ObjectStoreError
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.pins import pin_backup
from bounty_ops.journal.records import Verdict
from bounty_ops.journal.shelf import shelves
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request
from bounty_ops_tests.journal.examples import a_backup, a_proof, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.backup.prune import Pruned, PrunePlan
    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.journal.records import Manifest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DIFFERS: dict[str, Any] = {
    "differences": ({"kind": "table", "object": "t", "expected": "1", "found": "2"},)
}


@pytest.fixture
def journal(s3_prefix: ObjectStoreSettings) -> Journal:
    return Journal(ObjectStore(s3_prefix, patience_seconds=0))


def judge(journal: Journal, manifest: Manifest, verdict: Verdict, **facts: Any) -> None:  # noqa: ANN401 - of Proof
    more: dict[str, Any] = {
        Verdict.REFUTED: DIFFERS,
        Verdict.INCONCLUSIVE: {"reason": "no disk"},
        Verdict.PROVED: {},
    }[verdict]
    facts = {"verified_at": manifest.taken_at + timedelta(minutes=9), **more, **facts}
    journal.write_proof(a_proof(manifest, sha256_of(journal, manifest), verdict=verdict, **facts))


def night(
    journal: Journal,
    days_ago: int,
    verdict: Verdict | None = Verdict.PROVED,
    **facts: Any,  # noqa: ANN401 - of Manifest
) -> Manifest:
    """Store a backup of so many nights ago."""
    taken_at = NOW - timedelta(days=days_ago)
    values = {"taken_at": taken_at, "finished_at": taken_at, "retention_class": "scheduled"}
    manifest = a_backup(journal, **{**values, **facts})
    if verdict is not None:
        judge(journal, manifest, verdict)
    return manifest


def environment(**policy: Any) -> Environment:  # noqa: ANN401 - of Policy
    return Environment("production", None, Policy(**{"keep_last": 2, **policy}))


def planned(journal: Journal, now: datetime = NOW, **policy: Any) -> PrunePlan:  # noqa: ANN401 - of Policy
    return plan_prune(environment(prune_most_share=1, **policy), journal, now=now)


def carried_out(plan: PrunePlan, journal: Journal) -> Pruned:
    return carry_out_prune(plan, journal, by="a test", now=NOW)


def doomed(plan: PrunePlan) -> set[str]:
    return {decision.backup.id for decision in plan.retention.delete}


def visible(journal: Journal) -> dict[str, str]:
    return {one.id: f"{one.state} {one.verdict}" for one in journal.summaries("production")}


def keys(journal: Journal) -> list[str]:
    return [entry.key for entry in journal.store.list("")]


def test_what_the_rules_let_go_goes_with_all_its_objects_and_nothing_else(
    journal: Journal,
) -> None:
    kept = [night(journal, 0), night(journal, 1)]
    gone = [night(journal, 2), night(journal, 9, None), night(journal, 50, Verdict.REFUTED)]
    other = night(journal, 300, environment="staging")

    plan = planned(journal)
    before = keys(journal)
    assert doomed(plan) == {manifest.id for manifest in gone}
    assert keys(journal) == before, "a plan changes nothing"

    pruned = carried_out(plan, journal)

    assert pruned.deleted == [manifest.id for manifest in reversed(gone)], "oldest first"
    assert pruned.freed_bytes == sum(manifest.size_bytes for manifest in gone)
    assert (pruned.spared, pruned.problems) == ({}, {})
    assert visible(journal) == {manifest.id: "complete proved" for manifest in kept}
    left = [key for key in keys(journal) if not key.startswith("backups/staging/")]
    assert left == [key for key in before if any(manifest.id in key for manifest in kept)]
    assert [one.id for one in journal.summaries("staging")] == [other.id]
    assert planned(journal).retention.delete == ()


def test_the_digest_stands_for_what_would_go_and_where(journal: Journal) -> None:
    night(journal, 0), night(journal, 1)
    old = night(journal, 2)
    plan = planned(journal)
    assert planned(journal, NOW + timedelta(hours=1)).digest == plan.digest
    require_digest(planned(journal), plan.digest)

    pin_backup(journal.store, "production", old.id, by="ada", reason="", now=NOW)
    changed = planned(journal)
    assert changed.digest != plan.digest
    with pytest.raises(BackupError, match="another digest"):
        require_digest(changed, plan.digest)


def test_a_refused_plan_is_not_carried_out(journal: Journal) -> None:
    for days in range(4):
        night(journal, days)
    plan = plan_prune(environment(keep_last=1), journal, now=NOW)
    before = keys(journal)
    with pytest.raises(BackupError, match="3 of 4 backups would be deleted"):
        carried_out(plan, journal)
    assert keys(journal) == before
    allowed = plan_prune(environment(keep_last=1), journal, now=NOW, most_share=0.75)
    assert len(carried_out(allowed, journal).deleted) == 3


def test_a_pin_that_is_set_after_the_plan_wins(journal: Journal) -> None:
    night(journal, 0), night(journal, 1)
    old, older = night(journal, 2), night(journal, 3)
    plan = planned(journal)
    pin_backup(journal.store, "production", old.id, by="ada", reason="audit", now=NOW)

    pruned = carried_out(plan, journal)

    assert pruned.deleted == [older.id]
    assert set(pruned.spared) == {old.id}
    assert old.id in visible(journal)
    assert not [key for key in keys(journal) if key.endswith("removed.json")]


def test_a_proof_that_arrives_after_the_plan_lets_the_backup_stay(journal: Journal) -> None:
    night(journal, 0)
    unproved = night(journal, 8, None)
    plan = planned(journal)
    assert doomed(plan) == {unproved.id}
    judge(journal, unproved, Verdict.PROVED)
    assert set(carried_out(plan, journal).spared) == {unproved.id}
    assert doomed(planned(journal)) == set()


def test_nothing_goes_when_the_newest_proved_one_is_gone_or_refuted_meanwhile(
    journal: Journal,
) -> None:
    newest = night(journal, 0)
    for days in (1, 2, 3):
        night(journal, days)
    plan = planned(journal)
    judge(journal, newest, Verdict.REFUTED, verified_at=NOW + timedelta(minutes=10))
    before = keys(journal)
    with pytest.raises(BackupError, match="nothing more was deleted"):
        carried_out(plan, journal)
    assert keys(journal) == before


def test_a_drill_that_failed_takes_no_earlier_proof_back(journal: Journal) -> None:
    night(journal, 0)
    again = night(journal, 40)
    judge(journal, again, Verdict.INCONCLUSIVE, verified_at=NOW)
    assert visible(journal)[again.id] == "complete inconclusive"
    standing = {d.backup.id: d.backup.standing for d in planned(journal).retention.keep}
    assert standing[again.id] is Standing.PROVED


def test_what_was_proved_and_is_damaged_or_newer_than_this_program_stays(
    journal: Journal,
) -> None:
    night(journal, 0)
    lost, newer, dead = night(journal, 400), night(journal, 401, None), night(journal, 402, None)
    journal.store.delete(lost.archive.key)
    journal.store.delete(dead.archive.key)
    key = layout.manifest_key("production", newer.id)
    journal.store.delete(key)
    journal.store.put_if_absent(key, b'{"format_version": 99}')

    plan = planned(journal)

    assert doomed(plan) == {dead.id}
    carried_out(plan, journal)
    assert {lost.id, newer.id} <= set(visible(journal))


def test_two_prunes_at_once_do_no_harm(journal: Journal) -> None:
    kept = [night(journal, 0), night(journal, 1)]
    for days in range(2, 5):
        night(journal, days)
    first, second = planned(journal), planned(journal)
    assert len(carried_out(first, journal).deleted) == 3
    assert carried_out(second, journal).deleted == []
    assert set(visible(journal)) == {manifest.id for manifest in kept}


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST, Fault.ANSWER_403])
@pytest.mark.parametrize("which", range(1, 7))
@pytest.mark.many(every=4)
def test_a_fault_at_any_write_of_a_removal_leaves_a_whole_backup_or_none(
    faulty_s3: Callable[[Callable[[Request], Fault | None]], FaultyStore],
    fault: Fault,
    which: int,
) -> None:
    """Six writes: tombstone, manifest, archive, two proofs, tombstone."""
    writes: list[str] = []
    begun = False

    def plan_faults(request: Request) -> Fault | None:
        if not begun or request.operation not in {"put", "delete"}:
            return None
        writes.append(request.operation)
        # A connection that breaks is tried again by the client: it stays broken from here on.
        return fault if len(writes) >= which else None

    faulty = faulty_s3(plan_faults)
    honest = Journal(faulty.honest)
    kept = [night(honest, 0), night(honest, 1)]
    old = night(honest, 5)
    judge(honest, old, Verdict.PROVED, verified_at=NOW)
    plan = planned(honest)
    begun = True
    with contextlib.suppress(ObjectStoreError):
        carried_out(plan, Journal(faulty.store()))
    assert len(writes) >= which

    seen = visible(honest)
    assert seen.pop(old.id, "complete proved") == "complete proved", "never half visible"
    assert set(seen) == {manifest.id for manifest in kept}

    carried_out(planned(honest), honest)
    assert set(visible(honest)) == {manifest.id for manifest in kept}
    assert not [key for key in keys(honest) if old.id in key]
    assert not [key for key in keys(honest) if key.endswith("removed.json")]


def test_a_backups_sweep_finishes_what_a_killed_prune_began(journal: Journal) -> None:
    night(journal, 0)
    half = night(journal, 5)
    accident = night(journal, 6)
    journal.store.put_if_absent(layout.tombstone_key("production", half.id), b"{}")
    for manifest in (half, accident):
        journal.store.delete(layout.manifest_key("production", manifest.id))

    removed = journal.clear_abandoned("production", now=datetime.now(UTC))

    assert [shelf.backup_id for shelf in removed.half_removed] == [half.id]
    assert not [key for key in keys(journal) if half.id in key]
    assert journal.store.head(accident.archive.key) is not None, "nobody removed it on purpose"


def test_a_tombstone_of_a_whole_backup_takes_nothing_away(journal: Journal) -> None:
    """A prune that was killed before the manifest went."""
    only = night(journal, 5)
    journal.store.put_if_absent(layout.tombstone_key("production", only.id), b"{}")
    assert not journal.clear_abandoned("production", now=datetime.now(UTC))
    assert visible(journal) == {only.id: "complete proved"}


def test_in_a_bucket_with_versions_nothing_stays_and_what_is_locked_does(
    s3_store: ObjectStoreSettings,
) -> None:
    client = make_client(s3_store)
    bucket = f"locking-{secrets.token_hex(4)}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    settings = dataclasses.replace(s3_store, location=BucketLocation(bucket))
    journal = Journal(ObjectStore(settings, patience_seconds=0))
    kept = night(journal, 0)
    gone, locked, archive_locked = (night(journal, days) for days in (3, 4, 5))
    until = datetime.now(UTC) + timedelta(hours=1)
    manifest_key = layout.manifest_key("production", locked.id)
    journal.store.lock_object(manifest_key, "COMPLIANCE", until)
    journal.store.lock_object(archive_locked.archive.key, "GOVERNANCE", until)

    pruned = carried_out(planned(journal, keep_last=1), journal)

    assert pruned.deleted == [gone.id]
    assert set(pruned.spared) == {locked.id, archive_locked.id}
    assert all("locked" in why for why in pruned.spared.values())
    assert set(visible(journal).values()) == {"complete proved"}
    assert set(visible(journal)) == {kept.id, locked.id, archive_locked.id}
    versions: Any = client.list_object_versions(Bucket=bucket)
    left = [one["Key"] for one in [*versions["Versions"], *versions.get("DeleteMarkers", [])]]
    assert not [key for key in left if gone.id in key]


_PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bounty_ops.backup.prune import carry_out_prune, plan_prune
from bounty_ops.environments import Environment, Policy, load_settings
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore

journal = Journal(ObjectStore(load_settings(Path(sys.argv[1])).require_object_store()))
now = datetime.fromisoformat(sys.argv[2])
policy = Policy(keep_last=2, prune_most_share=1)
plan = plan_prune(Environment("production", None, policy), journal, now=now)
print("begun", flush=True)
carry_out_prune(plan, journal, by="a process", now=now)
print("ended", flush=True)
"""


@pytest.mark.soak
def test_a_prune_killed_at_any_moment_leaves_whole_backups_and_the_next_one_finishes(
    s3_prefix: ObjectStoreSettings, journal: Journal, tmp_path: Path
) -> None:
    kept = [night(journal, 0), night(journal, 1)]
    gone = {night(journal, 2 + number).id for number in range(24)}
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(bounty_ops.__file__).parents[1]),
        "BACKUP_BUCKET": s3_prefix.location.uri(),
        "AWS_ENDPOINT_URL_S3": s3_prefix.endpoint_url or "",
        "AWS_REGION": s3_prefix.region or "",
        "AWS_ACCESS_KEY_ID": s3_prefix.access_key_id or "",
        "AWS_SECRET_ACCESS_KEY": s3_prefix.secret_access_key or "",
    }
    killed = 0
    for number in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(tmp_path), NOW.isoformat()],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            _wait_for_fewer(journal, len(gone) + 2)
            time.sleep(0.013 * number)
            process.send_signal(signal.SIGKILL)
            killed += process.stdout.read() != "ended\n"
        seen = visible(journal)
        assert set(seen.values()) == {"complete proved"}, "whole, or not there"
        assert {manifest.id for manifest in kept} <= set(seen)
        gone &= set(seen)
    assert killed >= 2
    carried_out(planned(journal), journal)
    assert set(visible(journal)) == {manifest.id for manifest in kept}
    found = shelves(journal.store.list(""))
    assert {shelf.backup_id for shelf in found} == {manifest.id for manifest in kept}


def _wait_for_fewer(journal: Journal, count: int) -> None:
    """Until one more backup than before has lost its manifest."""
    deadline = time.monotonic() + 30
    while sum(s.manifest is not None for s in shelves(journal.store.list(""))) >= count:
        assert time.monotonic() < deadline, "the prune deletes nothing"
        time.sleep(0.002)
