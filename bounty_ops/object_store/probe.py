"""Trying out what a bucket can promise: a store that ignores a condition does not say so.

One small object and one multipart upload are written under a random key and taken away. Where the
bucket locks every new object, nothing is written, and what would need it stays unknown.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bounty_ops.errors import ObjectExists, ObjectStoreError, ObjectStoreUnavailable
from bounty_ops.object_store.abort import abort_upload
from bounty_ops.object_store.bucket_rules import BucketRules
from bounty_ops.object_store.capabilities import Capabilities, Capability
from bounty_ops.object_store.conditional import REFUSALS
from bounty_ops.object_store.content_md5 import ContentMd5
from bounty_ops.object_store.diagnose import error_code, translated
from bounty_ops.object_store.encrypting import encryption_arguments
from bounty_ops.object_store.locks import Locks

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3.client import S3Client

    from bounty_ops.environments import ObjectStoreSettings

#: Everything that a probe writes begins with it.
PROBES: Final = "bounty-ops-probe/"
_BODY: Final = b"Written by bounty-ops to see what this bucket can promise.\n"
_PART: Final = b"Written by bounty-ops in one part.\n"
_DAMAGED: Final = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"}
_NO_ETAG: Final = '"00000000000000000000000000000000"'
#: A younger object is of a probe that is running on another machine.
_RUNNING: Final = timedelta(hours=1)
_LOCKED: Final = "not tried: what is written here is locked at once and would stay"
_NOTHING: Final = "not tried: nothing could be written"


class Probe:
    """One look at one bucket."""

    def __init__(self, client: S3Client, settings: ObjectStoreSettings) -> None:
        self._client = client
        self._settings = settings
        self._bucket = settings.location.bucket
        self._locks = Locks(client, settings)
        self._key = f"{PROBES}{secrets.token_hex(8)}"
        self._written = False
        self._upload_id: str | None = None
        self._away: ObjectStoreUnavailable | None = None

    def run(self) -> Capabilities:
        """Find everything out; see `bounty_ops.object_store.ObjectStore.capabilities`."""
        rules = BucketRules(self._client, self._settings)
        object_lock, locks_all = rules.object_lock()
        aborts_uploads, keeps_objects = rules.life_cycle()
        versioning = rules.versioning()
        try:
            self._reuse_what_stayed()
            locked = Capability(None, _LOCKED)
            writes = locked if locks_all else self._writes()
            conditional_put = locked if locks_all else self._conditional_put()
            range_reads = self._range_reads()
            multipart = self._multipart(completing=not locks_all)
        finally:
            deletes = self._clear()
        return Capabilities(
            writes=writes,
            conditional_put=conditional_put,
            range_reads=range_reads,
            **multipart,
            deletes=locked if locks_all else deletes,
            object_lock=object_lock,
            versioning=versioning,
            aborts_uploads=aborts_uploads,
            keeps_objects=keeps_objects,
        )

    def _reuse_what_stayed(self) -> None:
        """Where nothing may be deleted, the first probe's object serves for all."""
        answer: dict[str, Any] = {}

        def look() -> None:
            full = self._full(PROBES)
            answer.update(self._client.list_objects_v2(Bucket=self._bucket, Prefix=full))

        if self._failure("list the bucket", look) is not None:
            return
        start = len(self._full(""))
        for entry in answer.get("Contents", []):
            if datetime.now(UTC) - entry["LastModified"] > _RUNNING:
                try:
                    self._locks.delete_versions(entry["Key"][start:])
                except ObjectStoreError:
                    self._key, self._written = entry["Key"][start:], True
                    return

    def _writes(self) -> Capability:
        if not self._written:
            # First under the condition: the policy of a bucket may allow nothing else.
            failed = self._failure("write", lambda: self._put(IfNoneMatch="*"))
            if _refuses(failed):
                failed = self._failure("write", self._put)
            if failed is not None:
                denied = error_code(failed) in {"AccessDenied", "403"}
                return Capability(False if denied else None, str(failed))
            self._written = True
        return Capability(True, "objects can be written")

    def _conditional_put(self) -> Capability:
        if not self._written:
            return Capability(None, _NOTHING)
        failed = self._failure("write under a condition", lambda: self._put(IfNoneMatch="*"))
        if failed is None:
            return Capability(False, "the store ignores If-None-Match and replaces what is there")
        if isinstance(failed, ObjectExists):
            return Capability(True, "an existing object is not replaced (If-None-Match)")
        if _refuses(failed):
            return Capability(False, "the store refuses conditional writes (If-None-Match)")
        return Capability(None, str(failed))

    def _range_reads(self) -> Capability:
        if not self._written:
            return Capability(None, _NOTHING)
        read: dict[str, Any] = {}

        def get(**condition: str) -> None:
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._full(self._key),
                Range="bytes=4-8",
                **condition,  # type: ignore[arg-type]  # IfMatch, when there is one
            )
            read.update(etag=answer["ETag"], body=answer["Body"].read())

        failed = self._failure("read a part of an object", get)
        if failed is not None:
            return Capability(None, str(failed))
        if read["body"] != _BODY[4:9]:
            return Capability(
                False, "the store answers with more than the range that was asked for"
            )
        failed = self._failure("read on", lambda: get(IfMatch=read["etag"]))
        changed = self._failure("read on", lambda: get(IfMatch=_NO_ETAG))
        if failed is None and isinstance(changed, ObjectExists):
            return Capability(True, "a download that breaks off is resumed in the same object")
        if failed is None and changed is None:
            return Capability(False, "the store ignores If-Match and reads on in another object")
        return Capability(None, str(failed or changed))

    def _multipart(self, *, completing: bool) -> dict[str, Capability]:
        begun = self._failure("begin an upload in parts", self._begin)
        if begun is not None:
            unknown = Capability(None, f"not tried: {begun}")
            others = dict.fromkeys(("checksums", "conditional_complete", "lists_uploads"), unknown)
            multipart = Capability(False if _refuses(begun) else None, str(begun))
            return {"multipart": multipart, **others}
        lists_uploads = self._lists_uploads()
        checksums = self._checksums()
        etags: list[str] = []
        sent = self._failure("send a part", lambda: etags.append(self._send(_PART)))
        if sent is not None or not completing:
            why = _LOCKED if sent is None else str(sent)
            conditional, multipart = Capability(None, why), Capability(None, why)
        else:
            conditional = self._conditional_complete(etags[0])
            multipart = self._completed(etags[0])
        return {
            "multipart": multipart,
            "checksums": checksums,
            "conditional_complete": conditional,
            "lists_uploads": lists_uploads,
        }

    def _lists_uploads(self) -> Capability:
        found: list[str] = []

        def look() -> None:
            prefix = self._full(PROBES)
            answer = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
            found.extend(one["UploadId"] for one in answer.get("Uploads", []))

        failed = self._failure("list unfinished uploads", look)
        if failed is not None:
            return Capability(False if _refuses(failed) else None, str(failed))
        if self._upload_id in found:
            return Capability(True, "unfinished uploads are found and removed by the next backup")
        return Capability(False, "the store does not list unfinished uploads by their prefix")

    def _checksums(self) -> Capability:
        wrong = ContentMd5(b"something else").header
        failed = self._failure("send a part", lambda: self._send(_PART, md5=wrong))
        if failed is None:
            return Capability(False, "the store accepts a body that does not fit its Content-MD5")
        if error_code(failed) in _DAMAGED:
            return Capability(True, "what arrives damaged is refused (Content-MD5)")
        return Capability(None, str(failed))

    def _conditional_complete(self, etag: str) -> Capability:
        if not self._written:
            return Capability(None, _NOTHING)
        failed = self._failure("complete", lambda: self._complete(etag, IfNoneMatch="*"))
        if failed is None:
            return Capability(False, "an upload in parts replaces what is there (If-None-Match)")
        if isinstance(failed, ObjectExists):
            return Capability(True, "an upload in parts does not replace what is there")
        if _refuses(failed):
            return Capability(False, "the store refuses conditional uploads in parts")
        return Capability(None, str(failed))

    def _completed(self, etag: str) -> Capability:
        if self._upload_id is not None:
            failed = self._failure("complete an upload in parts", lambda: self._complete(etag))
            if failed is not None:
                return Capability(False if _refuses(failed) else None, str(failed))
        read: list[bytes] = []

        def get() -> None:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._full(self._key))
            read.append(answer["Body"].read())

        failed = self._failure("read what was uploaded", get)
        if failed is not None:
            return Capability(None, str(failed))
        if read != [_PART]:
            return Capability(False, "an object uploaded in parts is not what its parts were")
        return Capability(True, "objects of any size can be uploaded in parts")

    def _clear(self) -> Capability:
        if (upload_id := self._upload_id) is not None:
            abort = partial(abort_upload, self._client, self._settings, self._key, upload_id)
            self._failure("abort the upload", abort)
        if not self._written:
            return Capability(None, _NOTHING)
        try:
            self._locks.delete_versions(self._key)
        except ObjectStoreError as error:
            return Capability(False, f"{error}; {self._full(self._key)} stays there")
        return Capability(True, "old backups can be deleted")

    def _put(self, **condition: str) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._full(self._key),
            Body=_BODY,
            ContentMD5=ContentMd5(_BODY).header,
            **encryption_arguments(self._settings),
            **condition,  # type: ignore[arg-type]  # IfNoneMatch, when there is one
        )

    def _begin(self) -> None:
        self._upload_id = self._client.create_multipart_upload(
            Bucket=self._bucket,
            Key=self._full(self._key),
            **encryption_arguments(self._settings),
        )["UploadId"]

    def _send(self, body: bytes, md5: str | None = None) -> str:
        return self._client.upload_part(
            Bucket=self._bucket,
            Key=self._full(self._key),
            UploadId=self._upload_id or "",
            PartNumber=1,
            Body=body,
            ContentMD5=md5 or ContentMd5(body).header,
        )["ETag"]

    def _complete(self, etag: str, **condition: str) -> None:
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._full(self._key),
            UploadId=self._upload_id or "",
            MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]},
            **condition,  # type: ignore[arg-type]  # IfNoneMatch, when there is one
        )
        self._upload_id, self._written = None, True

    def _failure(self, doing: str, call: Callable[[], object]) -> ObjectStoreError | None:
        """What a call met; a store that is away is not asked again and again."""
        if self._away is not None:
            return self._away
        try:
            with translated(self._settings, doing):
                call()
        except ObjectStoreError as error:
            if isinstance(error, ObjectStoreUnavailable) and error_code(error) is None:
                self._away = error
            return error
        return None

    def _full(self, key: str) -> str:
        return self._settings.location.key(key)


def _refuses(error: ObjectStoreError | None) -> bool:
    return error is not None and error_code(error) in REFUSALS
