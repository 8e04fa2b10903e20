"""A real uploading process: what it leaves when it is killed, and what memory it takes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

import pytest

from bounty_ops.object_store import ObjectStore
from bounty_ops.object_store.part_sizes import MIB
from bounty_ops_tests.object_store.streams import some_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import ObjectStoreSettings

PATIENCE_SECONDS = 60


class Uploader:
    """The process, fed through its standard input."""

    def __init__(self, settings: ObjectStoreSettings) -> None:
        location = settings.location
        given = {
            "location": [location.bucket, location.prefix],
            "endpoint_url": settings.endpoint_url,
            "region": settings.region,
            "access_key_id": settings.access_key_id,
            "secret_access_key": settings.secret_access_key,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bounty_ops_tests.object_store.uploader", "archive.dump"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "UPLOADER": json.dumps(given),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )

    @property
    def pipe(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def feed(self, mebibytes: int) -> str:
        """Write that much and return its SHA-256."""
        sha256 = hashlib.sha256()
        block = some_bytes(MIB)
        for number in range(mebibytes):
            piece = number.to_bytes(8) + block[8:]
            sha256.update(piece)
            self.pipe.write(piece)
        self.pipe.flush()
        return sha256.hexdigest()

    def result(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.process.wait(PATIENCE_SECONDS)
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def uploading(settings: ObjectStoreSettings) -> Iterator[Uploader]:
    uploader = Uploader(settings)
    try:
        with uploader.process:
            yield uploader
            uploader.process.kill()
    finally:
        uploader.process.kill()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def store(s3_prefix: ObjectStoreSettings) -> ObjectStore:
    return ObjectStore(s3_prefix)


def test_a_killed_upload_is_invisible_and_can_be_cleared_away(
    s3_prefix: ObjectStoreSettings, store: ObjectStore
) -> None:
    with uploading(s3_prefix) as uploader:
        uploader.feed(20)
        wait_for(lambda: store.unfinished_uploads(""))
        uploader.process.send_signal(signal.SIGKILL)
        uploader.process.wait()

        assert list(store.list("")) == []
        [left] = store.unfinished_uploads("")
        assert left.key == "archive.dump"
        assert abs(datetime.now(UTC) - left.initiated_at) < timedelta(minutes=5)

        store.abort_upload(left)
        assert store.unfinished_uploads("") == []
        store.abort_upload(left)  # a second time is no error


def test_ctrl_c_while_the_source_is_silent_leaves_nothing(
    s3_prefix: ObjectStoreSettings, store: ObjectStore
) -> None:
    with uploading(s3_prefix) as uploader:
        uploader.feed(20)
        wait_for(lambda: store.unfinished_uploads(""))
        uploader.process.send_signal(signal.SIGINT)  # the pipe stays open, and nothing comes

        assert uploader.result()["interrupted"] is True
        assert list(store.list("")) == []
        assert store.unfinished_uploads("") == []


def test_memory_does_not_grow_with_what_is_uploaded(
    s3_prefix: ObjectStoreSettings, store: ObjectStore
) -> None:
    with uploading(s3_prefix) as uploader:
        sha256 = uploader.feed(200)
        uploader.pipe.close()
        result = uploader.result()

    assert result["size_bytes"] == 200 * MIB
    assert result["sha256"] == sha256
    assert result["peak_memory_bytes"] < 150 * MIB
    [listed] = store.list("")
    assert listed.size_bytes == 200 * MIB
    store.delete(listed.key)
