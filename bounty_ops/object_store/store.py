"""The object store as the rest of the project sees it."""

from __future__ import annotations

import hashlib
import io
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, Final

from bounty_ops.errors import ObjectExists, ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store.abort import abort_upload
from bounty_ops.object_store.client import make_client
from bounty_ops.object_store.conditional import if_absent
from bounty_ops.object_store.content_md5 import ContentMd5
from bounty_ops.object_store.diagnose import error_code, translated
from bounty_ops.object_store.download import Download
from bounty_ops.object_store.encrypting import encryption_arguments
from bounty_ops.object_store.heads import head
from bounty_ops.object_store.locks import Locks
from bounty_ops.object_store.part_sizes import part_sizes_for
from bounty_ops.object_store.patience import patiently
from bounty_ops.object_store.pipeline import MOST_BYTES_IN_MEMORY
from bounty_ops.object_store.probe import Probe
from bounty_ops.object_store.upload import Upload
from bounty_ops.object_store.values import ListedObject, StoredObject, UnfinishedUpload

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3.client import S3Client

    from bounty_ops.environments import BucketLocation, ObjectStoreSettings
    from bounty_ops.object_store.capabilities import Capabilities
    from bounty_ops.object_store.conditional import Condition
    from bounty_ops.object_store.values import LockMode, Retention

#: How long writing, and reading on, goes on trying while the store does not answer.
PATIENCE_SECONDS: Final = 120.0

#: The most that a store returns at once.
LIST_PAGE: Final = 1000


class ObjectStore:
    """A bucket, or the part of it under a prefix. Keys are relative to that prefix.

    Threads may share one. Every method raises ObjectStoreError (ObjectStoreUnavailable when nobody
    answers) besides what it says itself.
    """

    def __init__(
        self, settings: ObjectStoreSettings, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Does not connect.

        ``patience_seconds``: how long an outage may last for a write, or a download once begun.
        """
        self._settings = settings
        self._patience = patience_seconds
        self._part_sizes = part_sizes_for(settings.endpoint_url, settings.most_parts)
        self._client_lock = threading.Lock()
        self._made_client: S3Client | None = None

    def __repr__(self) -> str:
        return f"ObjectStore({self.location.uri()!r})"

    @property
    def location(self) -> BucketLocation:
        """The bucket and the prefix."""
        return self._settings.location

    def full_key(self, key: str) -> str:
        """Return the key in the bucket, prefix included."""
        return self.location.key(key)

    def check(self) -> None:
        """Ask the bucket for one name: raises what stands in the way of using it."""
        with translated(self._settings, "list the bucket"):
            self._client().list_objects_v2(
                Bucket=self.location.bucket, Prefix=self.full_key(""), MaxKeys=1
            )

    def create_bucket_if_missing(self) -> None:
        """Create the bucket. For the embedded store only: real ones are their owner's affair."""
        taken = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}
        try:
            with translated(self._settings, "create the bucket"):
                self._client().create_bucket(Bucket=self.location.bucket)
        except ObjectStoreError as error:
            if error_code(error) not in taken:
                raise
            self.check()  # it may be somebody else's

    def upload_stream(
        self,
        key: str,
        source: BinaryIO,
        *,
        before_complete: Callable[[], None],
        memory_bytes: int | None = None,
    ) -> StoredObject:
        """Store everything that ``source`` gives until its end, in bounded memory.

        ``before_complete`` is called once everything has been read and sent, and before anything
        is visible: raise in it to give up. Whatever is raised, there or anywhere else (Ctrl-C
        included), nothing becomes visible and no unfinished upload stays; it is raised again
        after that. Errors of ``source`` pass unchanged. The source is not closed, and after an
        error a thread may still wait for its next bytes: kill what feeds it before closing it.

        ``memory_bytes`` is what its parts may take, for several uploads at once (by default 96
        MiB); two parts are always allowed, so far into a large stream it takes more, see
        `bounty_ops.object_store.part_sizes`.

        Raises ObjectExists, without having replaced anything, when ``key`` is taken, and
        ObjectStoreError when ``source`` gives nothing at all.
        """
        upload = Upload(
            self._client(),
            self._settings,
            key,
            sizes=self._part_sizes,
            memory_bytes=memory_bytes or MOST_BYTES_IN_MEMORY,
            patience_seconds=self._patience,
        )
        return upload.run(source, before_complete)

    def put_if_absent(
        self, key: str, body: bytes, *, content_type: str = "application/json"
    ) -> StoredObject:
        """Store a small object unless the key is taken.

        Raises ObjectExists when it holds something else. Finding exactly ``body`` there, after
        a refusal or a failure, is success: the answer to an earlier attempt may have been lost.
        """
        md5 = ContentMd5(body)

        def put(condition: Condition) -> str:
            with translated(self._settings, f"write {key}"):
                answer = self._client().put_object(
                    Bucket=self.location.bucket,
                    Key=self.full_key(key),
                    Body=body,
                    ContentMD5=md5.header,
                    ContentType=content_type,
                    **encryption_arguments(self._settings),
                    **condition,
                )
            return md5.etag(answer, f"write {key}").strip('"')

        sha256 = hashlib.sha256(body).hexdigest()
        try:
            etag = patiently(
                lambda: if_absent(put, look=lambda: self._require_absent(key)),
                seconds=self._patience,
            )
        except (ObjectExists, ObjectStoreUnavailable):
            found = self._found(key, body)
            if found is None:
                raise
            etag = found.etag
        return StoredObject(key, len(body), sha256, etag)

    def _require_absent(self, key: str) -> None:
        if self.head(key) is not None:
            raise ObjectExists(
                f"could not write {key}: it exists",
                hint="Nothing was overwritten; read the object that is there",
            )

    def _found(self, key: str, body: bytes) -> StoredObject | None:
        """Return the object under a key if it can be read and is ``body``."""
        try:
            found = self.download(key, sink := io.BytesIO())
        except ObjectStoreError:
            return None
        return found if sink.getvalue() == body else None

    def get(self, key: str) -> bytes:
        """Return a small object; raises ObjectNotFound."""
        self.download(key, sink := io.BytesIO())
        return sink.getvalue()

    def download(self, key: str, sink: BinaryIO) -> StoredObject:
        """Write an object into ``sink`` and return size and hash of what was received.

        A connection that breaks is resumed where it broke. Raises ObjectNotFound. Errors of
        ``sink`` pass unchanged.
        """
        download = Download(self._client(), self._settings, key, patience_seconds=self._patience)
        return download.run(sink)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Yield the objects whose keys begin with ``prefix``, in the order of their keys."""
        pages = self._client().get_paginator("list_objects_v2")
        start = len(self.full_key(""))
        with translated(self._settings, f"list {prefix or 'the bucket'}"):
            for page in pages.paginate(
                Bucket=self.location.bucket,
                Prefix=self.full_key(prefix),
                PaginationConfig={"PageSize": LIST_PAGE},
            ):
                for entry in page.get("Contents", []):
                    yield ListedObject(
                        entry["Key"][start:], entry["Size"], _utc(entry["LastModified"])
                    )

    def head(self, key: str) -> ListedObject | None:
        """Return what the store says about an object, or None when it is not there."""
        found = head(self._client(), self._settings, key, doing=f"look at {key}")
        if found is None:
            return None
        if "LastModified" not in found:  # a store always says it
            raise ObjectStoreUnavailable(
                f"could not look at {key}: the answer does not say what is there",
                hint="Something on the way answers in the store's place; try again",
            )
        return ListedObject(key, found["ContentLength"], _utc(found["LastModified"]))

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error.

        A bucket that keeps versions hides it only, see `delete_versions`.
        """
        with translated(self._settings, f"delete {key}"):
            self._client().delete_object(Bucket=self.location.bucket, Key=self.full_key(key))

    def delete_versions(self, key: str) -> None:
        """Remove an object with all its versions and delete markers, so that nothing of it stays.

        In a bucket without versions this is `delete`. Raises ObjectLocked, with until when, for a
        version that may not go; versions that are newer than that one are gone then.
        """
        Locks(self._client(), self._settings).delete_versions(key)

    def lock_object(self, key: str, mode: LockMode, until: datetime) -> None:
        """Let nobody delete an object before ``until``; the lock is read again to be sure.

        A lock can be made longer, and weaker or shorter by nobody (COMPLIANCE), or only with a
        permission of its own (GOVERNANCE), which this never uses. Raises ObjectNotFound, and
        ObjectStoreError where the bucket has no Object Lock.
        """
        Locks(self._client(), self._settings).lock(key, mode, until)

    def lock_of(self, key: str) -> Retention | None:
        """Return the lock of an object, also one that has ended; raises ObjectNotFound."""
        return Locks(self._client(), self._settings).of(key)

    def capabilities(self) -> Capabilities:
        """Try out what this bucket can promise, and leave nothing behind.

        It writes one small object under `bounty_ops.object_store.probe.PROBES`. What cannot be
        found out is None, with why; so it raises only where the bucket cannot be reached at all.
        """
        self.check()
        return Probe(self._client(), self._settings).run()

    def unfinished_uploads(self, prefix: str) -> builtins.list[UnfinishedUpload]:
        """Return the uploads under ``prefix`` that were begun and neither completed nor aborted.

        An upload that is running right now is one of them.
        """
        pages = self._client().get_paginator("list_multipart_uploads")
        start = len(self.full_key(""))
        with translated(self._settings, "list unfinished uploads"):
            return [
                UnfinishedUpload(entry["Key"][start:], entry["UploadId"], _utc(entry["Initiated"]))
                for page in pages.paginate(
                    Bucket=self.location.bucket, Prefix=self.full_key(prefix)
                )
                for entry in page.get("Uploads", [])
            ]

    def abort_upload(self, upload: UnfinishedUpload) -> None:
        """Remove an unfinished upload; one that is gone already is no error."""
        abort_upload(self._client(), self._settings, upload.key, upload.upload_id)

    def _client(self) -> S3Client:
        with self._client_lock:
            if self._made_client is None:
                self._made_client = make_client(self._settings)
            return self._made_client


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
