"""What protects the backups stops doing so: copies, the night's prune, the store's lock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting import Rule
from bounty_ops.backup.copying import copy_backup
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.records import ObjectLock
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.alerting.faults.nights import night
from bounty_ops_tests.alerting.faults.place import HOUR, MINUTE, Place
from bounty_ops_tests.alerting.faults.table import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Generator

FAULTS: Final[list[Fault]] = []


def _second_bucket(place: Place, *, locks: bool = False) -> Journal:
    """Another bucket, for copies."""
    made = place.make_bucket(locks=locks)
    place.variables |= {
        "BACKUP_COPY_BUCKET": made.location.uri(),
        "BACKUP_COPY_ENDPOINT_URL": made.endpoint_url,
        "BACKUP_COPY_REGION": made.region,
        "BACKUP_COPY_ACCESS_KEY_ID": made.access_key_id,
        "BACKUP_COPY_SECRET_ACCESS_KEY": made.secret_access_key,
    }
    place.write()
    return Journal(ObjectStore(made))


@fault(
    FAULTS,
    Rule.COPY_OVERDUE,
    "26 hours after a backup was proved the second bucket does not have it",
    "is not in the second bucket",
    "backup copy",
)
def a_copy_that_is_missing(place: Place) -> Generator[None, None, None]:
    second = _second_bucket(place)
    first = night(place)
    copy_backup(place.journal(), second, place.name, first.id)
    place.passes(12 * HOUR)
    missing = night(place)
    yield
    place.passes(26 * HOUR + MINUTE)
    yield
    copy_backup(place.journal(), second, place.name, missing.id)


@fault(
    FAULTS,
    Rule.COPY_OVERDUE,
    "nobody listens at the address of the second bucket",
    "the second bucket cannot be read",
)
def a_second_bucket_that_is_gone(place: Place) -> Generator[None, None, None]:
    _second_bucket(place)
    here = place.variables["BACKUP_COPY_ENDPOINT_URL"]
    yield
    place.variables["BACKUP_COPY_ENDPOINT_URL"] = "http://127.0.0.1:9"
    place.write()
    yield
    place.variables["BACKUP_COPY_ENDPOINT_URL"] = here
    place.write()


@fault(
    FAULTS,
    Rule.PRUNE_REFUSED,
    "the rules would let 3 of 4 backups go at once",
    "no backup is pruned",
    "--most-share",
)
def too_many_would_go(place: Place) -> Generator[None, None, None]:
    for days in (4, 3, 2, 1):
        night(place, ago=timedelta(days=days))
    yield
    place.policy.append("keep_last = 1")
    place.write()
    yield
    place.policy[-1] = "keep_last = 4"
    place.write()


def _wants_locks(place: Place) -> ObjectLock:
    place.policy.append('object_lock = "governance"')
    place.write()
    return ObjectLock(mode="GOVERNANCE", until=place.now + timedelta(days=30))


def _lock(journal: Journal, place: Place, lock: ObjectLock, backup_id: str) -> None:
    for key in (
        layout.manifest_key(place.name, backup_id),
        layout.archive_key(place.name, backup_id),
    ):
        journal.store.lock_object(key, lock.mode, lock.until)


@fault(
    FAULTS,
    Rule.BACKUP_NOT_LOCKED,
    "the policy wants locks, and the store did not lock the newest backup",
    "is not locked",
    "has no lock",
    "bounty-ops doctor",
)
def a_backup_without_its_lock(place: Place) -> Generator[None, None, None]:
    place.variables["BACKUP_BUCKET"] = place.make_bucket(locks=True).location.uri()
    lock = _wants_locks(place)
    first = night(place, ago=HOUR, object_lock=lock)
    _lock(place.journal(), place, lock, first.id)
    yield
    manifest = night(place, object_lock=lock)
    yield
    _lock(place.journal(), place, lock, manifest.id)


@fault(
    FAULTS,
    Rule.BACKUP_NOT_LOCKED,
    "the first bucket locks a backup, and the second one does not lock its copy",
    "is not locked by the second bucket",
    "has no lock",
    "bounty-ops backup copy",
)
def a_copy_without_its_lock(place: Place) -> Generator[None, None, None]:
    place.variables["BACKUP_BUCKET"] = place.make_bucket(locks=True).location.uri()
    lock = _wants_locks(place)
    second = _second_bucket(place, locks=True)
    manifest = night(place, object_lock=lock)
    _lock(place.journal(), place, lock, manifest.id)
    yield
    # As somebody's own program would copy it, or a copy that was broken off before its end.
    for key in (
        layout.archive_key(place.name, manifest.id),
        layout.manifest_key(place.name, manifest.id),
    ):
        second.store.put_if_absent(key, place.journal().store.get(key))
    yield
    copy_backup(place.journal(), second, place.name, manifest.id)
