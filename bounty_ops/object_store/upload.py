"""One streamed upload: everything becomes visible at once, or nothing does.

Until CompleteMultipartUpload succeeds nobody can see an object, whatever happens to this process.
Every other end aborts the upload. Three things a store may do are expected here:

* answer 200 to CompleteMultipartUpload with an error in the body (boto3 turns it into an error);
* complete, but lose the answer; the repetition then says NoSuchUpload. So the object is looked at
  before the failure is believed: it carries a random mark that only this upload knows;
* begin two uploads, because the answer to the first request was lost. So the uploads of the key
  are listed and removed when the request had to be repeated.

An object that is there already is never replaced (`bounty_ops.object_store.conditional`), and a
stream of no bytes is refused: an archive always has a header, so an empty one is a program that
failed without saying so.

A stream shorter than one part is put in one request instead of three.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from bounty_ops.errors import ObjectExists, ObjectStoreError
from bounty_ops.object_store.abort import abort_upload
from bounty_ops.object_store.conditional import if_absent
from bounty_ops.object_store.content_md5 import ContentMd5
from bounty_ops.object_store.diagnose import translated
from bounty_ops.object_store.encrypting import encryption_arguments
from bounty_ops.object_store.heads import head
from bounty_ops.object_store.part_body import PartBody
from bounty_ops.object_store.patience import patiently
from bounty_ops.object_store.pipeline import Part, Pipeline, Totals
from bounty_ops.object_store.values import StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from bounty_ops.environments import ObjectStoreSettings
    from bounty_ops.object_store.conditional import Condition
    from bounty_ops.object_store.part_sizes import PartSizes

_MARK: Final = "bounty-ops-upload"
_CONTENT_TYPE: Final = "application/octet-stream"

logger = logging.getLogger(__name__)


class Upload:
    """One attempt to store one stream under one key."""

    def __init__(
        self,
        client: S3Client,
        settings: ObjectStoreSettings,
        key: str,
        *,
        sizes: PartSizes,
        memory_bytes: int,
        patience_seconds: float,
    ) -> None:
        self._client = client
        self._settings = settings
        self._key = key
        self._bucket = settings.location.bucket
        self._full_key = settings.location.key(key)
        self._sizes = sizes
        self._memory_bytes = memory_bytes
        self._patience = patience_seconds
        self._mark = secrets.token_hex(16)
        self._upload_id: str | None = None
        self._may_be_visible = False
        self._may_have_strays = False

    def run(self, source: BinaryIO, before_complete: Callable[[], None]) -> StoredObject:
        """Store all of ``source``; see `bounty_ops.object_store.ObjectStore.upload_stream`."""
        pipeline = Pipeline(source, self._sizes, memory_bytes=self._memory_bytes)
        try:
            first = pipeline.first()
            if first.last:
                totals = pipeline.totals()
                before_complete()
                self._require_something(totals)
                etag = self._put(first)
            else:
                self._begin()
                totals = pipeline.send_all(first, partial(self._send, pipeline))
                before_complete()
                etag = self._complete(totals)
            pipeline.stop()
            etag = self._verified(totals.size_bytes, etag)
            self._tidy()
        except BaseException as error:
            pipeline.stop()
            self._undo(error)
            raise
        return StoredObject(self._key, totals.size_bytes, totals.sha256, etag)

    def _require_something(self, totals: Totals) -> None:
        if totals.size_bytes == 0:
            raise ObjectStoreError(
                f"could not {self._doing}: there was nothing to upload, not one byte",
                hint="What should have written it failed without saying so; look at its log",
            )

    def _put(self, part: Part) -> str | None:
        md5 = ContentMd5(part.data)

        def put(condition: Condition) -> str:
            with self._translated():
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._full_key,
                    Body=cast("BinaryIO", PartBody(part.data)),
                    ContentMD5=md5.header,
                    ContentType=_CONTENT_TYPE,
                    Metadata={_MARK: self._mark},
                    **encryption_arguments(self._settings),
                    **condition,
                )
            return md5.etag(answer, self._doing)

        return self._settled(put)

    def _begin(self) -> None:
        self._may_have_strays = True  # until an answer says that it was the first one
        with self._translated():
            answer = self._client.create_multipart_upload(
                Bucket=self._bucket,
                Key=self._full_key,
                ContentType=_CONTENT_TYPE,
                Metadata={_MARK: self._mark},
                **encryption_arguments(self._settings),
            )
        self._upload_id = answer["UploadId"]
        self._may_have_strays = answer["ResponseMetadata"]["RetryAttempts"] > 0

    def _send(self, pipeline: Pipeline, part: Part) -> str:
        md5 = ContentMd5(part.data)

        def send() -> str:
            with self._translated():
                answer = self._client.upload_part(
                    Bucket=self._bucket,
                    Key=self._full_key,
                    UploadId=self._upload_id or "",
                    PartNumber=part.number,
                    Body=cast("BinaryIO", PartBody(part.data, check=pipeline.check)),
                    ContentMD5=md5.header,
                )
            return md5.etag(answer, f"{self._doing}, part {part.number}")

        return patiently(send, seconds=self._patience, stopped=pipeline.stopped)

    def _complete(self, totals: Totals) -> str | None:
        def complete(condition: Condition) -> str:
            with self._translated():
                answer = self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._full_key,
                    UploadId=self._upload_id or "",
                    MultipartUpload={
                        "Parts": [
                            {"ETag": etag, "PartNumber": number}
                            for number, etag in enumerate(totals.etags, 1)
                        ]
                    },
                    **condition,
                )
            return answer["ETag"]

        return self._settled(complete)

    def _settled(self, publish: Callable[[Condition], str]) -> str | None:
        """Make the object visible; None: it is visible, but the answer was lost."""
        # Some stores ignore the condition, and none looks before hours of parts are sent.
        patiently(self._require_absent, seconds=self._patience)
        self._may_be_visible = True
        publish_once = partial(if_absent, publish, look=self._require_absent)
        try:
            return patiently(publish_once, seconds=self._patience)
        except ObjectStoreError:
            with contextlib.suppress(ObjectStoreError):
                if self._is_ours(self._head()):
                    return None
            raise

    def _require_absent(self) -> None:
        found = self._head()
        if found is not None and not self._is_ours(found):
            raise ObjectExists(
                f"could not {self._doing}: there is an object under this key already",
                hint="Nothing was overwritten; keys of backups hold a random id, so look who "
                "else writes into this bucket",
            )

    def _verified(self, size_bytes: int, etag: str | None) -> str:
        """Look at the object as others see it and return its ETag."""
        found = patiently(self._head, seconds=self._patience)
        if found is None:
            why = "it is not there"
        elif found["ContentLength"] != size_bytes:
            why = f"it has {found['ContentLength']} bytes instead of {size_bytes}"
        elif etag is not None and found["ETag"] != etag:
            why = "it is not the one that was stored"
        else:
            return found["ETag"].strip('"')
        raise ObjectStoreError(
            f"could not {self._doing}: the store confirmed the object, but {why}",
            hint="The store loses what it confirms, or somebody else writes under the same key; "
            "do not use it for backups until that is explained",
        )

    def _undo(self, error: BaseException) -> None:
        """Leave nothing behind; what could not be removed is told in a note on ``error``."""
        try:
            if self._upload_id is not None:
                abort_upload(self._client, self._settings, self._key, self._upload_id)
            self._remove_strays()
            if self._may_be_visible:
                self._remove_published()
        except ObjectStoreError as left:
            error.add_note(f"Something of {self._key} may be left in the bucket: {left}")

    def _remove_published(self) -> None:
        found = self._head()
        if found is None or not self._is_ours(found):
            return
        version = found.get("VersionId", "")  # in a versioned bucket a bare DELETE keeps the bytes
        with self._translated():
            if version:
                self._client.delete_object(
                    Bucket=self._bucket, Key=self._full_key, VersionId=version
                )
            else:
                self._client.delete_object(Bucket=self._bucket, Key=self._full_key)

    def _tidy(self) -> None:
        try:
            self._remove_strays()
        except ObjectStoreError as error:  # the object is stored; a later sweep finds the rest
            logger.warning("a begun upload of %s may be left in the bucket: %s", self._key, error)

    def _remove_strays(self) -> None:
        """Abort uploads of this key that a request began whose answer was lost."""
        if not self._may_have_strays:
            return
        with self._translated():
            answer = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._full_key)
        for upload in answer.get("Uploads", []):
            if upload["Key"] == self._full_key:
                abort_upload(self._client, self._settings, self._key, upload["UploadId"])

    def _head(self) -> HeadObjectOutputTypeDef | None:
        return head(self._client, self._settings, self._key, doing=self._doing)

    def _is_ours(self, found: HeadObjectOutputTypeDef | None) -> bool:
        return found is not None and found["Metadata"].get(_MARK) == self._mark

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(self._settings, self._doing)

    @property
    def _doing(self) -> str:
        return f"upload {self._key}"
