"""What providers do differently from Amazon, put between us and the real store."""

from __future__ import annotations

import re
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from bounty_ops.environments import ObjectStoreSettings

_MD5 = re.compile(rb"[0-9a-f]{32}(?![0-9a-f-])")
_ETAGS = re.compile(rb"<ETag>.*?</ETag>")
#: They hold a signature, or what it depends on.
_SIGNED = {"authorization", "x-amz-date", "x-amz-content-sha256", "host", "content-length"}


class Habit(Enum):
    """What a provider does differently."""

    IGNORES_CONDITIONS = "writes although If-None-Match says not to"
    REFUSES_CONDITIONS = "answers NotImplemented to a conditional write, as Backblaze B2 does"
    IGNORES_CHECKSUMS = "does not look at Content-MD5"
    IGNORES_IF_MATCH = "reads although If-Match says not to"
    IGNORES_RANGES = "answers with the whole object"
    HAS_KMS = "encrypts with KMS: says so, and its ETags are no MD5 sums"
    HAS_NO_VERSIONS = "answers NotImplemented to everything about versions and locks"
    LISTS_NO_UPLOADS = "lists the unfinished uploads of one exact key only, as MinIO does"
    DENIES_SETTINGS = "answers AccessDenied to whoever asks about the bucket itself"
    DENIES_DELETING = "answers AccessDenied to whoever deletes an object"


_IGNORED_HEADERS = {
    Habit.IGNORES_CONDITIONS: {"if-none-match"},
    Habit.IGNORES_CHECKSUMS: {"content-md5"},
    Habit.IGNORES_IF_MATCH: {"if-match"},
    Habit.IGNORES_RANGES: {"range"},
    Habit.HAS_KMS: {
        "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id",
    },
}
_ABOUT_VERSIONS = {"object-lock", "retention", "legal-hold", "versioning", "versions", "versionId"}
_ABOUT_THE_BUCKET = {"object-lock", "versioning", "lifecycle"}

Headers = list[tuple[str, str]]


def refusal(
    habits: AbstractSet[Habit], method: str, path: str, headers: Headers
) -> tuple[int, str] | None:
    """The status and the code that such a provider answers, or None when it serves the request."""
    asked = set(parse_qs(urlsplit(path).query, keep_blank_values=True))
    conditional = any(name.lower() == "if-none-match" for name, _ in headers)
    if Habit.REFUSES_CONDITIONS in habits and conditional and method in {"PUT", "POST"}:
        return HTTPStatus.NOT_IMPLEMENTED, "NotImplemented"
    if Habit.HAS_NO_VERSIONS in habits and asked & _ABOUT_VERSIONS:
        return HTTPStatus.NOT_IMPLEMENTED, "NotImplemented"
    if Habit.DENIES_SETTINGS in habits and asked & _ABOUT_THE_BUCKET:
        return HTTPStatus.FORBIDDEN, "AccessDenied"
    if Habit.DENIES_DELETING in habits and method == "DELETE" and "uploadId" not in asked:
        return HTTPStatus.FORBIDDEN, "AccessDenied"
    return None


def rewritten(
    habits: AbstractSet[Habit],
    store: ObjectStoreSettings,
    request: tuple[str, str, Headers, bytes],
) -> tuple[str, Headers, bytes]:
    """Path, headers and body of a request without what such a provider ignores, signed anew."""
    method, path, headers, body = request
    ignored = set().union(*(_IGNORED_HEADERS.get(habit, set()) for habit in habits))
    kept = {
        name: value
        for name, value in headers
        if name.lower() not in ignored and name.lower() not in _SIGNED
    }
    if Habit.HAS_KMS in habits:
        body = _ETAGS.sub(lambda found: _MD5.sub(_turned, found[0]), body)
        kept = {
            name: _turn(value) if name.lower() == "if-match" else value
            for name, value in kept.items()
        }
    if Habit.LISTS_NO_UPLOADS in habits and method == "GET" and "uploads" in path:
        path = re.sub(r"prefix=[^&]*(%2F|/)?(?=&|$)", "prefix=no-such-key", path)
    signed = AWSRequest(method, f"{store.endpoint_url}{path}", headers=kept, data=body)
    assert store.access_key_id is not None
    assert store.secret_access_key is not None
    keys = Credentials(store.access_key_id, store.secret_access_key)
    S3SigV4Auth(keys, "s3", store.region or "us-east-1").add_auth(signed)
    return path, [*signed.headers.items(), ("Content-Length", str(len(body)))], body


def answered(habits: AbstractSet[Habit], method: str, headers: Headers) -> Headers:
    """The headers of an answer as such a provider would give them."""
    if Habit.HAS_KMS not in habits or method == "DELETE":
        return headers
    turned = [(n, _turn(v) if n.lower() == "etag" else v) for n, v in headers]
    return [*turned, ("x-amz-server-side-encryption", "aws:kms")]


def _turn(etag: str) -> str:
    """Another mark in place of an MD5 sum; turned again it is the sum."""
    return _MD5.sub(_turned, etag.encode()).decode()


def _turned(found: re.Match[bytes]) -> bytes:
    return found[0][::-1]
