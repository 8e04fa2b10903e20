"""Small objects: conditional writes, reading, listing, deleting."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import ObjectExists, ObjectNotFound, ObjectStoreError
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_proxy import PASSING_FAULTS, Fault, FaultyStore, Request
from bounty_ops_tests.object_store.streams import nothing, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import ObjectStoreSettings

    Start = Callable[[Callable[[Request], Fault | None]], FaultyStore]


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


@pytest.fixture
def store(s3_prefix: ObjectStoreSettings) -> ObjectStore:
    return ObjectStore(s3_prefix, patience_seconds=0)


def test_a_record_is_written_once(store: ObjectStore) -> None:
    stored = store.put_if_absent("a.json", b"{}")

    with pytest.raises(ObjectExists):
        store.put_if_absent("a.json", b"[]")

    assert store.get("a.json") == b"{}"
    assert (stored.size_bytes, stored.sha256) == (2, hashlib.sha256(b"{}").hexdigest())


def test_writing_the_same_again_is_success(store: ObjectStore) -> None:
    assert store.put_if_absent("a.json", b"{}") == store.put_if_absent("a.json", b"{}")


def test_of_many_writers_one_wins(store: ObjectStore) -> None:
    def write(number: int) -> int | None:
        try:
            store.put_if_absent("a.json", b"%d" % number)
        except ObjectExists:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        winners = [number for number in threads.map(write, range(8)) if number is not None]

    assert [b"%d" % number for number in winners] == [store.get("a.json")]


@pytest.mark.parametrize("fault", PASSING_FAULTS)
def test_a_record_is_written_or_not_and_never_falsely_refused(
    faulty_s3: Start, fault: Fault
) -> None:
    faulty = faulty_s3(lambda request: fault if request.number == 1 else None)

    if fault is Fault.ANSWER_403:
        with pytest.raises(ObjectStoreError, match="access is denied"):
            faulty.store().put_if_absent("a.json", b"{}")
        assert faulty.honest.head("a.json") is None
    else:
        faulty.store(patience_seconds=30).put_if_absent("a.json", b"{}")
        assert faulty.honest.get("a.json") == b"{}"


def test_a_record_that_was_never_confirmed_is_found_to_be_there(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda request: Fault.DENY_DONE if request.operation == "put" else None)

    assert faulty.store().put_if_absent("a.json", b"{}").size_bytes == 2
    assert faulty.honest.get("a.json") == b"{}"


@pytest.mark.parametrize("second", [Fault.CUT_ANSWER, Fault.LOSE_ANSWER, Fault.ANSWER_500])
@pytest.mark.parametrize("first", [Fault.CUT_ANSWER, Fault.LOSE_ANSWER, Fault.ANSWER_500])
def test_a_download_goes_on_where_it_broke_off(
    faulty_s3: Start, first: Fault, second: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 3)
    faulty = faulty_s3(lambda request: {1: first, 2: second}.get(request.number))
    data = some_bytes(3_000_001)
    faulty.honest.upload_stream("a", io.BytesIO(data), before_complete=nothing)

    received = faulty.store().download("a", sink := io.BytesIO())

    assert sink.getvalue() == data
    assert received.sha256 == hashlib.sha256(data).hexdigest()
    assert len(faulty.requests) == 3


def test_a_download_is_not_pieced_together_from_two_objects(faulty_s3: Start) -> None:
    faulty: FaultyStore

    def plan(request: Request) -> Fault | None:
        if request.number == 2:  # the rest is asked for: by now it is another object's
            faulty.honest.delete("a")
            faulty.honest.upload_stream(
                "a", io.BytesIO(some_bytes(3_000_000, seed=2)), before_complete=nothing
            )
        return Fault.CUT_ANSWER if request.number == 1 else None

    faulty = faulty_s3(plan)
    faulty.honest.upload_stream("a", io.BytesIO(some_bytes(3_000_000)), before_complete=nothing)

    with pytest.raises(ObjectStoreError, match="replaced while it was read"):
        faulty.store().download("a", io.BytesIO())


def test_an_outage_in_the_middle_of_a_download_is_waited_for(faulty_s3: Start) -> None:
    plan = {1: Fault.CUT_ANSWER, **dict.fromkeys(range(2, 6), Fault.ANSWER_503)}
    faulty = faulty_s3(lambda request: plan.get(request.number))
    data = some_bytes(1_000_000)
    faulty.honest.upload_stream("a", io.BytesIO(data), before_complete=nothing)

    assert faulty.store(patience_seconds=60).get("a") == data


def test_a_download_that_never_gets_anything_ends(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda _: Fault.LOSE_REQUEST)

    with pytest.raises(ObjectStoreError, match="broke off"):
        faulty.store().download("a", io.BytesIO())


def test_a_sink_that_is_full_is_reported_as_what_it_is(store: ObjectStore) -> None:
    class Full(io.BytesIO):
        def write(self, _: object, /) -> int:
            raise OSError(28, "No space left on device")

    store.put_if_absent("a", b"{}")

    with pytest.raises(OSError, match="No space left"):
        store.download("a", Full())


def test_what_is_not_there_is_said_so(store: ObjectStore) -> None:
    assert store.head("nothing") is None
    store.delete("nothing")
    with pytest.raises(ObjectNotFound) as caught:
        store.get("nothing")
    assert "nothing" in str(caught.value)
    assert caught.value.hint


def test_a_listing_has_relative_keys_in_order_and_stays_under_its_prefix(
    store: ObjectStore,
) -> None:
    keys = ["a/1", "a/2 with blank+plus%25", "a/3-ü", "b/1"]
    for key in keys:
        store.put_if_absent(key, key.encode())

    assert [entry.key for entry in store.list("")] == keys
    assert [entry.key for entry in store.list("a/")] == keys[:3]
    assert [entry.size_bytes for entry in store.list("b/")] == [3]


def test_a_listing_of_more_than_one_page_is_whole(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bounty_ops.object_store.store.LIST_PAGE", 3)
    keys = [f"{number:04}" for number in range(7)]
    for key in keys:
        store.put_if_absent(key, b"{}")

    assert [entry.key for entry in store.list("")] == keys


def test_times_are_utc_and_recent(store: ObjectStore) -> None:
    store.put_if_absent("a", b"{}")
    [listed] = store.list("")
    head = store.head("a")

    assert head is not None
    for moment in (listed.last_modified, head.last_modified):
        assert moment.tzinfo is UTC
        assert abs(datetime.now(UTC) - moment) < timedelta(minutes=5)


def test_a_deleted_object_is_gone(store: ObjectStore) -> None:
    store.put_if_absent("a", b"{}")
    store.delete("a")

    assert store.head("a") is None
