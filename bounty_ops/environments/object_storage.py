"""Where backups go: `BACKUP_BUCKET` and the variables boto3 knows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Amazon S3 User Guide, "General purpose bucket naming rules"; underscores and capitals are
#: refused by S3 for new buckets but exist on compatible stores.
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_SHAPE: Final = "s3://bucket/prefix"


@dataclass(frozen=True)
class BucketLocation:
    """A bucket and the prefix under which everything of ours lies (no slash at its ends)."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> BucketLocation:
        """Read ``s3://bucket/prefix``.

        Raises:
            ConfigurationError: it is of another form.
        """
        scheme, separator, rest = text.strip().partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme.lower() != "s3" or not separator or not _BUCKET.fullmatch(bucket):
            raise ConfigurationError(
                "BACKUP_BUCKET does not name a bucket", hint=f"Write it as {_SHAPE}"
            )
        parts = [part for part in prefix.split("/") if part]
        if any(part in {".", ".."} for part in parts):
            raise ConfigurationError(
                "the prefix of BACKUP_BUCKET holds `.` or `..`", hint=f"Write it as {_SHAPE}"
            )
        return cls(bucket, "/".join(parts))

    def key(self, relative: str) -> str:
        """The full key of a key relative to the prefix."""
        return f"{self.prefix}/{relative}" if self.prefix else relative

    def uri(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


@dataclass(frozen=True)
class ObjectStoreSettings:
    """A bucket and how to reach it; ``None`` leaves a value to boto3's own search order."""

    location: BucketLocation
    endpoint_url: str | None = None
    region: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)

    def secrets(self) -> tuple[str, ...]:
        """Every text that must never be shown."""
        return tuple(v for v in (self.secret_access_key, self.session_token) if v)


def object_store_settings(variables: Mapping[str, str]) -> ObjectStoreSettings | None:
    """The bucket that the variables name, or None where `BACKUP_BUCKET` is not set.

    Raises:
        ConfigurationError: `BACKUP_BUCKET` or the endpoint is malformed, or half a key is given.
    """
    bucket = variables.get("BACKUP_BUCKET", "").strip()
    if not bucket:
        return None
    endpoint = variables.get("AWS_ENDPOINT_URL_S3") or variables.get("AWS_ENDPOINT_URL") or None
    if endpoint is not None and not re.match(r"https?://[^\s/@]+", endpoint):
        raise ConfigurationError(
            "AWS_ENDPOINT_URL_S3 is not an http:// or https:// address without a login in it",
            hint="Write it as https://host, and the keys in AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY.",
        )
    access = variables.get("AWS_ACCESS_KEY_ID") or None
    secret = variables.get("AWS_SECRET_ACCESS_KEY") or None
    if (access is None) != (secret is None):
        missing = "AWS_ACCESS_KEY_ID" if access is None else "AWS_SECRET_ACCESS_KEY"
        raise ConfigurationError(
            f"{missing} is not set, but its other half is",
            hint="Set both, or neither (boto3 then looks for a profile or an instance role).",
        )
    return ObjectStoreSettings(
        location=BucketLocation.parse(bucket),
        endpoint_url=endpoint,
        region=variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or None,
        access_key_id=access,
        secret_access_key=secret,
        session_token=variables.get("AWS_SESSION_TOKEN") or None,
    )
