"""Aborting a multipart upload so that nothing of it stays.

A part that was on its way when the upload was aborted may be kept by S3 (and paid for), so S3's
documentation asks to list the parts afterwards and to abort again until there are none.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ObjectNotFound, ObjectStoreError
from bounty_ops.object_store.diagnose import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from bounty_ops.environments import ObjectStoreSettings

_ROUNDS: Final = 5


def abort_upload(client: S3Client, settings: ObjectStoreSettings, key: str, upload_id: str) -> None:
    """Abort an upload; one that is gone already is no error.

    Raises ObjectStoreError when it is still there after some attempts.
    """
    for attempt in range(_ROUNDS):
        time.sleep(attempt * 0.2)
        with suppress(ObjectNotFound), translated(settings, f"abort the upload of {key}"):
            client.abort_multipart_upload(
                Bucket=settings.location.bucket, Key=settings.location.key(key), UploadId=upload_id
            )
        if _is_gone(client, settings, key, upload_id):
            return
    raise ObjectStoreError(
        f"could not abort the upload of {key}: the store still lists it",
        hint="The next backup of the same environment tries again; a rule of the bucket that "
        "removes incomplete multipart uploads after some days is a good second net",
    )


def _is_gone(client: S3Client, settings: ObjectStoreSettings, key: str, upload_id: str) -> bool:
    try:
        with translated(settings, f"list the parts of {key}"):
            client.list_parts(
                Bucket=settings.location.bucket,
                Key=settings.location.key(key),
                UploadId=upload_id,
                MaxParts=1,
            )
    except ObjectNotFound:
        return True
    except ObjectStoreError as error:
        if error_code(error) == "AccessDenied":  # may abort, but not look
            return True
        raise
    return False
