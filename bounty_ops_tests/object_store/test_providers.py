"""Uploads and records on stores that behave like other providers."""

from __future__ import annotations

import dataclasses
import io
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import ObjectExists, ObjectStoreError
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.habits import Habit
from bounty_ops_tests.object_store.streams import SMALL_PARTS, in_small_parts, nothing, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops_tests.fix_proxy import FaultyStore

    Start = Callable[..., FaultyStore]

SIZES = [1000, SMALL_PARTS.first + 100]
HABITS = [
    Habit.IGNORES_CONDITIONS,
    Habit.REFUSES_CONDITIONS,
    Habit.IGNORES_CHECKSUMS,
    Habit.HAS_KMS,
    Habit.HAS_NO_VERSIONS,
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("habit", HABITS)
def test_archives_and_records_can_be_stored_with_each_of_them(
    faulty_s3: Start, habit: Habit, size: int
) -> None:
    faulty = faulty_s3(habits={habit})
    store = in_small_parts(faulty.store())
    data = some_bytes(size)

    stored = store.upload_stream("a", io.BytesIO(data), before_complete=nothing)
    store.put_if_absent("a.json", b"{}")

    assert store.download("a", sink := io.BytesIO()) == stored
    assert sink.getvalue() == data
    assert faulty.honest.get("a.json") == b"{}"
    assert faulty.honest.unfinished_uploads("") == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("habit", HABITS)
def test_none_of_them_replaces_an_archive(faulty_s3: Start, habit: Habit, size: int) -> None:
    faulty = faulty_s3(habits={habit})
    faulty.honest.put_if_absent("a", b"first")

    with pytest.raises(ObjectExists):
        in_small_parts(faulty.store()).upload_stream(
            "a", io.BytesIO(some_bytes(size)), before_complete=nothing
        )

    assert faulty.honest.get("a") == b"first"
    assert faulty.honest.unfinished_uploads("") == []


def test_a_store_that_refuses_conditions_does_not_replace_a_record(faulty_s3: Start) -> None:
    faulty = faulty_s3(habits={Habit.REFUSES_CONDITIONS})
    store = faulty.store()
    store.put_if_absent("a.json", b"{}")
    store.put_if_absent("a.json", b"{}")

    with pytest.raises(ObjectExists):
        store.put_if_absent("a.json", b"[]")

    assert faulty.honest.get("a.json") == b"{}"


@pytest.mark.parametrize("size", SIZES)
def test_somebody_who_is_faster_wins(faulty_s3: Start, size: int) -> None:
    """The other object comes after we have looked, and before ours is complete."""

    def plan(request: object) -> None:
        if getattr(request, "operation", "") in {"complete", "put"}:
            faulty.honest.put_if_absent("a", b"first")

    faulty = faulty_s3(plan)

    with pytest.raises(ObjectExists):
        in_small_parts(faulty.store()).upload_stream(
            "a", io.BytesIO(some_bytes(size)), before_complete=nothing
        )

    assert faulty.honest.get("a") == b"first"
    assert faulty.honest.unfinished_uploads("") == []


def encrypting(faulty: FaultyStore) -> ObjectStore:
    settings = dataclasses.replace(
        faulty.settings, server_side_encryption="aws:kms", kms_key_id="alias/backups"
    )
    return in_small_parts(ObjectStore(settings, patience_seconds=0))


@pytest.mark.parametrize("size", SIZES)
def test_every_object_asks_for_the_encryption_of_the_settings(faulty_s3: Start, size: int) -> None:
    faulty = faulty_s3(habits={Habit.HAS_KMS})
    store = encrypting(faulty)

    store.upload_stream("a", io.BytesIO(some_bytes(size)), before_complete=nothing)
    store.put_if_absent("a.json", b"{}")
    assert all(one.works for name, one in store.capabilities().items() if "put" in name)

    asked = [
        (
            request.headers.get("x-amz-server-side-encryption"),
            request.headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
        )
        for request in faulty.requests
        if request.operation in {"put", "begin"}
    ]
    assert set(asked) == {("aws:kms", "alias/backups")}


def test_without_the_setting_encryption_is_the_bucket_s_affair(faulty_s3: Start) -> None:
    faulty = faulty_s3()

    faulty.store().put_if_absent("a.json", b"{}")

    assert not any("encryption" in name for request in faulty.requests for name in request.headers)


def test_the_store_s_own_keys_encrypt_for_real(faulty_s3: Start) -> None:
    faulty = faulty_s3()
    settings = dataclasses.replace(faulty.settings, server_side_encryption="AES256")
    store = in_small_parts(ObjectStore(settings, patience_seconds=0))
    data = some_bytes(SIZES[1])

    store.upload_stream("a", io.BytesIO(data), before_complete=nothing)

    assert store.get("a") == data


def test_a_key_that_the_store_does_not_know_stores_nothing(
    faulty_s3: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real store has no KMS at all, and says so with an error of its own."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 1)
    faulty = faulty_s3()

    with pytest.raises(ObjectStoreError):
        encrypting(faulty).put_if_absent("a", b"{}")

    assert list(faulty.honest.list("")) == []
