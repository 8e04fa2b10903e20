"""Stores that are slow, overloaded or gone, and credentials that end in the middle."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments.object_storage import COPY_NAMES
from bounty_ops.errors import ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_proxy import Fault, FaultyStore, Request
from bounty_ops_tests.object_store.streams import SMALL_PARTS, in_small_parts, nothing, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., FaultyStore]

DATA = some_bytes(2 * SMALL_PARTS.first + 100)
OPERATIONS = ["begin", "part", "head", "complete"]


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


def from_the_first(operation: str, fault: Fault) -> Callable[[Request], Fault | None]:
    """The fault, from the first request of that kind on: for ever."""
    begun = False

    def plan(request: Request) -> Fault | None:
        nonlocal begun
        begun = begun or request.operation == operation
        return fault if begun else None

    return plan


def upload(faulty: FaultyStore, patience: float = 0.0) -> None:
    store = in_small_parts(faulty.store(patience_seconds=patience))
    stored = store.upload_stream("a", io.BytesIO(DATA), before_complete=nothing)
    assert stored.sha256 == hashlib.sha256(DATA).hexdigest()


def assert_nothing_visible_and_the_rest_can_be_cleared_away(faulty: FaultyStore) -> None:
    assert list(faulty.honest.list("")) == []
    for left in faulty.honest.unfinished_uploads(""):
        faulty.honest.abort_upload(left)
    assert faulty.honest.unfinished_uploads("") == []


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("fault", "what", "remedy"),
    [
        (Fault.EXPIRED_TOKEN, "credentials have expired", "AWS_SESSION_TOKEN"),
        (Fault.UNKNOWN_KEY, "does not accept these credentials", "AWS_ACCESS_KEY_ID"),
        (Fault.NO_BUCKET, "no such bucket", "BACKUP_BUCKET"),
    ],
)
@pytest.mark.many(every=4)
def test_what_ends_in_the_middle_of_an_upload_is_named_and_shows_nothing(
    faulty_s3: Start, operation: str, fault: Fault, what: str, remedy: str
) -> None:
    faulty = faulty_s3(from_the_first(operation, fault))

    with pytest.raises(ObjectStoreError, match=what) as caught:
        upload(faulty, patience=60)  # waiting would not help, so nobody waits

    assert remedy in caught.value.hint
    if operation != "begin":  # nobody is left who may clear away; the next backup does
        assert any("may be left" in note for note in caught.value.__notes__)
    assert_nothing_visible_and_the_rest_can_be_cleared_away(faulty)
    in_small_parts(faulty.honest).upload_stream("a", io.BytesIO(DATA), before_complete=nothing)


def test_keys_of_the_second_bucket_are_called_by_their_names(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda _: Fault.UNKNOWN_KEY)
    store = ObjectStore(dataclasses.replace(faulty.settings, names=COPY_NAMES))

    with pytest.raises(ObjectStoreError, match="does not accept") as caught:
        store.check()

    assert "BACKUP_COPY_ACCESS_KEY_ID and BACKUP_COPY_SECRET_ACCESS_KEY" in caught.value.hint
    assert "AWS_" not in caught.value.hint


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", [Fault.ANSWER_503, Fault.LOSE_REQUEST])
@pytest.mark.many(every=4)
def test_a_storm_that_ends_is_survived(faulty_s3: Start, operation: str, fault: Fault) -> None:
    """More failures in a row than boto3 repeats: only patience helps."""
    left = 4

    def plan(request: Request) -> Fault | None:
        nonlocal left
        if request.operation != operation or left == 0:
            return None
        left -= 1
        return fault

    faulty = faulty_s3(plan)
    if operation == "begin":  # nothing has been read from the pipe yet: it can simply be repeated
        with pytest.raises(ObjectStoreUnavailable):
            upload(faulty, patience=60)
        assert faulty.honest.unfinished_uploads("") == []
        left = 0
    upload(faulty, patience=60)

    assert faulty.honest.get("a") == DATA
    assert faulty.honest.unfinished_uploads("") == []


@pytest.mark.parametrize("operation", OPERATIONS[1:])
def test_a_storm_that_does_not_end_leaves_nothing_visible(faulty_s3: Start, operation: str) -> None:
    faulty = faulty_s3(from_the_first(operation, Fault.ANSWER_503))

    with pytest.raises(ObjectStoreUnavailable, match="overloaded"):
        upload(faulty)

    assert_nothing_visible_and_the_rest_can_be_cleared_away(faulty)


def test_a_store_that_crawls_is_slow_and_nothing_worse(faulty_s3: Start) -> None:
    faulty = faulty_s3(lambda _: Fault.CRAWL)

    upload(faulty)
    received = faulty.store().download("a", sink := io.BytesIO())

    assert sink.getvalue() == DATA
    assert received.size_bytes == len(DATA)


@pytest.mark.parametrize("fault", [Fault.EXPIRED_TOKEN, Fault.UNKNOWN_KEY, Fault.NO_BUCKET])
def test_what_ends_in_the_middle_of_a_download_is_named(faulty_s3: Start, fault: Fault) -> None:
    faulty = faulty_s3(
        lambda request: Fault.CUT_ANSWER if request.number == 1 else fault,
    )
    faulty.honest.put_if_absent("a", some_bytes(3_000_000))

    with pytest.raises(ObjectStoreError, match="read a: ") as caught:
        faulty.store(patience_seconds=60).download("a", io.BytesIO())

    assert not isinstance(caught.value, ObjectStoreUnavailable)


@pytest.mark.parametrize("fault", [Fault.EXPIRED_TOKEN, Fault.NO_BUCKET, Fault.ANSWER_503])
def test_a_record_is_not_half_written(faulty_s3: Start, fault: Fault) -> None:
    faulty = faulty_s3(lambda _: fault)

    with pytest.raises(ObjectStoreError):
        faulty.store().put_if_absent("a.json", b"{}")

    assert list(faulty.honest.list("")) == []
