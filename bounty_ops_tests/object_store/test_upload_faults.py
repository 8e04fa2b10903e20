"""One fault at every request of an upload: it ends complete, or nothing of it is left."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import ObjectStoreError, ObjectStoreUnavailable
from bounty_ops_tests.fix_proxy import PASSING_FAULTS, Fault, FaultyStore, Request
from bounty_ops_tests.object_store.streams import SMALL_PARTS, in_small_parts, nothing, some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.object_store import StoredObject

    Plan = Callable[[Request], Fault | None]
    Start = Callable[[Plan], FaultyStore]

PARTS = 2
LARGE = some_bytes((PARTS - 1) * SMALL_PARTS.first + 100)
SMALL = some_bytes(1000)
LARGE_OPERATIONS = ["begin", *["part"] * PARTS, "head", "complete", "head"]
SMALL_OPERATIONS = ["head", "put", "head"]
#: Where one fault alone makes an upload without patience give up; all others are repeated.
FATAL = {
    Fault.ANSWER_403: {"begin", "part", "complete", "head", "put"},
    Fault.DAMAGE_REQUEST: {"part", "complete", "put"},
    Fault.ERROR_IN_200: {"head"},  # says that the object has another size
}


@pytest.fixture(autouse=True)
def _few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let boto3 repeat a failed call once, which costs a test less time than three times."""
    monkeypatch.setattr("bounty_ops.object_store.client.ATTEMPTS", 2)


def at(position: int, fault: Fault) -> Plan:
    return lambda request: fault if request.number == position else None


def on(operation: str, fault: Fault) -> Plan:
    return lambda request: fault if request.operation == operation else None


def upload(faulty: FaultyStore, data: bytes, patience: float = 0.0) -> StoredObject | None:
    """Upload through the proxy; None when that was refused."""
    store = in_small_parts(faulty.store(patience_seconds=patience))
    try:
        return store.upload_stream("a", io.BytesIO(data), before_complete=nothing)
    except ObjectStoreError:
        return None


def assert_complete(faulty: FaultyStore, stored: StoredObject | None, data: bytes) -> None:
    assert stored is not None
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert faulty.honest.get("a") == data
    assert faulty.honest.unfinished_uploads("") == []


def assert_nothing_left(faulty: FaultyStore, stored: StoredObject | None) -> None:
    assert stored is None
    assert list(faulty.honest.list("")) == []
    assert faulty.honest.unfinished_uploads("") == []


@pytest.mark.parametrize(
    ("data", "operations"),
    [(LARGE, LARGE_OPERATIONS), (SMALL, SMALL_OPERATIONS)],
    ids=["large", "small"],
)
def test_an_undisturbed_upload_makes_only_these_requests(
    faulty_s3: Start, data: bytes, operations: list[str]
) -> None:
    faulty = faulty_s3(lambda _: None)

    assert_complete(faulty, upload(faulty, data), data)
    assert faulty.operations() == operations


@pytest.mark.parametrize("fault", PASSING_FAULTS)
@pytest.mark.parametrize(
    ("data", "operations"),
    [(LARGE, LARGE_OPERATIONS), (SMALL, SMALL_OPERATIONS)],
    ids=["large", "small"],
)
@pytest.mark.many(every=4)
def test_one_fault_at_any_request_leaves_all_or_nothing(
    faulty_s3: Start, fault: Fault, data: bytes, operations: list[str]
) -> None:
    cases = [faulty_s3(at(position, fault)) for position in range(1, len(operations) + 1)]
    with ThreadPoolExecutor(len(cases)) as threads:
        results = list(threads.map(lambda faulty: upload(faulty, data), cases))

    for faulty, stored in zip(cases, results, strict=True):
        if stored is None:
            assert_nothing_left(faulty, stored)
        else:
            assert_complete(faulty, stored, data)
    succeeded = [stored is not None for stored in results]
    fatal = FATAL.get(fault, set())
    assert succeeded == [operation not in fatal for operation in operations]


def test_a_damaged_part_is_never_stored_but_sent_again(faulty_s3: Start) -> None:
    faulty = faulty_s3(at(3, Fault.DAMAGE_REQUEST))

    assert_complete(faulty, upload(faulty, LARGE, patience=30), LARGE)


@pytest.mark.parametrize("operation", ["begin", "part", "complete"])
def test_a_store_that_stays_broken_gets_nothing(faulty_s3: Start, operation: str) -> None:
    faulty = faulty_s3(on(operation, Fault.ANSWER_503))

    assert_nothing_left(faulty, upload(faulty, LARGE))


def test_a_completion_that_always_fails_within_200_leaves_nothing(faulty_s3: Start) -> None:
    faulty = faulty_s3(on("complete", Fault.ERROR_IN_200))

    assert_nothing_left(faulty, upload(faulty, LARGE))


@pytest.mark.parametrize("fault", [Fault.DENY_DONE, Fault.LOSE_ANSWER])
@pytest.mark.parametrize(("data", "operation"), [(LARGE, "complete"), (SMALL, "put")])
def test_a_completion_that_is_never_confirmed_is_found_out(
    faulty_s3: Start, fault: Fault, data: bytes, operation: str
) -> None:
    faulty = faulty_s3(on(operation, fault))

    assert_complete(faulty, upload(faulty, data), data)


def test_an_upload_that_was_begun_twice_leaves_no_second_one(faulty_s3: Start) -> None:
    faulty = faulty_s3(at(1, Fault.LOSE_ANSWER))

    assert_complete(faulty, upload(faulty, LARGE), LARGE)
    assert faulty.operations().count("begin") == 2


def test_an_upload_whose_beginning_is_never_confirmed_leaves_nothing(faulty_s3: Start) -> None:
    faulty = faulty_s3(on("begin", Fault.LOSE_ANSWER))

    assert_nothing_left(faulty, upload(faulty, LARGE))


def test_an_abort_that_fails_is_told_and_does_not_hide_the_cause(faulty_s3: Start) -> None:
    def plan(request: Request) -> Fault | None:
        broken = request.operation in {"complete", "abort"}
        return Fault.ANSWER_403 if broken else None

    faulty = faulty_s3(plan)
    store = in_small_parts(faulty.store())

    with pytest.raises(ObjectStoreError, match="upload a: access is denied") as caught:
        store.upload_stream("a", io.BytesIO(LARGE), before_complete=nothing)

    assert any("may be left" in note for note in caught.value.__notes__)
    [left] = faulty.honest.unfinished_uploads("")
    faulty.honest.abort_upload(left)
    assert faulty.honest.unfinished_uploads("") == []


def test_an_outage_in_the_middle_is_waited_for(faulty_s3: Start) -> None:
    """Longer than what boto3 itself repeats: three failures in a row for one part."""
    failures = iter([Fault.ANSWER_503] * 3)

    def plan(request: Request) -> Fault | None:
        return next(failures, None) if request.query.get("partNumber") == ["2"] else None

    faulty = faulty_s3(plan)

    assert_complete(faulty, upload(faulty, LARGE, patience=60), LARGE)


def test_a_store_that_is_gone_is_named_with_what_to_do(faulty_s3: Start) -> None:
    faulty = faulty_s3(on("put", Fault.ANSWER_503))
    store = faulty.store()

    with pytest.raises(ObjectStoreUnavailable, match="overloaded or broken") as caught:
        store.upload_stream("a", io.BytesIO(SMALL), before_complete=nothing)

    assert "some minutes" in caught.value.hint
