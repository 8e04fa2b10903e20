"""Reading an object as a stream, resumed where a connection broke off."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from typing import TYPE_CHECKING, BinaryIO, Final

from bounty_ops.errors import ObjectExists, ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store.diagnose import translated
from bounty_ops.object_store.part_sizes import MIB
from bounty_ops.object_store.patience import patiently
from bounty_ops.object_store.values import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

    from bounty_ops.environments import ObjectStoreSettings

_CHUNK: Final = MIB
#: In a row, without a byte in between.
_MOST_FAILURES: Final = 4


class Download:
    """One reading of one object, hashed on the way."""

    def __init__(
        self,
        client: S3Client,
        settings: ObjectStoreSettings,
        key: str,
        *,
        patience_seconds: float,
    ) -> None:
        self._client = client
        self._settings = settings
        self._key = key
        self._patience = patience_seconds
        self._received = 0
        self._size: int | None = None
        self._etag = ""
        self._sha256 = hashlib.sha256()

    def run(self, sink: BinaryIO) -> StoredObject:
        """Write the object into ``sink``; see `bounty_ops.object_store.ObjectStore.download`."""
        failures = 0
        while self._received != self._size:
            # A store that was there at the beginning is waited for, one that was not is not.
            answer = patiently(self._ask, seconds=self._patience if self._received else 0)
            before = self._received
            try:
                self._receive(answer, sink)
            except ObjectStoreUnavailable:
                failures = 1 if self._received > before else failures + 1
                if failures == _MOST_FAILURES:
                    raise
                time.sleep(failures - 1)
        return StoredObject(self._key, self._received, self._sha256.hexdigest(), self._etag)

    def _receive(self, answer: GetObjectOutputTypeDef, sink: BinaryIO) -> None:
        if self._size is None:
            self._begin(answer)
        elif not answer.get("ContentRange", "").startswith(f"bytes {self._received}-"):
            raise self._changed("the store does not answer with the rest that was asked for")
        with translated(self._settings, f"read {self._key}"), closing(answer["Body"]) as body:
            for chunk in body.iter_chunks(_CHUNK):
                self._sha256.update(chunk)
                sink.write(chunk)
                self._received += len(chunk)

    def _begin(self, answer: GetObjectOutputTypeDef) -> None:
        # A store always says both; a proxy's page of apologies, sent with 200, does not.
        if not answer.get("ETag") or answer.get("ContentLength") is None:
            answer["Body"].close()
            raise ObjectStoreUnavailable(
                f"could not read {self._key}: the answer does not say what it holds",
                hint="Something on the way answers in the store's place; try again",
            )
        self._size, self._etag = answer["ContentLength"], answer["ETag"].strip('"')

    def _ask(self) -> GetObjectOutputTypeDef:
        bucket, key = self._settings.location.bucket, self._settings.location.key(self._key)
        try:
            with translated(self._settings, f"read {self._key}"):
                if self._size is None:
                    return self._client.get_object(Bucket=bucket, Key=key)
                rest = f"bytes={self._received}-"
                return self._client.get_object(
                    Bucket=bucket, Key=key, Range=rest, IfMatch=f'"{self._etag}"'
                )
        except ObjectExists:
            raise self._changed("the object was replaced while it was read") from None

    def _changed(self, why: str) -> ObjectStoreError:
        return ObjectStoreError(
            f"could not read {self._key} to its end: {why}", hint="Try again from the beginning"
        )
