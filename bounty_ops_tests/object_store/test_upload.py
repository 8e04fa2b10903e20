"""Streamed uploads on a real store: complete, or nothing at all."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import threading
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import BackupError, ObjectExists, ObjectStoreError
from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.part_sizes import MIB
from bounty_ops.object_store.pipeline import Pipeline
from bounty_ops_tests.object_store.streams import (
    SMALL_PARTS,
    BrokenSource,
    in_small_parts,
    nothing,
    some_bytes,
)

if TYPE_CHECKING:
    from bounty_ops.environments import ObjectStoreSettings

PART = SMALL_PARTS.first


@pytest.fixture
def store(s3_prefix: ObjectStoreSettings) -> ObjectStore:
    return in_small_parts(ObjectStore(s3_prefix, patience_seconds=0))


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 3 * PART, 4 * PART + 7])
def test_what_is_uploaded_is_what_is_downloaded(store: ObjectStore, size: int) -> None:
    data = some_bytes(size)

    stored = store.upload_stream("archive.dump", io.BytesIO(data), before_complete=nothing)
    received = store.download("archive.dump", sink := io.BytesIO())

    assert sink.getvalue() == data
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored == received
    assert [entry.key for entry in store.list("")] == ["archive.dump"]
    assert store.unfinished_uploads("") == []


@pytest.mark.parametrize("size", [10, 2 * PART + 10])
def test_nothing_is_visible_when_the_caller_has_the_last_word(
    store: ObjectStore, size: int
) -> None:
    seen: list[object] = []

    store.upload_stream(
        "a", io.BytesIO(some_bytes(size)), before_complete=lambda: seen.append(store.head("a"))
    )

    assert seen == [None]
    assert store.head("a") is not None


@pytest.mark.parametrize("size", [10, 2 * PART + 10])
@pytest.mark.parametrize("error", [BackupError("pg_dump failed", hint=""), KeyboardInterrupt()])
def test_a_caller_that_says_no_leaves_nothing(
    store: ObjectStore, size: int, error: BaseException
) -> None:
    def refuse() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        store.upload_stream("a", io.BytesIO(some_bytes(size)), before_complete=refuse)

    assert caught.value is error
    assert list(store.list("")) == []
    assert store.unfinished_uploads("") == []


@pytest.mark.parametrize("size", [0, 10, PART, 3 * PART + 10])
@pytest.mark.parametrize("error", [OSError("pipe"), SystemExit(3), KeyboardInterrupt()])
def test_a_source_that_breaks_leaves_nothing(
    store: ObjectStore, size: int, error: BaseException
) -> None:
    said: list[str] = []
    source = BrokenSource(some_bytes(size), error)

    with pytest.raises(type(error)) as caught:
        store.upload_stream("a", source, before_complete=lambda: said.append("complete"))

    assert caught.value is error
    assert said == []
    assert list(store.list("")) == []
    assert store.unfinished_uploads("") == []


def test_the_source_is_read_while_parts_are_sent(store: ObjectStore) -> None:
    """A pipe that is never full at once: the writer waits for the reader all the time."""
    data = some_bytes(3 * PART + 123)
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(reading, "rb") as source:
        stored = store.upload_stream("a", source, before_complete=nothing)
    writer.join()

    assert stored.sha256 == hashlib.sha256(data).hexdigest()


def test_no_more_parts_are_in_memory_than_the_budget_allows() -> None:
    read: list[int] = []
    blocked = threading.Event()

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            read.append(len(data))
            if sum(read) >= 3 * PART:
                blocked.set()
            return data

    source = Counting(some_bytes(6 * PART))
    running = Pipeline(source, SMALL_PARTS, memory_bytes=3 * PART)
    try:
        running.first()
        assert blocked.wait(60)
        # Nobody sends, so nothing is given back: the reader must stand still here.
        assert not running._budget.has_room(PART)
        assert sum(read) == 3 * PART
    finally:
        running.stop()


def test_a_stream_that_needs_too_many_parts_is_refused(store: ObjectStore) -> None:
    store._part_sizes = dataclasses.replace(SMALL_PARTS, most=2)
    data = some_bytes(2 * PART + 1)

    with pytest.raises(ObjectStoreError, match="the largest object") as caught:
        store.upload_stream("a", io.BytesIO(data), before_complete=nothing)

    assert caught.value.hint
    assert store.unfinished_uploads("") == []
    fitting = store.upload_stream("a", io.BytesIO(data[:-1]), before_complete=nothing)
    assert fitting.size_bytes == 2 * PART


def test_the_usual_parts_are_8_mib(s3_prefix: ObjectStoreSettings) -> None:
    store = ObjectStore(s3_prefix)

    stored = store.upload_stream("a", io.BytesIO(some_bytes(17 * MIB)), before_complete=nothing)

    assert stored.etag.endswith("-3")


def test_uploads_at_the_same_time_do_not_mix(store: ObjectStore) -> None:
    contents = {f"k{number}": some_bytes(2 * PART + number, seed=number) for number in range(3)}

    def upload(key: str) -> None:
        store.upload_stream(key, io.BytesIO(contents[key]), before_complete=nothing)

    threads = [threading.Thread(target=upload, args=(key,)) for key in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {key: store.get(key) for key in contents} == contents


def test_a_stream_of_nothing_is_no_archive(store: ObjectStore) -> None:
    with pytest.raises(ObjectStoreError, match="not one byte") as caught:
        store.upload_stream("a", io.BytesIO(b""), before_complete=nothing)

    assert caught.value.hint
    assert list(store.list("")) == []


def test_why_there_was_nothing_is_the_caller_s_to_say(store: ObjectStore) -> None:
    def refuse() -> None:
        raise BackupError("pg_dump failed", hint="")

    with pytest.raises(BackupError, match="pg_dump failed"):
        store.upload_stream("a", io.BytesIO(b""), before_complete=refuse)


@pytest.mark.parametrize("size", [10, 2 * PART + 10])
def test_an_existing_object_is_never_replaced(store: ObjectStore, size: int) -> None:
    store.put_if_absent("a", b"first")

    with pytest.raises(ObjectExists, match="a: there is an object under this key"):
        store.upload_stream("a", io.BytesIO(some_bytes(size)), before_complete=nothing)

    assert store.get("a") == b"first"
    assert store.unfinished_uploads("") == []


def test_memory_is_shared_by_uploads_that_are_told_to(s3_prefix: ObjectStoreSettings) -> None:
    """However little is given, one part is read while another is sent."""
    store = in_small_parts(ObjectStore(s3_prefix))
    data = some_bytes(4 * PART)

    stored = store.upload_stream(
        "a", io.BytesIO(data), before_complete=nothing, memory_bytes=PART // 2
    )

    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert store.get("a") == data
