"""Looking at an object without reading it.

The answer to HEAD has no body, so a refusal is a bare number: 400 for credentials that have
expired, 403 for a wrong key. A listing is then asked for, whose answer says what it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ObjectNotFound, ObjectStoreError
from bounty_ops.object_store.diagnose import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

    from bounty_ops.environments import ObjectStoreSettings

_BARE: Final = {"400", "401", "403"}


def head(
    client: S3Client, settings: ObjectStoreSettings, key: str, *, doing: str
) -> HeadObjectOutputTypeDef | None:
    """Return what the store says of an object, or None when it is not there."""
    bucket = settings.location.bucket
    full_key = settings.location.key(key)
    try:
        with translated(settings, doing):
            return client.head_object(Bucket=bucket, Key=full_key)
    except ObjectNotFound:
        return None
    except ObjectStoreError as error:
        if error_code(error) in _BARE:
            with translated(settings, doing):
                client.list_objects_v2(Bucket=bucket, Prefix=full_key, MaxKeys=1)
        raise
