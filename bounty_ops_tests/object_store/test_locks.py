"""Object Lock, and deleting for good, on buckets with and without versions."""

from __future__ import annotations

import dataclasses
import io
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.errors import ObjectLocked, ObjectNotFound, ObjectStoreError
from bounty_ops.object_store import ObjectStore, Retention
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_proxy import Fault, Request
from bounty_ops_tests.habits import Habit
from bounty_ops_tests.object_store.streams import in_small_parts, nothing, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.object_store import LockMode
    from bounty_ops_tests.fix_proxy import FaultyStore

DAY = timedelta(days=1)


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture(scope="module")
def locking_bucket(s3_store: ObjectStoreSettings) -> ObjectStoreSettings:
    """A bucket whose objects can be locked."""
    bucket = f"locking-{secrets.token_hex(4)}"
    make_client(s3_store).create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    return dataclasses.replace(s3_store, location=BucketLocation(bucket))


@pytest.fixture
def locking(locking_bucket: ObjectStoreSettings) -> ObjectStoreSettings:
    """The same under a prefix of this test's own."""
    location = BucketLocation(locking_bucket.location.bucket, f"test-{secrets.token_hex(6)}")
    return dataclasses.replace(locking_bucket, location=location)


@pytest.fixture
def store(locking: ObjectStoreSettings) -> ObjectStore:
    return in_small_parts(ObjectStore(locking, patience_seconds=0))


@pytest.fixture
def plain(s3_prefix: ObjectStoreSettings) -> ObjectStore:
    return ObjectStore(s3_prefix, patience_seconds=0)


def versions(settings: ObjectStoreSettings) -> list[str]:
    """The relative keys of everything there is, delete markers included."""
    answer: Any = make_client(settings).list_object_versions(
        Bucket=settings.location.bucket, Prefix=settings.location.key("")
    )
    start = len(settings.location.key(""))
    found = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
    return sorted(one["Key"][start:] for one in found)


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
@pytest.mark.many(every=2)
def test_a_locked_object_cannot_be_deleted_before_its_time(
    store: ObjectStore, locking: ObjectStoreSettings, mode: LockMode
) -> None:
    store.upload_stream("a", io.BytesIO(b"archive"), before_complete=nothing)
    until = soon(5)
    store.lock_object("a", mode, until)

    with pytest.raises(ObjectLocked, match=f"locked \\({mode}\\) until") as caught:
        store.delete_versions("a")
    found = store.lock_of("a")

    assert found is not None
    assert found.mode == mode
    assert until <= found.until < until + timedelta(seconds=1)
    assert caught.value.until == found.until
    assert caught.value.hint
    assert store.get("a") == b"archive"

    time.sleep(max(0.0, (found.until - datetime.now(UTC)).total_seconds()) + 0.2)
    store.delete_versions("a")
    assert versions(locking) == []


def test_a_lock_can_be_made_longer_but_not_shorter(store: ObjectStore) -> None:
    store.put_if_absent("a", b"{}")
    whole = datetime.now(UTC).replace(microsecond=0)
    store.lock_object("a", "GOVERNANCE", whole + DAY)
    store.lock_object("a", "GOVERNANCE", whole + 2 * DAY)

    with pytest.raises(ObjectStoreError, match="access is denied"):
        store.lock_object("a", "GOVERNANCE", whole + DAY)

    assert store.lock_of("a") == Retention("GOVERNANCE", whole + 2 * DAY)


def test_what_is_locked_is_there_even_after_somebody_deleted_it(
    store: ObjectStore, locking: ObjectStoreSettings
) -> None:
    """A delete without a version only hides; and clearing away must not bring half of it back."""
    store.put_if_absent("a", b"{}")
    store.lock_object("a", "COMPLIANCE", soon(60))
    store.delete("a")

    with pytest.raises(ObjectLocked):
        store.delete_versions("a")

    assert store.head("a") is None
    assert versions(locking) == ["a", "a"]


def test_a_legal_hold_has_no_end(store: ObjectStore, locking: ObjectStoreSettings) -> None:
    store.put_if_absent("a", b"{}")
    client: Any = make_client(locking)
    where = {"Bucket": locking.location.bucket, "Key": locking.location.key("a")}
    client.put_object_legal_hold(**where, LegalHold={"Status": "ON"})

    with pytest.raises(ObjectLocked, match="legal hold") as caught:
        store.delete_versions("a")
    assert caught.value.until is None

    client.put_object_legal_hold(**where, LegalHold={"Status": "OFF"})
    store.delete_versions("a")
    assert versions(locking) == []


def test_every_version_and_marker_goes_and_no_other_object(
    store: ObjectStore, locking: ObjectStoreSettings
) -> None:
    for body in (b"1", b"2", b"3"):
        store.put_if_absent("a", body)
        store.delete("a")
    store.put_if_absent("a.json", b"{}")
    store.put_if_absent("a", b"4")

    store.delete_versions("a")
    store.delete_versions("a")  # a second time is no error

    assert versions(locking) == ["a.json"]


def test_without_versions_deleting_for_good_is_deleting(
    plain: ObjectStore, s3_prefix: ObjectStoreSettings
) -> None:
    plain.put_if_absent("a", b"{}")
    plain.put_if_absent("a.json", b"{}")

    plain.delete_versions("a")
    plain.delete_versions("a")

    assert versions(s3_prefix) == ["a.json"]


def test_a_store_that_knows_no_versions_deletes(
    faulty_s3: Callable[..., FaultyStore],
) -> None:
    faulty = faulty_s3(habits={Habit.HAS_NO_VERSIONS})
    faulty.honest.put_if_absent("a", b"{}")

    faulty.store().delete_versions("a")

    assert faulty.honest.head("a") is None
    assert faulty.store().lock_of("a") is None


def test_a_refusal_that_is_no_lock_is_told_as_what_it_is(
    faulty_s3: Callable[..., FaultyStore],
) -> None:
    faulty = faulty_s3(habits={Habit.DENIES_DELETING})
    faulty.honest.put_if_absent("a", b"{}")

    with pytest.raises(ObjectStoreError, match="access is denied") as caught:
        faulty.store().delete_versions("a")

    assert not isinstance(caught.value, ObjectLocked)
    assert faulty.honest.get("a") == b"{}"


def test_a_bucket_without_object_lock_says_so(plain: ObjectStore) -> None:
    plain.put_if_absent("a", b"{}")

    with pytest.raises(ObjectStoreError, match="has no Object Lock") as caught:
        plain.lock_object("a", "COMPLIANCE", soon(60))

    assert "versioning" in caught.value.hint
    assert plain.lock_of("a") is None


def test_an_object_without_a_lock_has_none(store: ObjectStore) -> None:
    store.put_if_absent("a", b"{}")

    assert store.lock_of("a") is None


def test_what_is_not_there_has_no_lock_and_gets_none(store: ObjectStore) -> None:
    with pytest.raises(ObjectNotFound):
        store.lock_of("a")
    with pytest.raises(ObjectNotFound):
        store.lock_object("a", "GOVERNANCE", soon(60))


def test_a_lock_that_is_confirmed_but_not_kept_is_noticed(
    faulty_s3: Callable[..., FaultyStore], locking_bucket: ObjectStoreSettings
) -> None:
    def plan(request: Request) -> Fault | None:
        lying = request.method == "PUT" and "retention" in request.query
        return Fault.CONFIRM_UNDONE if lying else None

    faulty = faulty_s3(plan, store=locking_bucket)
    faulty.honest.put_if_absent("a", b"{}")

    with pytest.raises(ObjectStoreError, match="confirmed a lock that it does not keep"):
        faulty.store().lock_object("a", "COMPLIANCE", soon(60))


def test_a_time_without_a_zone_is_a_mistake_in_our_code(store: ObjectStore) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store.lock_object("a", "GOVERNANCE", datetime(2030, 1, 1))  # noqa: DTZ001 - the mistake


@pytest.mark.parametrize("size", [10, 6 * 1024 * 1024])
def test_an_upload_that_is_taken_back_leaves_no_version(
    faulty_s3: Callable[..., FaultyStore], locking_bucket: ObjectStoreSettings, size: int
) -> None:
    """It was visible for a moment, and the store then answers with another size."""
    heads = 0

    def plan(request: Request) -> Fault | None:
        nonlocal heads
        heads += request.operation == "head"
        return Fault.ERROR_IN_200 if request.operation == "head" and heads == 2 else None

    faulty = faulty_s3(plan, store=locking_bucket)
    store = in_small_parts(faulty.store())

    with pytest.raises(ObjectStoreError, match="bytes instead of"):
        store.upload_stream("a", io.BytesIO(some_bytes(size)), before_complete=nothing)

    location = faulty.honest.location
    assert versions(dataclasses.replace(locking_bucket, location=location)) == []
