"""The error codes of S3 and its relatives: what they mean and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bounty_ops.errors import (
    ObjectExists,
    ObjectNotFound,
    ObjectStoreError,
    ObjectStoreUnavailable,
)


@dataclass(frozen=True)
class Meaning:
    """What a group of codes says."""

    codes: str
    """Separated by blanks. HEAD answers have no body, so the bare status counts as a code."""
    what: str
    hint: str
    kind: type[ObjectStoreError] = ObjectStoreError


OVERLOADED: Final = Meaning(
    "InternalError SlowDown ServiceUnavailable RequestTimeout Throttling ThrottlingException "
    "RequestLimitExceeded BandwidthLimitExceeded RequestTimeoutException 429",
    "the store is overloaded or broken",
    "Try again in some minutes; the store's own status page or log says more",
    kind=ObjectStoreUnavailable,
)

_ALL: Final = (
    Meaning(
        "NoSuchBucket",
        "there is no such bucket",
        "Create the bucket, or correct BACKUP_BUCKET",
    ),
    Meaning(
        "NoSuchKey 404 NoSuchVersion",
        "there is no such object",
        "`bounty-ops backup list` shows what is there",
        kind=ObjectNotFound,
    ),
    Meaning(
        "NoSuchUpload",
        "the unfinished upload is not there any more",
        "Somebody completed or aborted it, or a rule of the bucket did; try again",
        kind=ObjectNotFound,
    ),
    Meaning(
        "InvalidAccessKeyId SignatureDoesNotMatch InvalidToken AuthFailure InvalidSecurity "
        "UnrecognizedClientException NotSignedUp",
        "the store does not accept these credentials",
        "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and that they belong to this endpoint",
    ),
    Meaning(
        "ExpiredToken TokenRefreshRequired",
        "the credentials have expired",
        "Renew AWS_SESSION_TOKEN and its keys, or use keys that do not expire",
    ),
    Meaning(
        "AccessDenied 403 AllAccessDisabled AccountProblem Unauthorized 401",
        "access is denied",
        "The credentials need s3:ListBucket, s3:GetObject, s3:PutObject, s3:DeleteObject, "
        "s3:AbortMultipartUpload, s3:ListMultipartUploadParts and s3:ListBucketMultipartUploads on "
        "this bucket (docs/how-to/object-storage.md lists the rest); an object under retention "
        "cannot be deleted by anybody",
    ),
    Meaning(
        "RequestTimeTooSkewed RequestExpired",
        "this machine's clock differs from the store's by more than it allows",
        "Set the clock (`timedatectl status` shows whether it is synchronised)",
    ),
    Meaning(
        "PermanentRedirect 301 307 TemporaryRedirect AuthorizationHeaderMalformed "
        "IllegalLocationConstraintException InvalidRegion InvalidLocationConstraint",
        "the bucket is in another region",
        "Set AWS_REGION to the region of the bucket",
    ),
    Meaning(
        "PreconditionFailed 412 NotModified 304",
        "the condition of the request does not hold any more: the object exists or has changed",
        "Nothing was overwritten; read the object that is there",
        kind=ObjectExists,
    ),
    Meaning(
        "BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch",
        "the data arrived damaged",
        "Something between here and the store changes what passes; try again, look for a proxy",
        kind=ObjectStoreUnavailable,
    ),
    OVERLOADED,
    Meaning(
        "NotImplemented 501",
        "the store cannot do this",
        "Use a store that has multipart uploads and conditional writes (If-None-Match)",
    ),
    Meaning(
        "QuotaExceeded InsufficientStorage 507 XMinioStorageFull InvalidObjectSize StorageFull",
        "the store is full",
        "Free some space or raise the quota",
    ),
)

_BY_CODE: Final = {code: meaning for meaning in _ALL for code in meaning.codes.split()}


def meaning_of(code: str, status: int) -> Meaning | None:
    """Return what an answer means, or None for a code that is not known here."""
    server_error = 500
    known = _BY_CODE.get(code) or _BY_CODE.get(str(status))
    return OVERLOADED if known is None and status >= server_error else known
