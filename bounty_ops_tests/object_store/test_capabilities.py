"""What a bucket can promise is found out by trying, on stores that behave like other providers."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.errors import ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.client import make_client
from bounty_ops_tests.fix_proxy import Fault
from bounty_ops_tests.habits import Habit

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops_tests.fix_proxy import FaultyStore

    Start = Callable[..., FaultyStore]

DAY = timedelta(days=1)
ESSENTIAL = {
    "writes",
    "conditional_put",
    "conditional_complete",
    "checksums",
    "multipart",
    "range_reads",
    "deletes",
    "lists_uploads",
}


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


def found_on(store: ObjectStore) -> dict[str, bool | None]:
    capabilities = store.capabilities()
    assert all(one.why for _, one in capabilities.items())
    return {name: one.works for name, one in capabilities.items()}


def assert_nothing_left(settings: ObjectStoreSettings) -> None:
    answer: Any = make_client(settings).list_object_versions(
        Bucket=settings.location.bucket, Prefix=settings.location.key("")
    )
    assert answer.get("Versions", []) + answer.get("DeleteMarkers", []) == []
    assert ObjectStore(settings).unfinished_uploads("") == []


@pytest.fixture
def bucket(s3_store: ObjectStoreSettings) -> Callable[..., ObjectStoreSettings]:
    """Make buckets with settings of their own."""

    def make(**options: Any) -> ObjectStoreSettings:  # noqa: ANN401 - of create_bucket
        name = f"rules-{secrets.token_hex(4)}"
        make_client(s3_store).create_bucket(Bucket=name, **options)
        return dataclasses.replace(s3_store, location=BucketLocation(name, "backups"))

    return make


def test_a_plain_bucket_keeps_every_promise_that_backups_rest_on(
    s3_prefix: ObjectStoreSettings,
) -> None:
    found = found_on(ObjectStore(s3_prefix))

    assert {name: found[name] for name in ESSENTIAL} == dict.fromkeys(ESSENTIAL, True)
    assert found["keeps_objects"] is True
    others = {"object_lock", "versioning", "aborts_uploads"}
    assert {name: found[name] for name in others} == dict.fromkeys(others, False)
    assert_nothing_left(s3_prefix)


@pytest.mark.parametrize(
    ("habit", "broken"),
    [
        (Habit.IGNORES_CONDITIONS, {"conditional_put", "conditional_complete"}),
        (Habit.REFUSES_CONDITIONS, {"conditional_put", "conditional_complete"}),
        (Habit.IGNORES_CHECKSUMS, {"checksums"}),
        (Habit.IGNORES_IF_MATCH, {"range_reads"}),
        (Habit.IGNORES_RANGES, {"range_reads"}),
        (Habit.LISTS_NO_UPLOADS, {"lists_uploads"}),
        (Habit.HAS_NO_VERSIONS, set()),
        (Habit.HAS_KMS, set()),
    ],
)
@pytest.mark.many(every=3)
def test_a_provider_that_does_not_keep_a_promise_is_found_out(
    faulty_s3: Start, habit: Habit, broken: set[str]
) -> None:
    faulty = faulty_s3(habits={habit})

    found = found_on(faulty.store())

    assert {name for name in ESSENTIAL if found[name] is not True} == broken
    assert all(found[name] is False for name in broken)
    assert list(faulty.honest.list("")) == []
    assert faulty.honest.unfinished_uploads("") == []


def test_what_may_not_be_seen_is_unknown_and_says_why(faulty_s3: Start) -> None:
    capabilities = faulty_s3(habits={Habit.DENIES_SETTINGS}).store().capabilities()

    for name in ("object_lock", "versioning", "aborts_uploads", "keeps_objects"):
        unseen = getattr(capabilities, name)
        assert unseen.works is None
        assert "access is denied" in unseen.why
    assert capabilities.conditional_put.works is True


def test_keys_that_may_only_read_are_found_out(faulty_s3: Start) -> None:
    faulty = faulty_s3(
        lambda request: Fault.ANSWER_403 if request.method in {"PUT", "POST"} else None
    )

    capabilities = faulty.store().capabilities()

    assert capabilities.writes.works is False
    assert "access is denied" in capabilities.writes.why
    assert capabilities.conditional_put.works is None
    assert capabilities.multipart.works is None


def test_keys_that_may_not_delete_leave_one_object_however_often_it_is_tried(
    faulty_s3: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = faulty_s3(habits={Habit.DENIES_DELETING})

    first = faulty.store().capabilities()
    assert first.deletes.works is False
    [stays] = [entry.key for entry in faulty.honest.list("")]
    assert stays in first.deletes.why

    monkeypatch.setattr("bounty_ops.object_store.probe._RUNNING", -2 * DAY)
    found = found_on(faulty.store())
    assert [entry.key for entry in faulty.honest.list("")] == [stays]
    assert {name for name in ESSENTIAL if found[name] is not True} == {"deletes"}


def test_what_a_dead_probe_left_is_removed_by_the_next_one(
    s3_prefix: ObjectStoreSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObjectStore(s3_prefix)
    store.put_if_absent("bounty-ops-probe/0123", b"left")
    store.capabilities()
    assert [entry.key for entry in store.list("")] == ["bounty-ops-probe/0123"]

    monkeypatch.setattr("bounty_ops.object_store.probe._RUNNING", -2 * DAY)
    store.capabilities()
    assert_nothing_left(s3_prefix)


def test_a_bucket_with_versions_and_locks_is_recognised_and_left_clean(
    bucket: Callable[..., ObjectStoreSettings],
) -> None:
    settings = bucket(ObjectLockEnabledForBucket=True)

    found = found_on(ObjectStore(settings))

    assert found["object_lock"] is True
    assert found["versioning"] is True
    assert all(found[name] for name in ESSENTIAL)
    assert_nothing_left(settings)


def test_nothing_is_written_where_it_would_be_locked_at_once(
    bucket: Callable[..., ObjectStoreSettings],
) -> None:
    settings = bucket(ObjectLockEnabledForBucket=True)
    make_client(settings).put_object_lock_configuration(
        Bucket=settings.location.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}},
        },
    )

    capabilities = ObjectStore(settings).capabilities()

    assert capabilities.object_lock.works is True
    assert "30 days (COMPLIANCE)" in capabilities.object_lock.why
    assert capabilities.conditional_put.works is None
    assert "would stay" in capabilities.conditional_put.why
    assert capabilities.checksums.works is True
    assert_nothing_left(settings)


ABORT = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
EXPIRE = {"Expiration": {"Days": 30}}


@pytest.mark.parametrize(
    ("rule", "aborts", "keeps"),
    [
        ({"Filter": {"Prefix": ""}, **ABORT}, True, True),
        ({"Filter": {"Prefix": "backups/"}, **ABORT}, True, True),
        ({"Filter": {"Prefix": "elsewhere/"}, **ABORT}, False, True),
        ({"Filter": {"Prefix": "backups/production/"}, **ABORT}, False, True),
        ({"Filter": {"Prefix": ""}, "Status": "Disabled", **ABORT}, False, True),
        ({"Filter": {"Prefix": ""}, **EXPIRE}, False, False),
        ({"Filter": {"Prefix": "backups/production/"}, **EXPIRE}, False, False),
        ({"Filter": {"Prefix": "elsewhere/"}, **EXPIRE}, False, True),
    ],
)
def test_rules_of_the_bucket_are_read_for_the_prefix_of_the_backups(
    bucket: Callable[..., ObjectStoreSettings],
    rule: dict[str, Any],
    aborts: bool,
    keeps: bool,
) -> None:
    settings = bucket()
    client: Any = make_client(settings)
    client.put_bucket_lifecycle_configuration(
        Bucket=settings.location.bucket,
        LifecycleConfiguration={"Rules": [{"ID": "old", "Status": "Enabled", **rule}]},
    )

    found = found_on(ObjectStore(settings))

    assert (found["aborts_uploads"], found["keeps_objects"]) == (aborts, keeps)


def test_a_bucket_that_is_not_there_is_no_list_of_unknowns(
    s3_store: ObjectStoreSettings,
) -> None:
    settings = dataclasses.replace(s3_store, location=BucketLocation("no-such-bucket"))

    with pytest.raises(ObjectStoreError, match="no such bucket"):
        ObjectStore(settings).capabilities()


def test_a_store_that_goes_away_is_not_asked_again_and_again(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda request: Fault.LOSE_REQUEST if request.number > 4 else None)

    capabilities = faulty.store().capabilities()

    assert capabilities.conditional_put.works is None
    assert "broke off" in capabilities.multipart.why
    assert len(faulty.requests) <= 8


def test_a_store_that_is_away_from_the_beginning_is_named(faulty_s3: Start) -> None:
    with pytest.raises(ObjectStoreUnavailable):
        faulty_s3(lambda _: Fault.LOSE_REQUEST).store().capabilities()
