"""Nights that went wrong: their backups and proofs, as they lie in the bucket."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.alerting import Rule
from bounty_ops.journal import new_id
from bounty_ops.journal.layout import archive_key
from bounty_ops.journal.records import Manifest, ObjectRecord, Verdict
from bounty_ops_tests.alerting.faults.place import HOUR, MINUTE, Place
from bounty_ops_tests.alerting.faults.table import Fault, fault
from bounty_ops_tests.backup.test_prune import judge
from bounty_ops_tests.journal.examples import a_manifest, put_archive

if TYPE_CHECKING:
    from collections.abc import Generator

FAULTS: Final[list[Fault]] = []


def night(
    place: Place,
    *,
    verdict: Verdict | None = Verdict.PROVED,
    ago: timedelta = timedelta(0),
    size: int = 1_000,
    proof: dict[str, Any] | None = None,
    **facts: Any,  # noqa: ANN401 - of Manifest
) -> Manifest:
    """A backup of that size in the bucket, and what a restore of it showed."""
    taken_at = place.now - ago
    backup_id, content = new_id(taken_at), bytes(size)
    journal = place.journal()
    archive = ObjectRecord(
        key=archive_key(place.name, backup_id),
        size_bytes=size,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    values: dict[str, Any] = {
        "id": backup_id, "environment": place.name, "taken_at": taken_at,
        "finished_at": taken_at, "retention_class": "scheduled", "objects": (archive,),
    }  # fmt: skip
    manifest = a_manifest(**{**values, **facts})
    put_archive(journal, manifest, content)
    journal.write_manifest(manifest)
    if verdict is not None:
        facts = {"id": new_id(taken_at), "verified_at": taken_at, **(proof or {})}
        judge(journal, manifest, verdict, **facts)
    return manifest


@fault(
    FAULTS,
    Rule.BACKUP_OVERDUE,
    "26 hours pass after the last backup",
    "26.0 h old",
    "backup run",
    grave=True,
)
def a_night_without_a_backup(place: Place) -> Generator[None, None, None]:
    night(place)
    yield
    place.passes(26 * HOUR + MINUTE)
    yield
    night(place)


@fault(
    FAULTS,
    Rule.PROOF_OVERDUE,
    "26 hours after the last proof there are newer backups, and none was verified",
    "backup that a restore has proved",
    "backup verify",
    grave=True,
)
def a_night_without_a_proof(place: Place) -> Generator[None, None, None]:
    night(place)
    yield
    place.passes(26 * HOUR + MINUTE)
    night(place, verdict=None)
    yield
    night(place)


@fault(
    FAULTS,
    Rule.BACKUP_REFUTED,
    "a restore of the newest backup differs, and an unverified one follows",
    "does not restore to what it was",
    "backup show",
    grave=True,
)
def a_refuted_backup(place: Place) -> Generator[None, None, None]:
    night(place, ago=HOUR)
    yield
    night(place, verdict=Verdict.REFUTED)
    place.passes(MINUTE)
    night(place, verdict=None)
    yield
    night(place)


@fault(
    FAULTS,
    Rule.BACKUP_SIZE_ANOMALY,
    "the newest backup has a tenth of the size of those before it",
    "90% smaller",
    "backup show",
)
def a_small_backup(place: Place) -> Generator[None, None, None]:
    for days in (4, 3, 2, 1):
        night(place, ago=timedelta(days=days), size=50_000)
    yield
    night(place, size=5_000)
    yield
    place.passes(HOUR)
    night(place, size=49_000)


@fault(
    FAULTS,
    Rule.RESTORE_TOO_SLOW,
    "the newest proof took 5 hours",
    "the objective is 4.0 h",
    "rto_minutes",
)
def a_slow_restore(place: Place) -> Generator[None, None, None]:
    night(place, ago=HOUR, proof={"fetch_seconds": 10.0, "restore_seconds": 60.0})
    yield
    night(place, proof={"fetch_seconds": 3_600.0, "restore_seconds": 14_400.0})
    yield
    place.passes(HOUR)
    night(place, proof={"fetch_seconds": 10.0, "restore_seconds": 60.0})
